# Writes one JSON file for each golden case whose numbers R gives. README.md has the schema.
# Run from the repository root, after make_data.R:  Rscript tests/golden/make_golden.R
# The crabs are not in this repository: their cases are made when GLMCOUNT_HARD_CASES names a
# folder that holds glm2_crabs.csv, and are left as they are otherwise.

suppressMessages({
  library(MASS)
  library(sandwich)
})
source(file.path("tests", "golden", "tools.R"))
most_rows <- 50  # row-wise values are written in full up to 200 rows, else for the first 50

# ---------------------------------------------------------------- fits

# Derivatives of log(mu) by the linear predictor.
log_mean <- function(link, eta) {
  switch(link,
    log = list(mu = exp(eta), first = 1, second = 0),
    identity = list(mu = eta, first = 1 / eta, second = -1 / eta^2),
    sqrt = list(mu = eta^2, first = 2 / eta, second = -2 / eta^2)
  )
}

# First derivatives and observed rate of one row's log-likelihood by the linear predictor.
row_rates <- function(y, eta, link, theta) {
  by_link <- log_mean(link, eta)
  mu <- by_link$mu
  slope <- if (is.null(theta)) y - mu else (y - mu) * theta / (theta + mu)
  bend <- if (is.null(theta)) -mu else -mu * theta * (theta + y) / (theta + mu)^2
  list(
    score = slope * by_link$first,
    observed = -(bend * by_link$first^2 + slope * by_link$second)
  )
}

# glm to the last digit. R's Fisher scoring stops by the deviance, which leaves the coefficients
# of a link that is not canonical with half the digits, and R keeps the weights of the last but
# one iteration. So: R's fit, then Newton's steps, then one R iteration from the maximum.
tight_glm <- function(formula, frame, family, weights = rep(1, nrow(frame)), start = NULL,
                      link = "log", theta = NULL) {
  environment(formula) <- environment()
  control <- glm.control(epsilon = 1e-14, maxit = 100)
  fit <- suppressWarnings(
    glm(formula, family, frame, weights = weights, start = start, control = control)
  )
  design <- design_of(fit, link)
  beta <- coef(fit)
  eta_of <- function(beta) as.vector(design$X %*% beta) + design$offset
  for (round in 1:20) {
    rates <- row_rates(design$y, eta_of(beta), link, theta)
    hessian <- crossprod(design$X, design$X * (weights * rates$observed))
    step <- solve(hessian, crossprod(design$X, weights * rates$score), tol = 1e-30)
    beta <- beta + as.vector(step)
    if (max(abs(design$X %*% step) / pmax(1, abs(eta_of(beta)))) < 1e-14) break
  }
  stopifnot(max(abs(design$X %*% step) / pmax(1, abs(eta_of(beta)))) < 1e-11)
  eta <- eta_of(beta)
  once <- glm.control(epsilon = 1e-14, maxit = 1)
  suppressWarnings(glm(formula, family, frame, weights = weights, etastart = eta, control = once))
}

# Score and observed and expected information of NB2 by (coefficients, theta).
nb_derivatives <- function(beta, theta, design) {
  link <- log_mean(design$link, as.vector(design$X %*% beta) + design$offset)
  mu <- link$mu
  y <- design$y
  w <- design$w
  slope <- (y - mu) * theta / (theta + mu)
  bend <- -mu * theta * (theta + y) / (theta + mu)^2
  by_theta <- digamma(y + theta) - digamma(theta) + log(theta) + 1 - log(theta + mu) -
    (y + theta) / (theta + mu)
  bend_theta <- trigamma(y + theta) - trigamma(theta) + 1 / theta - 2 / (theta + mu) +
    (y + theta) / (theta + mu)^2
  cross <- (y - mu) * mu / (theta + mu)^2 * link$first
  X <- design$X
  scores <- cbind(X * (slope * link$first), by_theta)
  observed <- -rbind(
    cbind(crossprod(X, X * (w * (bend * link$first^2 + slope * link$second))), crossprod(X, w * cross)),
    c(crossprod(X, w * cross), sum(w * bend_theta))
  )
  expected <- observed
  k <- ncol(X)
  expected[seq_len(k), seq_len(k)] <- crossprod(X, X * (w * mu * theta / (theta + mu) * link$first^2))
  expected[seq_len(k), k + 1] <- expected[k + 1, seq_len(k)] <- 0
  list(scores = scores, score = colSums(scores * w), observed = observed, expected = expected)
}

