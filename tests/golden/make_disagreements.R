# Writes disagreements/<case>.json: where a package of R gives another number than its definition,
# that number, and the one that follows from the definition, derived here without the function that
# errs. Run from the repository root:  Rscript tests/golden/make_disagreements.R

suppressMessages({
  library(MASS)
  library(sandwich)
  library(clubSandwich)
  library(pscl)
  library(car)
  library(emmeans)
  library(numDeriv)
})
source(file.path("tests", "golden", "tools.R"))
place <- file.path(folder, "disagreements")
dir.create(place, showWarnings = FALSE)
fine <- glm.control(epsilon = 1e-14, maxit = 200)

write_disagreement <- function(case, package, what, why, data, formula, call, theirs, derived, ...) {
  record <- c(
    list(case = case, package = package, versions = used_versions(package), what = what, why = why,
         data = data, formula = formula, call = call),
    list(...), list(theirs = unname(theirs), derived = unname(derived))
  )
  writeLines(to_json(record), file.path(place, paste0(case, ".json")))
  cat(case, theirs, derived, "\n")
}

error <- function(matrix, name) sqrt(matrix[name, name])

# ---------------------------------------------------------------- clustered HC3

quine_ <- read_data("dataset:quine")
for (column in c("Eth", "Sex", "Age", "Lrn")) quine_[[column]] <- factor(quine_[[column]])
set.seed(1)
group <- sample(12, nrow(quine_), TRUE)
fit <- glm(Days ~ Sex + Age, poisson, quine_, control = fine)
# The jackknife over clusters, linearised: sum of d d' with d = (H - H_g)^-1 s_g.
X <- model.matrix(fit)
mu <- fitted(fit)
H <- crossprod(X * sqrt(mu))
steps <- sapply(unique(group), function(g) {
  own <- X[group == g, , drop = FALSE]
  solve(H - crossprod(own * sqrt(mu[group == g])), crossprod(own, (quine_$Days - mu)[group == g]))
})
derived <- tcrossprod(steps)
dimnames(derived) <- list(names(coef(fit)), names(coef(fit)))
transposed <- sapply(unique(group), function(g) {
  own <- X[group == g, , drop = FALSE]
  leverage <- mu[group == g] * own %*% solve(H, t(own))
  solve(H, crossprod(own, solve(diag(nrow(own)) - leverage, (quine_$Days - mu)[group == g])))
})
stopifnot(all.equal(steps, transposed, tolerance = 1e-9))
stopifnot(all.equal(derived, as.matrix(vcovCR(fit, cluster = group, type = "CR3"))[, ],
                    check.attributes = FALSE, tolerance = 1e-9))
write_disagreement(
  "clustered_hc3", "sandwich", "standard error of Sex[T.M], vcovCL(type = \"HC3\"), 12 clusters",
  paste("Residuals are multiplied by (I - X B X'W)^-1 where its transpose belongs:",
        "B X'(I - W X B X')^-1 = (H - H_g)^-1 X', the jackknife. clubSandwich's CR3 has it"),
  "dataset:quine", "Days ~ Sex + Age", list(family = "poisson"),
  error(vcovCL(fit, cluster = group, type = "HC3"), "SexM"), error(derived, "SexM"), group = as.list(group)
)

# ---------------------------------------------------------------- levels without rows

quine_first <- quine_[quine_$Age != "F3", ]
fit <- glm(Days ~ Sex + Lrn, poisson, quine_first, control = fine)
bread <- vcov(fit)
sums <- rowsum(model.matrix(fit) * (quine_first$Days - fitted(fit)), as.character(quine_first$Age))
derived <- 3 / 2 * bread %*% crossprod(sums) %*% bread
write_disagreement(
  "unused_levels", "sandwich", "standard error of Sex[T.M], vcovCL by Age without the rows of F3",
  "Levels of a factor that no row has are counted as clusters: 4/3 for 3/2",
  "dataset:quine", "Days ~ Sex + Lrn", list(family = "poisson"),
  error(vcovCL(fit, cluster = quine_first$Age), "SexM"), error(derived, "SexM"),
  subset = "Age != 'F3'"
)

# ---------------------------------------------------------------- clusters of hurdle and zeroinfl

chemists <- read_data("dataset:biochemists")
block <- (seq_len(nrow(chemists)) - 1) %/% 40

