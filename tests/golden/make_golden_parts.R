# Writes parts/<case>.json: zero-inflated, hurdle, truncated and censored models, NB1, generalized
# and Conway-Maxwell Poisson, regressions of alpha. README.md has the schema.
# Run from the repository root:  Rscript tests/golden/make_golden_parts.R [case ...]
#
# Every model is a list of equations and a row's log-likelihood as an R expression in their linear
# predictors; R's deriv() gives its first and second derivatives. Newton's steps go to the joint
# maximum from where pscl or glmmTMB stopped, and those packages judge the likelihood there.

suppressMessages({
  library(MASS)
  library(pscl)
  library(glmmTMB)
  library(numDeriv)
})
source(file.path("tests", "golden", "tools.R"))
place <- file.path(folder, "parts")
dir.create(place, showWarnings = FALSE)
highest <- 8  # P(Y = k) is written for k = 0 .. highest
wanted <- commandArgs(trailingOnly = TRUE)

# ---------------------------------------------------------------- likelihoods

# Logarithm of P(Y = y). `eta` is the log of the mean, `tau` log alpha, `alpha` alpha itself,
# which the generalized Poisson needs, as its alpha may be below 0.
densities <- list(
  poisson = quote(y * eta - exp(eta) - lgamma(y + 1)),
  geometric = quote(y * eta - (y + 1) * log1p(exp(eta))),
  negbin = quote(
    lgamma(y + exp(-tau)) - lgamma(exp(-tau)) - lgamma(y + 1) + y * (eta + tau) -
      (y + exp(-tau)) * log1p(exp(eta + tau))
  ),
  negbin1 = quote(
    lgamma(y + exp(eta - tau)) - lgamma(exp(eta - tau)) - lgamma(y + 1) + y * tau -
      (y + exp(eta - tau)) * log1p(exp(tau))
  ),
  genpoisson = quote(
    eta + (y - 1) * log(exp(eta) + alpha * y) - y * log1p(alpha) - lgamma(y + 1) -
      (exp(eta) + alpha * y) / (1 + alpha)
  ),
  genpoisson2 = quote(
    y * eta + (y - 1) * log1p(alpha * y) - y * log1p(alpha * exp(eta)) - lgamma(y + 1) -
      exp(eta) * (1 + alpha * y) / (1 + alpha * exp(eta))
  )
)

# Logarithm of P(Y = 0), without the terms that cancel.
no_count <- list(
  poisson = quote(-exp(eta)),
  geometric = quote(-log1p(exp(eta))),
  negbin = quote(-exp(-tau) * log1p(exp(eta + tau))),
  negbin1 = quote(-exp(eta - tau) * log1p(exp(tau))),
  genpoisson = quote(-exp(eta) / (1 + alpha)),
  genpoisson2 = quote(-exp(eta) / (1 + alpha * exp(eta)))
)
ancillary <- c(negbin = "tau", negbin1 = "tau", genpoisson = "alpha", genpoisson2 = "alpha")

# Logarithms of p and 1 - p: p is P(structural zero) of an inflation, P(y > 0) of a hurdle.
# The last three are pscl's count parts, right-censored at 1.
inside <- list(
  logit = quote(-log1p(exp(-zeta))),
  probit = quote(log(pnorm(zeta))),
  cloglog = quote(log(-expm1(-exp(zeta)))),
  poisson = quote(log(-expm1(-exp(zeta)))),
  geometric = quote(-log1p(exp(-zeta))),
  negbin = quote(log(-expm1(-exp(-kappa) * log1p(exp(zeta + kappa)))))
)
outside <- list(
  logit = quote(-log1p(exp(zeta))),
  probit = quote(log(pnorm(-zeta))),
  cloglog = quote(-exp(zeta)),
  poisson = quote(-exp(zeta)),
  geometric = quote(-log1p(exp(zeta))),
  negbin = quote(-exp(-kappa) * log1p(exp(zeta + kappa)))
)

at_count <- function(density, k) eval(substitute(substitute(d, list(y = k)), list(d = density)))

