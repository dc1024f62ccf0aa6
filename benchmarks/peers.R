# One fit of an R package, timed inside R: Rscript peers.R PACKAGE MODEL DATA.csv
# Prints a line of JSON: seconds of the fit with its standard errors, estimates in the order of
# glmcount (count part, zero part, alpha), and standard errors of all but alpha.

arguments <- commandArgs(trailingOnly = TRUE)
package <- arguments[1]
model <- arguments[2]
frame <- read.csv(arguments[3])
suppressPackageStartupMessages(library(package, character.only = TRUE))

columns <- paste0("x", 1:8)
one <- reformulate(columns, "y")
both <- as.formula(paste("y ~", paste(columns, collapse = " + "), "|", paste(columns, collapse = " + ")))

fits <- list(
  pscl_zinb = function() zeroinfl(both, frame, dist = "negbin"),
  pscl_hurdle = function() hurdle(both, frame, dist = "negbin"),
  glmmTMB_zinb = function() {
    glmmTMB(one, frame, ziformula = reformulate(columns), family = nbinom2)
  }
)

begin <- proc.time()[["elapsed"]]
fit <- fits[[paste(package, model, sep = "_")]]()
if (package == "glmmTMB") {
  table <- summary(fit)$coefficients
  estimates <- c(table$cond[, 1], table$zi[, 1], 1 / sigma(fit))
  errors <- c(table$cond[, 2], table$zi[, 2])
} else {
  table <- summary(fit)$coefficients
  k <- length(columns) + 1
  estimates <- c(table$count[1:k, 1], table$zero[, 1], 1 / fit$theta[[1]])
  errors <- c(table$count[1:k, 2], table$zero[, 2])
}
seconds <- proc.time()[["elapsed"]] - begin

text <- function(x) paste(sprintf("%.17g", x), collapse = ", ")
cat(sprintf(
  '{"seconds": %s, "coefficients": [%s], "errors": [%s], "version": "%s"}\n',
  text(seconds), text(estimates), text(errors), packageVersion(package)
))