design_of <- function(fit, link) {
  offset <- if (is.null(fit$offset)) 0 else fit$offset
  list(
    X = model.matrix(fit), y = fit$y, offset = offset,
    w = fit$prior.weights, link = link
  )
}

# The joint maximum over coefficients and log theta, by Newton's steps from a theta.ml start.
tight_nb <- function(formula, frame, link = "log", weights = rep(1, nrow(frame)), start = NULL) {
  fit <- tight_glm(formula, frame, poisson(link), weights, start, link)
  design <- design_of(fit, link)
  theta <- as.numeric(suppressWarnings(theta.ml(design$y, fitted(fit), sum(weights), weights, limit = 100)))
  for (round in 1:5) {
    fit <- tight_glm(formula, frame, negative.binomial(theta, link), weights, coef(fit), link, theta)
    theta <- as.numeric(theta.ml(design$y, fitted(fit), sum(weights), weights, limit = 100))
  }
  beta <- coef(fit)
  k <- length(beta)
  for (round in 1:30) {
    now <- nb_derivatives(beta, theta, design)
    scale <- c(rep(1, k), theta)
    gradient <- now$score * scale
    hessian <- now$observed * outer(scale, scale)
    hessian[k + 1, k + 1] <- hessian[k + 1, k + 1] - gradient[k + 1]
    step <- solve(hessian, gradient)
    beta <- beta + step[seq_len(k)]
    theta <- theta * exp(step[k + 1])
    if (max(abs(step)) < 1e-14) break
  }
  stopifnot(max(abs(step)) < 1e-10)
  fit <- tight_glm(formula, frame, negative.binomial(theta, link), weights, beta, link, theta)
  list(fit = fit, theta = theta, beta = beta, derivatives = nb_derivatives(beta, theta, design))
}

# Observed information of a Poisson or fixed-theta model, for links other than the canonical.
observed_information <- function(fit, link, theta) {
  design <- design_of(fit, link)
  rates <- row_rates(design$y, fit$linear.predictors, link, theta)
  crossprod(design$X, design$X * (design$w * rates$observed))
}

log_likelihood <- function(y, mu, w, theta) {
  if (is.null(theta)) sum(w * dpois(y, mu, log = TRUE))
  else sum(w * dnbinom(y, size = theta, mu = mu, log = TRUE))
}

# ---------------------------------------------------------------- one case

null_formula <- function(formula, frame) {
  parts <- attr(terms(formula, data = frame), "variables")
  offsets <- attr(terms(formula, data = frame), "offset")
  kept <- vapply(offsets, function(place) deparse(parts[[place + 1]]), "")
  reformulate(c("1", kept), response = formula[[2]])
}

standard_errors <- function(matrix, names) as.list(setNames(sqrt(diag(matrix)), names))

rows_of <- function(fit, dispersion, n) {
  shown <- if (n <= 200) seq_len(n) else seq_len(most_rows)
  influence <- influence(fit)
  hat <- influence$hat
  pearson <- residuals(fit, "pearson")
  deviance <- residuals(fit, "deviance")
  out <- list(
    fittedvalues = fitted(fit), resid_response = residuals(fit, "response"),
    resid_pearson = pearson, resid_deviance = deviance,
    resid_working = residuals(fit, "working"), hat = hat,
    cooks = (pearson / (1 - hat))^2 * hat / (dispersion * fit$rank),
    rstandard_deviance = deviance / sqrt(dispersion * (1 - hat)),
    rstandard_pearson = pearson / sqrt(dispersion * (1 - hat))
  )
  # With other families R divides by a deviance of its own for each row left out.
  if (fit$family$family == "poisson") {
    out$rstudent <- sign(deviance) * sqrt(deviance^2 + hat * pearson^2 / (1 - hat))
  }
  sure <- shown[hat[shown] < 1 - 1e-9]
  if (length(sure) < length(shown)) {
    for (name in intersect(names(out), c("cooks", "rstandard_deviance", "rstandard_pearson", "rstudent")))
      out[[name]][setdiff(shown, sure)] <- NA
  }
  lapply(out, function(values) unname(values)[shown])
}