# log P(Y = k) for a number k.
density_at <- function(family, k) if (k == 0) no_count[[family]] else at_count(densities[[family]], k)

# P(Y < limit), times something of each term where wanted.
below <- function(family, limit, each = function(k) 1) {
  terms <- lapply(seq_len(limit) - 1, function(k) bquote(.(each(k)) * exp(.(density_at(family, k)))))
  Reduce(function(a, b) bquote(.(a) + .(b)), terms)
}

# log P(Y >= limit).
at_least <- function(family, limit) {
  if (limit == 1) bquote(log(-expm1(.(no_count[[family]])))) else bquote(log1p(-(.(below(family, limit)))))
}

# The log-likelihood as a list of rows with the expression that holds for them.
pieces_of <- function(call, y, limits) {
  family <- call$family
  density <- densities[[family]]
  link <- if (is.null(call$zero)) "logit" else call$zero
  if (!is.null(call$inflate)) {
    zeros <- bquote(log(exp(.(inside[[link]])) + exp(.(outside[[link]]) + .(no_count[[family]]))))
    return(list(list(y == 0, zeros), list(y > 0, bquote(.(outside[[link]]) + .(density)))))
  }
  if (!is.null(call$hurdle)) {
    positive <- bquote(.(inside[[link]]) + .(density) - .(at_least(family, 1)))
    return(list(list(y == 0, outside[[link]]), list(y > 0, positive)))
  }
  if (!is.null(call$truncated))
    return(list(list(y > call$truncated, bquote(.(density) - .(at_least(family, call$truncated + 1))))))
  if (!is.null(call$censored)) {
    seen <- list(list(y < limits, density))
    at_limit <- lapply(sort(unique(limits)), function(limit) {
      list(y >= limits & limits == limit, at_least(family, limit))
    })
    return(c(seen, Filter(function(piece) any(piece[[1]]), at_limit)))
  }
  list(list(rep(TRUE, length(y)), density))
}

# What predict gives, as expressions. The mean of a censored model is that of the whole count.
predicted_by <- function(call) {
  family <- call$family
  link <- if (is.null(call$zero)) "logit" else call$zero
  count <- function(k) bquote(exp(.(density_at(family, k))))
  positive <- bquote(-expm1(.(no_count[[family]])))
  p <- bquote(exp(.(inside[[link]])))
  rest <- bquote(exp(.(outside[[link]])))
  out <- list(mean_main = quote(exp(eta)))
  counts <- 0:highest
  if (!is.null(call$inflate)) {
    out$zero <- p
    out$mean <- bquote(.(rest) * exp(eta))
    out$prob <- lapply(counts, function(k) bquote(.(rest) * .(count(k))))
    out$prob[[1]] <- bquote(.(p) + .(out$prob[[1]]))
    out$mean_nonzero <- bquote(exp(eta) / .(positive))
  } else if (!is.null(call$hurdle)) {
    out$prob_positive <- p
    out$mean <- bquote(.(p) * exp(eta) / .(positive))
    out$prob <- lapply(counts, function(k) bquote(.(p) * .(count(k)) / .(positive)))
    out$prob[[1]] <- rest
    out$mean_nonzero <- bquote(exp(eta) / .(positive))
  } else if (!is.null(call$truncated)) {
    limit <- call$truncated + 1
    left <- bquote(exp(.(at_least(family, limit))))
    out$mean <- bquote((exp(eta) - (.(below(family, limit, identity)))) / .(left))
    out$prob <- lapply(counts, function(k) if (k < limit) 0 else bquote(.(count(k)) / .(left)))
  } else {
    out$mean <- out$mean_main
    out$prob <- lapply(counts, count)
  }
  out$prob_zero <- out$prob[[1]]
  out
}

# ---------------------------------------------------------------- derivatives over rows

