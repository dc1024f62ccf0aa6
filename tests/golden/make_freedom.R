# Writes freedom/<case>.json: Satterthwaite's degrees of freedom under CR2 of averages of means, of
# their slopes and differences, and of single means, by clubSandwich: each is a linear contrast
# whose coefficients are the derivatives of the number by the parameters.
# Run from the repository root:  Rscript tests/golden/make_freedom.R
#
# Rows are grouped by runs of so many in the order of the data (`blocks`).

suppressMessages({
  library(MASS)
  library(clubSandwich)
})
source(file.path("tests", "golden", "tools.R"))
place <- file.path(folder, "freedom")
dir.create(place, showWarnings = FALSE)
tight <- glm.control(epsilon = 1e-14, maxit = 100)

cases <- list(
  quine_poisson = list(
    data = "dataset:quine", formula = "Days ~ Eth + Sex + Lrn", family = poisson(),
    call = list(family = "poisson"), blocks = 10, factor = "Sex", levels = c("F", "M"),
    factors = c("Eth", "Sex", "Lrn")
  ),
  warpbreaks_sqrt = list(
    data = "dataset:warpbreaks", formula = "breaks ~ wool + tension", family = poisson("sqrt"),
    call = list(family = "poisson", link = "sqrt"), blocks = 5, factor = "wool",
    levels = c("A", "B"), factors = c("wool", "tension")
  ),
  biochemists_negbin = list(
    data = "dataset:biochemists", formula = "art ~ fem + kid5 + ment",
    family = negative.binomial(1 / 0.4),
    call = list(family = list(name = "negbin", alpha = 0.4)), blocks = 40, factor = "fem",
    levels = c("Men", "Women"), factors = "fem", slope = "ment"
  )
)

for (name in names(cases)) {
  case <- cases[[name]]
  frame <- read_data(case$data)
  for (column in case$factors) frame[[column]] <- factor(frame[[column]])
  group <- (seq_len(nrow(frame)) - 1) %/% case$blocks
  fit <- glm(as.formula(case$formula), case$family, frame, control = tight)
  # Derivatives of the mean of each row by the parameters.
  pulled <- function(data) {
    X <- model.matrix(delete.response(terms(fit)), data, xlev = fit$xlevels)
    eta <- drop(X %*% coef(fit))
    list(mean = fit$family$linkinv(eta), slope = X * fit$family$mu.eta(eta))
  }
  at <- function(level) {
    data <- frame
    data[[case$factor]] <- factor(rep(level, nrow(frame)), levels(frame[[case$factor]]))
    found <- pulled(data)
    list(mean = mean(found$mean), slope = colMeans(found$slope))
  }
  low <- at(case$levels[1])
  high <- at(case$levels[2])
  own <- pulled(frame)
  rows <- list(
    average = colMeans(own$slope), low = low$slope, high = high$slope,
    difference = high$slope - low$slope,
    ratio = high$slope / low$mean - high$mean / low$mean^2 * low$slope,
    first = own$slope[1, ], tenth = own$slope[10, ]
  )
  if (!is.null(case$slope)) {
    # The mean's slope is its coefficient times the mean under the log link.
    column <- names(coef(fit)) == case$slope
    rows$slope <- colMeans(own$slope) * coef(fit)[column] + mean(own$mean) * column
  }
  found <- linear_contrast(fit, vcov = "CR2", cluster = group, contrasts = do.call(rbind, rows))
  values <- list(
    df = as.list(setNames(found$df, names(rows))), se = as.list(setNames(found$SE, names(rows)))
  )
  record <- list(
    case = name, versions = used_versions("clubSandwich"), data = case$data,
    formula = case$formula, call = case$call, blocks = case$blocks, factor = case$factor,
    levels = case$levels, slope = if (is.null(case$slope)) "" else case$slope, values = values
  )
  writeLines(to_json(record), file.path(place, paste0(name, ".json")))
  cat("written", name, "\n")
}