# predict.glm for new rows; the joint observed covariance of NB2 gives SEs of its own.
predictions_of <- function(fit, newdata, dispersion, observed) {
  rows <- as.data.frame(newdata)
  for (column in names(rows)) if (column %in% names(fit$xlevels))
    rows[[column]] <- factor(rows[[column]], fit$xlevels[[column]])
  linear <- predict(fit, rows, type = "link", se.fit = TRUE, dispersion = dispersion)
  mean <- predict(fit, rows, type = "response", se.fit = TRUE, dispersion = dispersion)
  out <- list(
    newdata = newdata, mean = unname(mean$fit), mean_se = unname(mean$se.fit),
    linear = unname(linear$fit), linear_se = unname(linear$se.fit)
  )
  if (!is.null(observed)) {
    X <- model.matrix(delete.response(terms(fit)), rows, xlev = fit$xlevels)
    out$linear_se_expected <- out$linear_se
    out$mean_se_expected <- out$mean_se
    out$linear_se <- sqrt(unname(rowSums((X %*% observed) * X)))
    out$mean_se <- out$linear_se * unname(abs(fit$family$mu.eta(linear$fit)))
  }
  out
}

wald_of <- function(hypotheses, beta, covariance, names) {
  lapply(hypotheses, function(tested) {
    place <- match(tested, names)
    statistic <- drop(beta[place] %*% solve(covariance[place, place], beta[place]))
    list(
      hypothesis = paste(paste(tested, "= 0"), collapse = ", "), statistic = statistic,
      df = length(place), pvalue = pchisq(statistic, length(place), lower.tail = FALSE)
    )
  })
}