# A model: `equations`, each with its symbol, design X, offset and names, and `rows`, a function
# of the linear predictors (a named list) that gives value, gradient and hessian by row.
rows_by_expression <- function(pieces, symbols, y) {
  derived <- lapply(pieces, function(piece) {
    list(piece[[1]], deriv(piece[[2]], symbols, c(symbols, "y"), hessian = TRUE))
  })
  n <- length(y)
  e <- length(symbols)
  function(etas) {
    out <- list(value = numeric(n), gradient = matrix(0, n, e), hessian = array(0, c(n, e, e)))
    for (piece in derived) {
      at <- piece[[1]]
      if (!any(at)) next
      found <- do.call(piece[[2]], c(lapply(etas, function(eta) eta[at]), list(y = y[at])))
      out$value[at] <- found
      out$gradient[at, ] <- attr(found, "gradient")
      out$hessian[at, , ] <- attr(found, "hessian")
    }
    out
  }
}

# Conway-Maxwell Poisson by its mean: cumulants of Y and A = log Y! of each distinct row, from the
# sum over all counts that are more than 1e-25 likely.
conway <- function(eta, log_nu, counts = NULL) {
  mu <- exp(eta)
  nu <- exp(log_nu)
  top <- ceiling(mu + 30 * sqrt(pmax(mu, 1) / min(1, nu)) + 150 / min(1, nu))
  support <- 0:top
  size <- lgamma(support + 1)
  weights_at <- function(log_rate) {
    logs <- support * log_rate - nu * size
    exp(logs - max(logs))
  }
  log_rate <- nu * log(mu + (nu - 1) / (2 * nu))
  if (!is.finite(log_rate)) log_rate <- nu * eta
  for (round in 1:200) {
    weights <- weights_at(log_rate)
    share <- weights / sum(weights)
    mean <- sum(share * support)
    step <- (mean - mu) / sum(share * (support - mean)^2)
    log_rate <- log_rate - max(-2, min(2, step))
    if (abs(step) < 1e-15 * max(1, abs(log_rate))) break
  }
  stopifnot(abs(mean - mu) < 1e-12 * mu, share[length(share)] < 1e-25)
  logs <- support * log_rate - nu * size
  peak <- max(logs)
  share <- exp(logs - peak)
  log_total <- peak + log(sum(share))
  share <- share / sum(share)
  if (!is.null(counts)) return(exp(counts * log_rate - nu * lgamma(counts + 1) - log_total))
  y <- support - mu
  a_mean <- sum(share * size)
  a <- size - a_mean
  list(
    log_rate = log_rate, log_total = log_total, a_mean = a_mean, v = sum(share * y^2),
    c = sum(share * y * a), a2 = sum(share * a^2), y3 = sum(share * y^3),
    y2a = sum(share * y^2 * a), ya2 = sum(share * y * a^2)
  )
}

rows_by_conway <- function(y) {
  function(etas) {
    log_nu <- etas[[2]][1]
    nu <- exp(log_nu)
    distinct <- unique(etas[[1]])
    at <- match(etas[[1]], distinct)
    found <- lapply(distinct, conway, log_nu)
    k <- lapply(setNames(names(found[[1]]), names(found[[1]])), function(name) {
      vapply(found, function(one) one[[name]], 0)[at]
    })
    mu <- exp(etas[[1]])
    size <- lgamma(y + 1)
    off <- y - mu
    # Along nu at a fixed mean the log rate moves by c / v.
    v_by_nu <- k$y3 * k$c / k$v - k$y2a
    c_by_nu <- k$y2a * k$c / k$v - k$ya2
    by_nu <- off * k$c / k$v - (size - k$a_mean)
    by_nu2 <- off * (c_by_nu / k$v - k$c * v_by_nu / k$v^2) + k$c^2 / k$v - k$a2
    hessian <- array(0, c(length(y), 2, 2))
    hessian[, 1, 1] <- mu * (off / k$v - mu / k$v - off * mu * k$y3 / k$v^3)
    hessian[, 1, 2] <- hessian[, 2, 1] <- -nu * off * mu * v_by_nu / k$v^2
    hessian[, 2, 2] <- nu^2 * by_nu2 + nu * by_nu
    list(
      value = y * k$log_rate - nu * size - k$log_total,
      gradient = cbind(off * mu / k$v, nu * by_nu), hessian = hessian
    )
  }
}

