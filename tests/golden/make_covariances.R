# Writes covariances/<case>.json: clustered and autocorrelation-robust covariances of Poisson models
# and of negative binomial ones with alpha given, by sandwich and clubSandwich; and data/discoveries.csv
# and data/seatbelts.csv, R's own series (?discoveries, ?Seatbelts).
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

# ---------------------------------------------------------------- series

write.csv(
  data.frame(year = 1860:1959, count = as.integer(discoveries)),
  file.path(folder, "data", "discoveries.csv"), row.names = FALSE
)
belts <- as.data.frame(Seatbelts)
write.csv(
  data.frame(
    month = sprintf("%d-%02d-01", rep(1969:1984, each = 12), rep(1:12, 16)),
    killed = as.integer(belts$VanKilled), kms = belts$kms, petrol = belts$PetrolPrice,
    law = as.integer(belts$law)
  ),
  file.path(folder, "data", "seatbelts.csv"), row.names = FALSE
)

series <- list(
  series_discoveries = list(
    data = "discoveries.csv", formula = "count ~ I(year - 1900)", time = "year", panels = 5,
    names = c("Intercept", "I(year - 1900)"), family = poisson(), call = list(family = "poisson")
  ),
  series_seatbelts = list(
    data = "seatbelts.csv", formula = "killed ~ kms + petrol + law", time = "month", panels = 6,
    names = c("Intercept", "kms", "petrol", "law"), family = poisson(),
    call = list(family = "poisson")
  ),
  series_seatbelts_negbin = list(
    data = "seatbelts.csv", formula = "killed ~ kms + petrol + law", time = "month", panels = 6,
    names = c("Intercept", "kms", "petrol", "law"), family = theta(0.2),
    call = list(family = list(name = "negbin", alpha = 0.2))
  ),
  series_biochemists = list(
    data = "dataset:biochemists", formula = "art ~ kid5 + phd + ment", time = "order", panels = 5,
    names = c("Intercept", "kid5", "phd", "ment"), family = poisson("sqrt"),
    call = list(family = "poisson", link = "sqrt")
  )
)

for (name in names(series)) {
  if (length(wanted) && !(name %in% wanted)) next
  case <- series[[name]]
  frame <- read_data(case$data)
  start <- NULL
  for (round in 1:3) {
    fit <- do.call(glm, list(as.formula(case$formula), case$family, frame, start = start, control = tight))
    start <- coef(fit)
  }
  n <- nrow(frame)
  number <- seq_len(n) - 1
  panel <- number %% case$panels
  kernels <- c(bartlett = "Bartlett", parzen = "Parzen", qs = "Quadratic Spectral")
  out <- list(names = case$names, params = unname(coef(fit)))
  out$newey_west <- plain(NeweyWest(fit, prewhite = FALSE))
  out$newey_west_whitened <- plain(NeweyWest(fit, prewhite = TRUE))
  out$newey_west_lag <- floor(bwNeweyWest(fit, prewhite = FALSE))
  out$newey_west_4 <- plain(NeweyWest(fit, lag = 4, prewhite = FALSE, adjust = TRUE))
  for (kernel in names(kernels)) {
    for (white in 0:1) {
      key <- paste0(kernel, white)
      out$andrews[[key]] <- plain(kernHAC(fit, kernel = kernels[[kernel]], prewhite = white, adjust = FALSE))
    }
    out$rule[[kernel]] <- plain(
      kernHAC(fit, kernel = kernels[[kernel]], bw = bwNeweyWest, prewhite = 0, adjust = FALSE)
    )
  }
  # Panels that take turns, the rows of one turn at one time; of panels that end early vcovPL
  # leaves out lags (it takes the last row's panel for their number).
  out$panel <- plain(vcovPL(fit, cluster = panel, order.by = number %/% case$panels, aggregate = FALSE, adjust = FALSE))
  out$panel_2 <- plain(
    vcovPL(fit, cluster = panel, order.by = number %/% case$panels, aggregate = FALSE, lag = 2, adjust = TRUE)
  )
  out$driscoll_kraay <- plain(vcovPL(fit, cluster = panel, order.by = number %/% case$panels, adjust = FALSE))
  out$driscoll_kraay_3 <- plain(
    vcovPL(fit, cluster = panel, order.by = number %/% case$panels, lag = 3, adjust = TRUE)
  )
  write_case(
    name, "sandwich", case$data, case$formula, case$call, out, NULL,
    rows = list(time = case$time, panels = case$panels), place = place, packages = "sandwich"
  )
}
