# Effects by hand and by emmeans: derivatives of averages by numDeriv, with the model's covariance.
#
#     Rscript tests/prediction/make_effects.R > tests/prediction/effects.json
#
# MASS 7.3-58, pscl, emmeans 1.8.4, numDeriv; pscl has information by differences.
suppressMessages({
  library(MASS)
  library(pscl)
  library(emmeans)
  library(numDeriv)
  library(sandwich)
})

data(quine, package = "MASS")
data(bioChemists, package = "pscl")

# An average, or several, as a function of the coefficients, with its delta-method errors.
delta <- function(f, b, v) {
  j <- jacobian(f, b, method.args = list(r = 6))
  list(estimate = as.numeric(f(b)), std_error = sqrt(diag(j %*% v %*% t(j))))
}

out <- list()

# Negative binomial -------------------------------------------------------------------------
fit <- glm.nb(Days ~ Sex * Age + Eth, quine,
  control = glm.control(epsilon = 1e-14, maxit = 100)
)
terms <- delete.response(terms(fit))
mean_of <- function(b, data, by = NULL) {
  mu <- exp(model.matrix(terms, data, xlev = fit$xlevels) %*% b)
  if (is.null(by)) mean(mu) else tapply(mu, by, mean)
}
male <- transform(quine, Sex = factor("M", levels(quine$Sex)))
female <- transform(quine, Sex = factor("F", levels(quine$Sex)))
b <- coef(fit)
out$nb_sex <- delta(function(b) mean_of(b, male) - mean_of(b, female), b, vcov(fit))
out$nb_sex_by_age <- delta(
  function(b) mean_of(b, male, quine$Age) - mean_of(b, female, quine$Age), b, vcov(fit)
)
out$nb_sex_ratio <- delta(function(b) mean_of(b, male) / mean_of(b, female), b, vcov(fit))
out$nb_sex_hc0 <- delta(
  function(b) mean_of(b, male) - mean_of(b, female), b, sandwich(fit)
)
cells <- summary(emmeans(regrid(ref_grid(fit), "response"), ~Sex))
out$emmeans_sex <- list(estimate = cells$response, std_error = cells$SE)
pairs <- summary(pairs(emmeans(regrid(ref_grid(fit), "response"), ~Age), reverse = TRUE))
out$emmeans_age <- list(estimate = pairs$estimate, std_error = pairs$SE)

# Zero-inflated and hurdle ------------------------------------------------------------------
zi <- zeroinfl(art ~ fem + ment | ment + kid5, bioChemists,
  dist = "negbin",
  control = zeroinfl.control(reltol = 1e-15, EM = FALSE)
)
x <- model.matrix(~ fem + ment, bioChemists)
z <- model.matrix(~ ment + kid5, bioChemists)
k <- ncol(x)
zi_mean <- function(b, x, z) (1 - plogis(z %*% b[-(1:k)])) * exp(x %*% b[1:k])
moved <- function(m, name, by) {
  m[, name] <- m[, name] + by
  m
}
out$zi_slope <- delta(function(b) {
  # In closed form: d mean / d ment.
  p <- plogis(z %*% b[-(1:k)])
  mu <- exp(x %*% b[1:k])
  mean((1 - p) * mu * b["count_ment"] - p * (1 - p) * b["zero_ment"] * mu)
}, coef(zi), vcov(zi))
out$zi_fem <- delta(function(b) {
  one <- two <- x
  one[, 2] <- 0
  two[, 2] <- 1
  mean(zi_mean(b, two, z) - zi_mean(b, one, z))
}, coef(zi), vcov(zi))
out$zi_zero <- delta(function(b) {
  p <- plogis(z %*% b[-(1:k)])
  mean(p * (1 - p) * b["zero_kid5"])
}, coef(zi), vcov(zi))

hu <- hurdle(art ~ fem + ment | ment + kid5, bioChemists,
  dist = "poisson",
  control = hurdle.control(reltol = 1e-15)
)
hu_mean <- function(b, x, z) {
  mu <- exp(x %*% b[1:k])
  plogis(z %*% b[-(1:k)]) * mu / (1 - exp(-mu))
}
out$hurdle_step <- delta(function(b) {
  mean(hu_mean(b, moved(x, "ment", 1), moved(z, "ment", 1)) - hu_mean(b, x, z))
}, coef(hu), vcov(hu))
out$hurdle_positive <- delta(function(b) {
  p <- plogis(z %*% b[-(1:k)])
  mean(p * (1 - p) * b["zero_ment"])
}, coef(hu), vcov(hu))

number <- function(v) paste0("[", paste(sprintf("%.12g", v), collapse = ", "), "]")
rows <- vapply(names(out), function(name) {
  sprintf(
    '  "%s": {"estimate": %s, "std_error": %s}', name,
    number(out[[name]]$estimate), number(out[[name]]$std_error)
  )
}, "")
cat("{\n", paste(rows, collapse = ",\n"), "\n}\n", sep = "")