# ---------------------------------------------------------------- the joint maximum

linear_predictors <- function(model, b) {
  lapply(model$equations, function(equation) {
    as.vector(equation$X %*% b[equation$at]) + equation$offset
  })
}

log_likelihood <- function(model, b) sum(model$rows(linear_predictors(model, b))$value)

derivatives <- function(model, b) {
  rows <- model$rows(linear_predictors(model, b))
  score <- numeric(length(b))
  hessian <- matrix(0, length(b), length(b))
  for (i in seq_along(model$equations)) {
    one <- model$equations[[i]]
    score[one$at] <- crossprod(one$X, rows$gradient[, i])
    for (j in seq_along(model$equations)) {
      two <- model$equations[[j]]
      hessian[one$at, two$at] <- crossprod(one$X, two$X * rows$hessian[, i, j])
    }
  }
  list(value = sum(rows$value), score = score, hessian = hessian)
}

# Inverse of the information, scaled to a diagonal of ones first.
inverse <- function(information) {
  scale <- 1 / sqrt(diag(information))
  solve(information * outer(scale, scale), tol = 1e-30) * outer(scale, scale)
}

# BFGS to come near where no other program gives a start, then Newton's steps, halved where they
# go down, until the decrement no longer gets smaller. The last one is below 1e-9 of an error.
maximize <- function(model, start, near) {
  b <- start
  if (!near) {
    b <- suppressWarnings(optim(
      b, function(b) -log_likelihood(model, b), function(b) -derivatives(model, b)$score,
      method = "BFGS", control = list(maxit = 2000, reltol = 1e-12)
    ))$par
  }
  last <- Inf
  for (round in 1:60) {
    now <- derivatives(model, b)
    information <- -now$hessian
    stopifnot(min(eigen(information / outer(sqrt(diag(information)), sqrt(diag(information))))$values) > 0)
    step <- as.vector(inverse(information) %*% now$score)
    size <- sqrt(max(0, sum(step * now$score)))
    if (size < 1e-6 && size >= last / 2) break
    last <- size
    while (log_likelihood(model, b + step) < now$value - 1e-9 * abs(now$value)) step <- step / 2
    b <- b + step
  }
  stopifnot(size < 1e-9)
  list(b = b, value = now$value, score = now$score, information = -now$hessian, decrement = size)
}

# ---------------------------------------------------------------- one model

equation_of <- function(symbol, prefix, formula, frame, naming) {
  terms <- terms(formula)
  rows <- model.frame(terms, frame, na.action = na.fail)
  X <- model.matrix(delete.response(terms), rows)
  offset <- model.offset(rows)
  list(
    symbol = symbol, prefix = prefix, terms = delete.response(terms), X = X,
    offset = if (is.null(offset)) rep(0, nrow(frame)) else offset,
    names = paste0(prefix, vapply(colnames(X), naming, "")),
    levels = .getXlevels(terms, rows)
  )
}

# One number for all rows: `log` tells that the parameter is its exponential.
scalar <- function(symbol, name, frame, log = TRUE) {
  list(
    symbol = symbol, X = matrix(1, nrow(frame), 1), offset = rep(0, nrow(frame)), names = name,
    log = log
  )
}

# `r`: R formulas `mean`, and where they exist `zero` and `dispersion` (one-sided).
model_of <- function(r, call, frame, naming, limits) {
  y <- model.response(model.frame(r$mean, frame))
  equations <- list(equation_of("eta", "", r$mean, frame, naming))
  if (!is.null(r$zero)) {
    prefix <- if (is.null(call$inflate)) "hurdle_" else "inflate_"
    equations <- c(equations, list(equation_of("zeta", prefix, r$zero, frame, naming)))
  }
  if (identical(call$zero, "negbin"))
    equations <- c(equations, list(scalar("kappa", "hurdle_alpha", frame)))
  symbol <- ancillary[call$family]
  if (call$family == "compoisson") equations <- c(equations, list(scalar("log_nu", "nu", frame)))
  else if (!is.null(r$dispersion))
    equations <- c(equations, list(equation_of("tau", "dispersion_", r$dispersion, frame, naming)))
  else if (!is.na(symbol))
    equations <- c(equations, list(scalar(unname(symbol), "alpha", frame, symbol == "tau")))
  first <- 0
  for (i in seq_along(equations)) {
    equations[[i]]$at <- first + seq_len(ncol(equations[[i]]$X))
    first <- first + ncol(equations[[i]]$X)
  }
  names(equations) <- vapply(equations, function(equation) equation$symbol, "")
  rows <- if (call$family == "compoisson") rows_by_conway(y)
  else rows_by_expression(pieces_of(call, y, limits), names(equations), y)
  list(equations = equations, rows = rows, y = y)
}