# Everything R gives for one fit. `theta`: NULL for Poisson, else fixed or estimated (`joint`).
values_of <- function(fit, frame, names, link, quasi, theta, joint, weights_type, robust,
                      newdata, wald, row_wise) {
  beta <- coef(fit)
  w <- fit$prior.weights
  frequency <- identical(weights_type, "frequency")
  nobs <- if (frequency) sum(w) else sum(w > 0)
  df_resid <- nobs - length(beta)
  pearson <- sum(residuals(fit, "pearson")^2)
  scale <- if (quasi) pearson / df_resid else 1
  expected <- summary(fit, dispersion = scale)$cov.scaled
  observed <- NULL
  if (is.null(joint) && (link != "log" || !is.null(theta)))
    observed <- solve(observed_information(fit, link, theta)) * scale
  out <- list(params = as.list(setNames(beta, names)), bse = standard_errors(expected, names))
  covariance <- expected
  if (!is.null(observed)) {
    out$bse_expected <- out$bse
    out$bse_observed <- standard_errors(observed, names)
  }
  joint_beta <- NULL
  if (!is.null(joint)) {
    with_alpha <- c(names, "alpha")
    delta <- c(rep(1, length(beta)), -1 / theta^2)
    full <- solve(joint$derivatives$observed) * outer(delta, delta)
    block <- solve(joint$derivatives$expected) * outer(delta, delta)
    out$params$alpha <- 1 / theta
    out$bse <- standard_errors(full, with_alpha)
    out$bse_observed <- out$bse
    out$bse_expected <- standard_errors(block, with_alpha)
    out$alpha <- 1 / theta
    out$theta <- theta
    out$theta_bse <- out$bse$alpha * theta^2
    out$theta_bse_expected <- out$bse_expected$alpha * theta^2
    joint_beta <- full[seq_along(beta), seq_along(beta)]
    covariance <- joint_beta
    scores <- joint$derivatives$scores
    meat <- crossprod(scores, scores * if (frequency) w else w^2)
    bread <- solve(joint$derivatives$observed)
    sandwiched <- bread %*% meat %*% bread * outer(delta, delta)
    out$bse_robust <- list(
      HC0 = standard_errors(sandwiched, with_alpha),
      HC1 = standard_errors(sandwiched * nobs / df_resid, with_alpha)
    )
  } else if (!is.null(theta)) {
    out$alpha <- 1 / theta
    out$theta <- theta
  }
  quantile <- if (quasi) qt(0.975, df_resid) else qnorm(0.975)
  half <- quantile * sqrt(diag(covariance))
  out$conf_int <- setNames(Map(c, beta - half, beta + half), names)
  if (robust && !frequency) {
    types <- c(HC0 = "HC0", HC1 = "HC1", HC2 = "HC2", HC3 = "HC3")
    found <- lapply(types, function(type) standard_errors(vcovHC(fit, type = type), names))
    out[[if (is.null(joint)) "bse_robust" else "bse_robust_expected"]] <- found
  }
  out$nobs <- nobs
  out$df_model <- length(beta) - 1
  out$df_resid <- df_resid
  out$deviance <- fit$deviance
  out$pearson_chi2 <- pearson
  out$scale <- scale
  null <- tight_glm(null_formula(formula(fit), frame), frame, fit$family, w, NULL, link, theta)
  out$null_deviance <- null$deviance
  if (!quasi) {
    k <- length(beta) + !is.null(joint)
    out$llf <- log_likelihood(fit$y, fitted(fit), w, theta)
    out$llnull <- if (is.null(joint)) log_likelihood(fit$y, fitted(null), w, theta) else {
      alone <- tight_nb(null_formula(formula(fit), frame), frame, link, w)
      log_likelihood(fit$y, fitted(alone$fit), w, alone$theta)
    }
    out$prsquared <- 1 - out$llf / out$llnull
    out$aic <- 2 * k - 2 * out$llf
    out$aicc <- out$aic + 2 * k * (k + 1) / (nobs - k - 1)
    out$bic <- log(nobs) * k - 2 * out$llf
  }
  if (row_wise && !frequency) out$rows <- rows_of(fit, scale, nrow(frame))
  if (!is.null(newdata)) out$predictions <- predictions_of(fit, newdata, scale, joint_beta)
  if (!is.null(wald)) out$wald <- wald_of(wald, beta, covariance, names)
  out
}

# `model`: poisson, quasipoisson, negbin (theta estimated) or a number (theta fixed).
golden <- function(case, source, data, r, formula, model = "poisson", link = "log", call = list(),
                   levels = list(), factors = list(), full = character(), plain = list(),
                   weights = NULL, robust = TRUE, newdata = NULL, wald = NULL, row_wise = TRUE,
                   change = NULL, start = NULL, published = NULL, loose = NULL) {
  if (startsWith(data, "local:") && Sys.getenv("GLMCOUNT_HARD_CASES") == "") return(invisible())
  frame <- read_data(data, levels)
  n_weights <- if (is.null(weights)) rep(1, nrow(frame)) else weights(frame)
  joint <- NULL
  theta <- NULL
  if (identical(model, "negbin")) {
    joint <- tight_nb(r, frame, link, n_weights, start)
    theta <- joint$theta
    fit <- joint$fit
  } else if (is.numeric(model)) {
    theta <- model
    fit <- tight_glm(r, frame, negative.binomial(theta, link), n_weights, start, link, theta)
  } else {
    family <- if (model == "poisson") poisson(link) else quasipoisson(link)
    fit <- tight_glm(r, frame, family, n_weights, start, link)
  }
  names <- vapply(names(coef(fit)), patsy_name, "", frame, factors, full, plain)
  values <- values_of(
    fit, frame, unname(names), link, identical(model, "quasipoisson"), theta, joint,
    call$weights_type, robust, newdata, wald, row_wise
  )
  if (!is.null(change)) values <- change(values, fit, frame, names)
  family <- if (is.numeric(model)) {
    if (model == 1) "geometric" else list(name = "negbin", alpha = 1 / model)
  } else model
  write_case(case, source, data, formula, c(list(family = family), call), values, published, loose)
}

source(file.path(folder, "cases.R"))
