# R's fits of the designs that docs/study_maxima.py has drawn:
#   Rscript study_maxima.R glm.nb|poisson|negbin data.json theta.json
# Estimates in the order mean (intercept, x, levels), zero part, log alpha; null where R fails.
suppressMessages({library(MASS); library(pscl); library(jsonlite)})
arguments <- commandArgs(trailingOnly = TRUE)
designs <- fromJSON(arguments[2], simplifyVector = FALSE)
ordered_mean <- function(b) {
  first <- names(b) %in% c("(Intercept)", "x")
  unname(c(b[first], b[!first]))
}
one <- function(columns) {
  d <- data.frame(lapply(columns, unlist))
  mean <- if ("g" %in% names(d)) "y ~ x + g" else "y ~ x"
  if (arguments[1] == "glm.nb") {
    m <- glm.nb(as.formula(mean), data = d, control = glm.control(epsilon = 1e-12, maxit = 200))
    return(c(ordered_mean(coef(m)), -log(m$theta)))
  }
  m <- zeroinfl(as.formula(paste(mean, "| x")), data = d, dist = arguments[1],
                control = zeroinfl.control(reltol = 1e-14, maxit = 5000))
  c(ordered_mean(m$coefficients$count), unname(m$coefficients$zero),
    if (arguments[1] == "negbin") -log(m$theta))
}
found <- lapply(designs, function(columns) {
  tryCatch(suppressWarnings(one(columns)), error = function(e) NULL)
})
writeLines(toJSON(found, digits = NA, na = "null", null = "null"), arguments[3])