# Parameters as glmcount has them, and their derivatives by the model's own.
natural <- function(model, b) {
  logs <- unlist(lapply(model$equations, function(equation) if (isTRUE(equation$log)) equation$at))
  slope <- rep(1, length(b))
  b[logs] <- slope[logs] <- exp(b[logs])
  list(value = b, slope = slope)
}

parameter_names <- function(model) unlist(lapply(model$equations, function(e) e$names), use.names = FALSE)

# ---------------------------------------------------------------- what other programs say

# pscl's fit, which is the start; at the maximum its predictions must be ours.
by_pscl <- function(r, call, frame) {
  parts <- r$mean
  parts[[3]] <- call("|", r$mean[[3]], r$zero[[2]])
  link <- if (is.null(call$zero)) "logit" else call$zero
  environment(parts) <- environment()
  if (!is.null(call$inflate)) {
    control <- zeroinfl.control(reltol = 1e-15, maxit = 100000)
    return(zeroinfl(parts, frame, dist = call$family, link = link, control = control))
  }
  control <- hurdle.control(reltol = 1e-15, maxit = 100000)
  counted <- link %in% c("poisson", "negbin", "geometric")
  hurdle(
    parts, frame, dist = call$family, zero.dist = if (counted) link else "binomial",
    link = if (counted) "logit" else link, control = control
  )
}

start_of_pscl <- function(fit, model) {
  theta <- fit$theta
  if (!is.null(fit$theta) && inherits(fit, "zeroinfl")) theta <- c(count = unname(fit$theta))
  start <- c(fit$coefficients$count, fit$coefficients$zero)
  if ("kappa" %in% names(model$equations)) start <- c(start, -log(theta[["zero"]]))
  if ("tau" %in% names(model$equations)) start <- c(start, -log(theta[["count"]]))
  unname(start)
}

# pscl's own fit with the coefficients of the maximum in it.
at_the_maximum <- function(fit, model, b) {
  part <- function(symbol) b[model$equations[[symbol]]$at]
  fit$coefficients$count[] <- part("eta")
  fit$coefficients$zero[] <- part("zeta")
  if (inherits(fit, "zeroinfl")) {
    if ("tau" %in% names(model$equations)) fit$theta <- exp(-part("tau"))
  } else {
    if ("tau" %in% names(model$equations)) fit$theta[["count"]] <- exp(-part("tau"))
    if ("kappa" %in% names(model$equations)) fit$theta[["zero"]] <- exp(-part("kappa"))
  }
  fit
}

glmmtmb_families <- list(
  poisson = poisson(), negbin = nbinom2(), negbin1 = nbinom1(), genpoisson = genpois(),
  compoisson = compois()
)
truncated_families <- list(
  poisson = truncated_poisson(), negbin = truncated_nbinom2(), negbin1 = truncated_nbinom1(),
  genpoisson = truncated_genpois(), compoisson = truncated_compois()
)

# Its zero part is that of P(y = 0), also in a hurdle: an offset there would need the other sign.
has_glmmtmb <- function(call, model) {
  turned <- !is.null(call$hurdle) && any(model$equations$zeta$offset != 0)
  call$family %in% names(glmmtmb_families) && is.null(call$censored) && !turned &&
    (is.null(call$zero) || call$zero == "logit") && (is.null(call$truncated) || call$truncated == 0)
}