# Log-likelihoods of the rows, log theta last.
rows_of <- function(kind, y, X, Z) function(b) {
  k <- ncol(X)
  q <- k + ncol(Z)
  mu <- exp(drop(X %*% b[1:k]))
  p <- plogis(drop(Z %*% b[(k + 1):q]))
  theta <- exp(b[q + 1])
  own <- dnbinom(y, size = theta, mu = mu, log = TRUE)
  none <- dnbinom(0, size = theta, mu = mu)
  if (kind == "inflate") return(ifelse(y == 0, log(p + (1 - p) * none), log1p(-p) + own))
  ifelse(y == 0, log1p(-p), log(p) + own - log1p(-none))
}

for (kind in c("hurdle", "inflate")) {
  make <- if (kind == "hurdle") hurdle else zeroinfl
  fit <- make(art ~ kid5 + ment | kid5 + ment, data = chemists, dist = "negbin")
  rows <- rows_of(kind, chemists$art, model.matrix(fit, "count"), model.matrix(fit, "zero"))
  b <- unname(c(coef(fit), log(fit$theta[[1]])))
  for (round in 1:3) {
    curve <- hessian(function(b) sum(rows(b)), b)
    b <- b - solve(curve, grad(function(b) sum(rows(b)), b))
  }
  bread <- solve(-hessian(function(b) sum(rows(b)), b))
  clusters <- length(unique(block))
  filling <- crossprod(rowsum(jacobian(rows, b), block)) * clusters / (clusters - 1)
  derived <- sqrt(diag(bread %*% filling %*% bread))[2]
  # sandwich at the same maximum, so that pscl's stopping rule is no part of the difference.
  fit$coefficients$count[] <- b[1:3]
  fit$coefficients$zero[] <- b[4:6]
  fit$theta[[1]] <- exp(b[7])
  fit$vcov[] <- bread[1:6, 1:6]
  part <- if (kind == "hurdle") list(hurdle = "kid5 + ment") else list(inflate = "kid5 + ment")
  write_disagreement(
    paste0("clustered_", kind), "sandwich",
    sprintf("standard error of kid5 in a %s model, vcovCL, 23 clusters",
            if (kind == "hurdle") "negative binomial hurdle" else "zero-inflated negative binomial"),
    "The scores leave theta out, while the bread is that of a model in which it is estimated",
    "dataset:biochemists", "art ~ kid5 + ment", c(list(family = "negbin"), part),
    error(vcovCL(fit, cluster = block), "count_kid5"), derived, blocks = 40
  )
}

# ---------------------------------------------------------------- panels that end early

series <- read_data("discoveries.csv")
number <- seq_len(nrow(series)) - 1
series$panel <- number %% 5
series$turn <- number %/% 5
# The third, fourth and fifth panel end two turns before the others.
series <- series[!(series$panel > 1 & series$turn > 17), ]
fit <- glm(count ~ I(year - 1900), poisson, series, control = fine)
scores <- model.matrix(fit) * (series$count - fitted(fit))
filling <- matrix(0, 2, 2)
for (i in seq_len(nrow(series))) for (j in seq_len(nrow(series))) {
  lag <- abs(series$turn[i] - series$turn[j])
  if (series$panel[i] == series$panel[j] && lag <= 2)
    filling <- filling + (1 - lag / 3) * outer(scores[i, ], scores[j, ])
}
theirs <- vcovPL(fit, cluster = series$panel, order.by = series$turn, aggregate = FALSE, lag = 2, adjust = FALSE)
derived <- vcov(fit) %*% filling %*% vcov(fit)
write_disagreement(
  "panels_that_end_early", "sandwich",
  "standard error of the slope, vcovPL(aggregate = FALSE, lag = 2), three of five panels ending early",
  "The panel of the last row in time is taken for the number of panels, and lags of later ones left out",
  "discoveries.csv", "count ~ I(year - 1900)", list(family = "poisson"),
  sqrt(theirs[2, 2]), sqrt(derived[2, 2])
)

# ---------------------------------------------------------------- theta held

