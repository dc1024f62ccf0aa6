# One fit of an R package, timed inside R: Rscript peers.R PACKAGE MODEL DATA.csv
#
# Prints a line of JSON: seconds of the fit with its standard errors, estimates in the order of
# glmcount (count part, zero part, alpha) with their standard errors, and whether it converged.
# `Rscript peers.R versions` prints the versions of R and of the packages that are installed.

packages <- c("pscl", "glmmTMB")
arguments <- commandArgs(trailingOnly = TRUE)
if (arguments[1] == "versions") {
  cat("R", as.character(getRversion()), "\n")
  for (name in packages) {
    if (nzchar(system.file(package = name))) cat(name, as.character(packageVersion(name)), "\n")
  }
  quit()
}
package <- arguments[1]
frame <- read.csv(arguments[3])
suppressPackageStartupMessages(library(package, character.only = TRUE))

columns <- paste0("x", 1:8)
terms <- paste(columns, collapse = " + ")
one <- reformulate(columns, "y")
both <- as.formula(paste("y ~", terms, "|", terms))

# theta is 1 / alpha; its error is that of log(theta), which is that of log(alpha).
of_pscl <- function(fit) {
  list(
    coefficients = c(unlist(coef(fit)), 1 / fit$theta[[1]]),
    errors = c(sqrt(diag(vcov(fit))), fit$SE.logtheta[[1]] / fit$theta[[1]]),
    converged = all(unlist(fit$converged))
  )
}
of_glmmtmb <- function(fit) {
  # Of its coefficients the last is log(theta).
  found <- fit$sdr$par.fixed
  errors <- sqrt(diag(fit$sdr$cov.fixed))
  last <- length(found)
  list(
    coefficients = c(found[-last], exp(-found[last])),
    errors = c(errors[-last], errors[last] * exp(-found[last])),
    converged = fit$fit$convergence == 0
  )
}
models <- list(
  pscl_zinb = function(data) of_pscl(zeroinfl(both, data, dist = "negbin")),
  pscl_hurdle = function(data) of_pscl(hurdle(both, data, dist = "negbin")),
  glmmTMB_zinb = function(data) {
    of_glmmtmb(glmmTMB(one, data, ziformula = reformulate(columns), family = nbinom2))
  }
)
model <- models[[paste(package, arguments[2], sep = "_")]]

# As every other fit is, after one of fewer rows that is not timed.
invisible(model(head(frame, 20000)))
invisible(gc())
begin <- proc.time()[["elapsed"]]
found <- model(frame)
seconds <- proc.time()[["elapsed"]] - begin

text <- function(x) paste(sprintf("%.17g", x), collapse = ", ")
cat(sprintf(
  '{"seconds": %s, "coefficients": [%s], "errors": [%s], "converged": %s}\n',
  text(seconds), text(found$coefficients), text(found$errors), tolower(found$converged)
))