# glmmTMB's vector of coefficients for ours, of its dispersion and of its P(structural zero).
to_glmmtmb <- function(model, call, b) {
  part <- function(symbol) if (symbol %in% names(model$equations)) b[model$equations[[symbol]]$at]
  tau <- part("tau")
  dispersion <- switch(call$family,
    negbin = -tau, negbin1 = tau, genpoisson = 2 * log1p(part("alpha")), compoisson = -part("log_nu"),
    NULL
  )
  zero <- part("zeta")
  c(part("eta"), if (is.null(call$hurdle)) zero else -zero, dispersion)
}

by_glmmtmb <- function(r, call, frame) {
  cut <- !is.null(call$hurdle) || !is.null(call$truncated)
  family <- (if (cut) truncated_families else glmmtmb_families)[[call$family]]
  control <- glmmTMBControl(optCtrl = list(rel.tol = 1e-15, x.tol = 1e-15, iter.max = 10000, eval.max = 20000))
  zero <- if (is.null(r$zero)) ~0 else r$zero
  dispersion <- if (is.null(r$dispersion)) ~1 else r$dispersion
  environment(r$mean) <- environment()
  suppressWarnings(
    glmmTMB(r$mean, frame, family, ziformula = zero, dispformula = dispersion, control = control)
  )
}

start_of_glmmtmb <- function(fit, model, call) {
  found <- fixef(fit)
  zero <- if (is.null(call$hurdle)) found$zi else -found$zi
  d <- found$disp
  own <- switch(call$family,
    negbin = -d, negbin1 = d, genpoisson = exp(d / 2) - 1, compoisson = -d, NULL
  )
  unname(c(found$cond, if ("zeta" %in% names(model$equations)) zero, own))
}

# ---------------------------------------------------------------- values of one fit

# Linear predictors of new rows, with the designs for errors.
new_equations <- function(model, newdata) {
  rows <- as.data.frame(newdata)
  lapply(model$equations, function(equation) {
    if (is.null(equation$terms)) {
      return(list(X = matrix(1, nrow(rows), 1), offset = 0, at = equation$at, symbol = equation$symbol))
    }
    for (column in names(equation$levels)) rows[[column]] <- factor(rows[[column]], equation$levels[[column]])
    read <- model.frame(equation$terms, rows, xlev = equation$levels)
    offset <- model.offset(read)
    list(
      X = model.matrix(equation$terms, read), offset = if (is.null(offset)) 0 else offset,
      at = equation$at, symbol = equation$symbol
    )
  })
}

evaluate <- function(expression, etas) {
  n <- length(etas[[1]])
  rep_len(eval(expression, etas), n)
}

predictions_of <- function(model, call, b, covariance, newdata) {
  equations <- new_equations(model, newdata)
  etas <- linear_predictors(list(equations = equations), b)
  if (call$family == "compoisson") {
    prob <- lapply(0:highest, function(k) {
      vapply(etas[[1]], function(eta) conway(eta, etas[[2]][1], k), 0)
    })
    mean <- exp(etas[[1]])
    X <- equations[[1]]$X
    place <- equations[[1]]$at
    error <- mean * sqrt(rowSums((X %*% covariance[place, place]) * X))
    return(list(
      newdata = newdata, mean = mean, mean_se = unname(error), mean_main = mean,
      prob_zero = prob[[1]], prob = prob
    ))
  }
  expressions <- predicted_by(call)
  slopes <- attr(
    do.call(deriv(expressions$mean, names(etas), names(etas)), etas), "gradient"
  )
  jacobian <- matrix(0, length(etas[[1]]), length(b))
  for (i in seq_along(equations)) jacobian[, equations[[i]]$at] <- equations[[i]]$X * slopes[, i]
  out <- list(newdata = newdata)
  for (name in intersect(c("mean", "mean_main", "mean_nonzero", "zero", "prob_positive", "prob_zero"), names(expressions)))
    out[[name]] <- evaluate(expressions[[name]], etas)
  out$mean_se <- sqrt(rowSums((jacobian %*% covariance) * jacobian))
  out$prob <- lapply(expressions$prob, evaluate, etas)
  out
}

