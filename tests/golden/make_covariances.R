# Writes covariances/<case>.json: clustered and autocorrelation-robust covariances of Poisson models
# and of negative binomial ones with alpha given, by sandwich and clubSandwich.
# Run from the repository root:  Rscript tests/golden/make_covariances.R [case ...]
#
# Rows are grouped by runs of so many in the order of the data (`blocks`), or by columns.

suppressMessages({
  library(MASS)
  library(sandwich)
  library(clubSandwich)
})
source(file.path("tests", "golden", "tools.R"))
place <- file.path(folder, "covariances")
dir.create(place, showWarnings = FALSE)
wanted <- commandArgs(trailingOnly = TRUE)

tight <- glm.control(epsilon = 1e-14, maxit = 100)
theta <- function(alpha) negative.binomial(1 / alpha)

cases <- list(
  quine_poisson = list(
    data = "dataset:quine", formula = "Days ~ Eth + Sex + Lrn", family = poisson(),
    call = list(family = "poisson"), blocks = 10,
    factors = c("Eth", "Sex", "Lrn"), joint = list(c(2, 3), c(2, 3, 4))
  ),
  quine_age = list(
    data = "dataset:quine", formula = "Days ~ Eth + Sex + Lrn", family = poisson(),
    call = list(family = "poisson"), group = "Age",
    factors = c("Eth", "Sex", "Lrn"), joint = list(c(2, 3))
  ),
  quine_negbin = list(
    data = "dataset:quine", formula = "Days ~ Eth + Sex + Lrn", family = theta(0.5),
    call = list(family = list(name = "negbin", alpha = 0.5)), blocks = 7,
    factors = c("Eth", "Sex", "Lrn"), joint = list(c(2, 4))
  ),
  warpbreaks_sqrt = list(
    data = "dataset:warpbreaks", formula = "breaks ~ wool + tension", family = poisson("sqrt"),
    call = list(family = "poisson", link = "sqrt"), blocks = 5,
    factors = c("wool", "tension"), joint = list(c(3, 4))
  ),
  biochemists_poisson = list(
    data = "dataset:biochemists", formula = "art ~ fem + kid5 + phd + ment",
    family = poisson(), call = list(family = "poisson"), blocks = 40,
    factors = "fem", joint = list(c(3, 4, 5))
  ),
  biochemists_weights = list(
    data = "dataset:biochemists", formula = "art ~ fem + kid5 + phd + ment",
    family = poisson(), call = list(family = "poisson", weights_type = "importance"),
    weights = "phd", blocks = 40, factors = "fem", joint = list(c(3, 4))
  ),
  nmes1988_negbin = list(
    data = "dataset:nmes1988", formula = "visits ~ hospital + chronic + school + insurance",
    family = theta(0.8), call = list(family = list(name = "negbin", alpha = 0.8)), blocks = 200,
    factors = "insurance", joint = list(c(2, 3))
  )
)

plain <- function(matrix, names) {
  dimnames(matrix) <- NULL
  unname(as.list(as.data.frame(matrix)))
}

values_of <- function(case, frame) {
  group <- if (is.null(case$group)) (seq_len(nrow(frame)) - 1) %/% case$blocks else frame[[case$group]]
  frame$own <- if (is.null(case$weights)) rep(1, nrow(frame)) else frame[[case$weights]]
  # R's weights are those of the step before the last: two fits more begin at the estimate.
  start <- NULL
  for (round in 1:3) {
    fit <- do.call(glm, list(
      as.formula(case$formula), case$family, frame, quote(own), start = start, control = tight
    ))
    start <- coef(fit)
  }
  names <- vapply(names(coef(fit)), patsy_name, "", frame, as.list(setNames(case$factors, case$factors)),
                  character(), list())
  out <- list(names = unname(names), params = unname(coef(fit)), clusters = length(unique(group)))
  for (kind in c("CR0", "CR1", "CR1S", "CR2", "CR3")) {
    found <- try(vcovCR(fit, cluster = group, type = kind), silent = TRUE)
    if (inherits(found, "try-error")) next
    out$covariance[[kind]] <- plain(as.matrix(found))
    if (kind %in% c("CR1", "CR2", "CR3")) {
      out$satterthwaite[[kind]] <- coef_test(fit, found, test = "Satterthwaite")$df
      out$htz[[kind]] <- lapply(case$joint, function(which) {
        test <- Wald_test(fit, constrain_zero(which), vcov = found, test = "HTZ")
        list(which = which - 1, statistic = test$Fstat, df = test$df_num, df_denom = test$df_denom,
             pvalue = test$p_val)
      })
    }
  }
  if (nrow(frame) < 1000) {
    second <- seq_len(nrow(frame)) %% 6
    both <- data.frame(group = group, second = second)
    out$two_way$sandwich <- plain(vcovCL(fit, cluster = both, type = "HC0"))
    out$two_way$raw <- plain(vcovCL(fit, cluster = both, type = "HC0", cadjust = FALSE))
  }
  out
}

for (name in names(cases)) {
  if (length(wanted) && !(name %in% wanted)) next
  case <- cases[[name]]
  frame <- read_data(case$data)
  for (column in case$factors) frame[[column]] <- factor(frame[[column]])
  if (!is.null(case$group)) frame[[case$group]] <- factor(frame[[case$group]])
  rows <- list(blocks = case$blocks, group = case$group, weights = case$weights)
  write_case(
    name, "sandwich and clubSandwich", case$data, case$formula, case$call, values_of(case, frame),
    NULL, rows = rows[!vapply(rows, is.null, TRUE)], place = place,
    packages = c("sandwich", "clubSandwich")
  )
}