nb <- function(formula) glm.nb(formula, quine_, control = fine)
full <- nb(Days ~ Eth + Sex + Age + Lrn)
write_disagreement(
  "anova_theta", "car", "Anova(type = 2) of a glm.nb, chi-squared of Age on 3",
  "Theta stays at the estimate of the full model when Age is left out; lmtest's lrtest of two fits gives the second number",
  "dataset:quine", "Days ~ Eth + Sex + Age + Lrn", list(family = "negbin"),
  Anova(full, type = 2)["Age", "LR Chisq"],
  2 * as.numeric(logLik(full) - logLik(nb(Days ~ Eth + Sex + Lrn)))
)
top <- as.numeric(logLik(full))
male <- model.matrix(full)[, "SexM"]
below <- function(value) {
  quine_$held <- value * male
  2 * (top - as.numeric(logLik(glm.nb(Days ~ Eth + Age + Lrn + offset(held), quine_, control = fine))))
}
end <- uniroot(function(value) below(value) - qchisq(0.95, 1), c(-0.5, 0), tol = 1e-11)$root
write_disagreement(
  "profile_theta", "MASS", "lower end of confint of a glm.nb, Sex[T.M]",
  "Theta is held, and the profile interpolated; the second number is a root of the likelihood ratio with theta estimated anew",
  "dataset:quine", "Days ~ Eth + Sex + Age + Lrn", list(family = "negbin"),
  suppressMessages(confint(full))["SexM", 1], end
)

# ---------------------------------------------------------------- the zero part of a hurdle

fit <- hurdle(art ~ ment, data = chemists)
total <- function(b) {
  mu <- exp(b[1] + b[2] * chemists$ment)
  p <- plogis(b[3] + b[4] * chemists$ment)
  own <- dpois(chemists$art, mu, log = TRUE)
  sum(ifelse(chemists$art == 0, log1p(-p), log(p) + own - log1p(-exp(-mu))))
}
b <- unname(coef(fit))
for (round in 1:3) b <- b - solve(hessian(total, b), grad(total, b))
fit$coefficients$count[] <- b[1:2]
fit$coefficients$zero[] <- b[3:4]
fit$vcov[] <- solve(-hessian(total, b))
ratio <- function(b) {
  at <- c(1, mean(chemists$ment))
  plogis(sum(at * b[3:4])) / (1 - exp(-exp(sum(at * b[1:2]))))
}
found <- as.data.frame(emmeans(fit, ~ment, mode = "zero"))
slope <- grad(ratio, unname(coef(fit)))
stopifnot(all.equal(found$emmean, ratio(unname(coef(fit))), tolerance = 1e-8))
write_disagreement(
  "hurdle_zero", "emmeans", "standard error of P(y > 0) / P(count > 0) of a hurdle, mode = \"zero\"",
  "The derivatives lack the slopes of both parts' means and the square of P(count > 0); the delta method gives the second number",
  "dataset:biochemists", "art ~ ment", list(family = "poisson", hurdle = "ment"),
  found$SE, sqrt(drop(slope %*% vcov(fit) %*% slope)), at = mean(chemists$ment)
)

# ---------------------------------------------------------------- Vuong's statistic

wide <- glm.nb(art ~ kid5 + ment, chemists, control = fine)
zip <- zeroinfl(art ~ kid5 + ment, data = chemists, control = zeroinfl.control(reltol = 1e-15, maxit = 10000))
mu <- predict(zip, type = "count")
zero <- predict(zip, type = "zero")
gap <- dnbinom(chemists$art, size = wide$theta, mu = fitted(wide), log = TRUE) -
  log(ifelse(chemists$art == 0, zero, 0) + (1 - zero) * dpois(chemists$art, mu))
n <- length(gap)
corrected <- function(k) (sum(gap) - (k - 6)) / (sqrt(n) * sd(gap))
text <- trimws(capture.output(vuong(wide, zip, digits = 15)))
row <- grep("^AIC", text, value = TRUE)
theirs <- as.numeric(regmatches(row, regexpr("-?[0-9]+\\.[0-9]+", row)))
stopifnot(abs(corrected(3) - theirs) < 1e-6)
write_disagreement(
  "vuong_theta", "pscl", "vuong of a glm.nb against a zero-inflated Poisson model, corrected as by AIC",
  "Theta is not counted among the parameters: 3 for 4",
  "dataset:biochemists", "art ~ kid5 + ment", list(family = "negbin"),
  theirs, corrected(4)
)