expected_zeros <- function(model, call, b) {
  etas <- linear_predictors(model, b)
  if (call$family == "compoisson")
    return(sum(vapply(etas[[1]], function(eta) conway(eta, etas[[2]][1], 0), 0)))
  sum(evaluate(predicted_by(call)$prob_zero, etas))
}

wald_of <- function(hypotheses, b, covariance, names) {
  lapply(hypotheses, function(tested) {
    at <- match(tested, names)
    stopifnot(!anyNA(at))
    statistic <- drop(b[at] %*% solve(covariance[at, at], b[at]))
    list(
      hypothesis = paste(paste(tested, "= 0"), collapse = ", "), statistic = statistic,
      df = length(at), pvalue = pchisq(statistic, length(at), lower.tail = FALSE)
    )
  })
}

same <- function(ours, theirs, tolerance) {
  stopifnot(max(abs(ours - theirs) / pmax(1, abs(ours))) <= tolerance)
}

agree_with_pscl <- function(fit, model, call, b, llf, covariance, newdata) {
  errors <- sqrt(diag(covariance))
  stopifnot(llf >= fit$loglik - 1e-9 * abs(llf), llf - fit$loglik < 1e-5)
  k <- sum(names(coef(fit)) != "")
  stopifnot(max(abs(start_of_pscl(fit, model) - b) / errors) < 0.02)
  theirs <- sqrt(diag(vcov(fit)))
  stopifnot(max(abs(errors[seq_len(k)] / theirs - 1)) < 0.01)
  if (is.null(newdata)) return()
  rows <- as.data.frame(newdata)
  for (column in names(fit$levels)) rows[[column]] <- factor(rows[[column]], fit$levels[[column]])
  fit <- at_the_maximum(fit, model, b)
  ours <- predictions_of(model, call, b, covariance, newdata)
  same(ours$mean, predict(fit, rows, type = "response"), 1e-10)
  same(ours$mean_main, predict(fit, rows, type = "count"), 1e-12)
  same(do.call(cbind, ours$prob), predict(fit, rows, type = "prob", at = 0:highest), 1e-10)
  if (!is.null(call$inflate)) same(ours$zero, predict(fit, rows, type = "zero"), 1e-12)
}

# glmmTMB's own likelihood at our maximum, and its slope there in standard errors.
agree_with_glmmtmb <- function(fit, model, call, b, llf, covariance) {
  theirs <- to_glmmtmb(model, call, b)
  if (length(theirs) != length(fit$obj$par)) stop("glmmTMB has other parameters")
  order <- c("beta", "betazi", "betad")
  stopifnot(identical(unique(names(fit$obj$par)), intersect(order, names(fit$obj$par))))
  value <- -as.numeric(fit$obj$fn(theirs))
  same(llf, value, if (call$family == "compoisson") 1e-8 else 1e-11)
  errors <- sqrt(diag(vcov(fit, full = TRUE)))
  cat(sprintf(
    "  glmmTMB: llf differs by %.1e, its slope is %.1e, its fit was %.1e of an error away\n",
    value - llf, max(abs(fit$obj$gr(theirs) * errors)), max(abs(theirs - fit$fit$par) / errors)
  ))
}

# The start: pscl's fit, glmmTMB's, or a Poisson regression with a moderate alpha.
plain_start <- function(model, call) {
  eta <- model$equations$eta
  poisson <- glm.fit(eta$X, model$y, offset = eta$offset, family = poisson())
  start <- numeric(max(unlist(lapply(model$equations, function(e) e$at))))
  start[eta$at] <- coef(poisson)
  for (symbol in intersect("alpha", names(model$equations))) start[model$equations[[symbol]]$at] <- 0.3
  start
}

golden_part <- function(case, source, data, r, formula, call, levels = list(), factors = list(),
                        subset = NULL, derive = NULL, newdata = NULL, wald = NULL, zeros = FALSE,
                        boundary = NULL, change = NULL, published = NULL, loose = NULL) {
  if (length(wanted) && !case %in% wanted) return(invisible())
  frame <- read_data(data, levels)
  for (column in names(derive)) frame[[column]] <- eval(str2lang(derive[[column]]), frame)
  if (!is.null(subset)) frame <- frame[eval(str2lang(subset), frame), ]
  naming <- function(coefficient) patsy_name(coefficient, frame, factors, character(), list())
  limits <- call$censored
  if (is.character(limits)) limits <- frame[[limits]]
  if (!is.null(limits)) limits <- rep_len(limits, nrow(frame))
  model <- model_of(r, call, frame, naming, limits)
  written <- function(values) {
    write_case(
      case, source, data, formula, call, values, published, loose,
      Filter(Negate(is.null), list(subset = subset, derive = derive)), place,
      c("MASS", "pscl", "glmmTMB", "TMB")
    )
  }
  if (!is.null(boundary)) return(written(boundary(r, frame, naming)))
  pscl_fit <- tmb_fit <- NULL
  two_parts <- !is.null(call$inflate) || !is.null(call$hurdle)
  if (two_parts && is.null(r$dispersion) && call$family %in% c("poisson", "negbin", "geometric")) {
    pscl_fit <- by_pscl(r, call, frame)
    start <- start_of_pscl(pscl_fit, model)
  }
  if (has_glmmtmb(call, model) && !(call$family == "poisson" && !two_parts && is.null(call$truncated))) {
    tmb_fit <- by_glmmtmb(r, call, frame)
    if (is.null(pscl_fit)) start <- start_of_glmmtmb(tmb_fit, model, call)
  }
  near <- !is.null(pscl_fit) || !is.null(tmb_fit)
  if (!near) start <- plain_start(model, call)
  found <- maximize(model, start, near)
  b <- found$b
  covariance <- inverse(found$information)
  errors <- sqrt(diag(covariance))
  numeric_hessian <- jacobian(
    function(step) derivatives(model, b + step * errors)$score, rep(0, length(b)),
    method.args = list(r = if (nrow(frame) > 5000) 4 else 6, d = 0.01, eps = 0.01)
  ) / rep(errors, each = length(b))
  scaled <- outer(errors, errors)
  worst <- max(abs((numeric_hessian + found$information) * scaled))
  stopifnot(worst < 1e-7)
  llf <- found$value
  k <- length(b)
  nobs <- nrow(frame)
  cat(sprintf(
    "%s: llf %.12f, last step %.1e of an error, Hessian against Richardson %.1e\n", case, llf,
    found$decrement, worst
  ))
  if (!is.null(pscl_fit)) agree_with_pscl(pscl_fit, model, call, b, llf, covariance, newdata)
  if (!is.null(tmb_fit)) agree_with_glmmtmb(tmb_fit, model, call, b, llf, covariance)
  as_named <- natural(model, b)
  names <- parameter_names(model)
  values <- list(
    params = as.list(setNames(as_named$value, names)),
    bse = as.list(setNames(errors * as_named$slope, names)),
    llf = llf, aic = 2 * k - 2 * llf, bic = log(nobs) * k - 2 * llf, nobs = nobs
  )
  if ("alpha" %in% names) {
    values$alpha <- values$params$alpha
    if ("tau" %in% names(model$equations)) {
      at <- model$equations$tau$at
      values$lnalpha <- b[at]
      values$lnalpha_bse <- errors[at]
      values$theta <- 1 / values$alpha
      values$theta_bse <- values$theta * errors[at]
    }
  }
  if (zeros) values$expected_zeros <- expected_zeros(model, call, b)
  if (!is.null(newdata)) values$predictions <- predictions_of(model, call, b, covariance, newdata)
  if (!is.null(wald)) {
    full <- covariance * outer(as_named$slope, as_named$slope)
    values$wald <- wald_of(wald, as_named$value, full, names)
  }
  if (!is.null(change)) values <- change(values, model, frame)
  written(values)
}

source(file.path(folder, "cases_parts.R"))
