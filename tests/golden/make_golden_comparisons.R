# Writes comparisons/*.json: contrasts of factor levels (emmeans), adjusted for there being several
# (stats::p.adjust, multcomp), tests of dispersion (AER), of non-nested models (pscl) and pooled
# estimates (Rubin's rules, by hand).
# Run from the repository root:  Rscript tests/golden/make_golden_comparisons.R
#
# Fits go to the joint maximum by Newton's steps with derivatives of numDeriv, and emmeans takes
# their coefficients and covariance: pscl's own stop early, and so do those of glm at its defaults.

suppressMessages({
  library(MASS)
  library(pscl)
  library(AER)
  library(emmeans)
  library(multcomp)
  library(numDeriv)
})
source(file.path("tests", "golden", "tools.R"))
place <- file.path(folder, "comparisons")
dir.create(place, showWarnings = FALSE)

tight <- glm.control(epsilon = 1e-14, maxit = 200)
write_record <- function(name, record, packages) {
  record <- c(list(case = name, versions = used_versions(packages)), record)
  writeLines(to_json(record), file.path(place, paste0(name, ".json")))
  cat("written", name, "\n")
}

# ---------------------------------------------------------------- the joint maximum of two parts

log_density <- function(y, mu, theta) {
  if (is.infinite(theta)) dpois(y, mu, log = TRUE) else dnbinom(y, size = theta, mu = mu, log = TRUE)
}

# Newton's steps, with differences over lengths that are alike in all parameters: parts of `scale`,
# which is about their standard errors.
maximum <- function(value, b, scale) {
  fine <- list(eps = 0.05, r = 6)
  for (round in 1:30) {
    near <- function(d) value(b + d * scale)
    zero <- numeric(length(b))
    step <- solve(-hessian(near, zero, method.args = fine), grad(near, zero, method.args = fine))
    b <- b + scale * step * min(1, 1 / max(abs(step)))
    if (max(abs(step)) < 1e-9) break
  }
  stopifnot(max(abs(step)) < 1e-8)
  near <- function(d) value(b + d * scale)
  list(b = b, covariance = outer(scale, scale) * solve(-hessian(near, zero, method.args = fine)))
}

polished <- function(fit, kind) {
  X <- model.matrix(fit, model = "count")
  Z <- model.matrix(fit, model = "zero")
  y <- fit$y
  k <- ncol(X)
  q <- k + ncol(Z)
  negbin <- unlist(fit$dist)[[1]] == "negbin"
  value <- function(b) {
    mu <- exp(X %*% b[1:k])
    p <- plogis(Z %*% b[(k + 1):q])
    theta <- if (negbin) exp(b[q + 1]) else Inf
    own <- log_density(y, mu, theta)
    none <- log_density(0, mu, theta)
    if (kind == "inflate")
      return(sum(ifelse(y == 0, log(p + (1 - p) * exp(none)), log1p(-p) + own)))
    sum(ifelse(y == 0, log1p(-p), log(p) + own - log1p(-exp(none))))
  }
  b <- unname(c(unlist(fit$coefficients), if (negbin) log(fit$theta[[1]])))
  found <- maximum(value, b, sqrt(abs(diag(solve(hessian(value, b))))))
  b <- found$b
  covariance <- found$covariance
  fit$coefficients$count[] <- b[1:k]
  fit$coefficients$zero[] <- b[(k + 1):q]
  names <- names(coef(fit))
  fit$vcov <- covariance[1:q, 1:q]
  dimnames(fit$vcov) <- list(names, names)
  fit$loglik <- value(b)
  fit
}

# ---------------------------------------------------------------- contrasts

kinds <- c(pairwise = "revpairwise", reference = "trt.vs.ctrl1", sequential = "consec", mean = "eff")
adjustments <- c(none = "none", holm = "holm", bonferroni = "bonferroni", sidak = "sidak", fdr = "fdr")

contrast_values <- function(fit, term, ...) {
  grid <- suppressMessages(emmeans(fit, term, ...))
  out <- list()
  for (kind in names(kinds)) {
    found <- contrast(grid, kinds[[kind]])
    plain <- as.data.frame(summary(found, infer = TRUE, adjust = "none"))
    test <- intersect(c("z.ratio", "t.ratio"), names(plain))
    ends <- intersect(c("asymp.LCL", "lower.CL"), names(plain))
    tops <- intersect(c("asymp.UCL", "upper.CL"), names(plain))
    one <- list(
      contrast = as.list(gsub("kids", "", as.character(plain$contrast))), df = as.list(ifelse(is.finite(plain$df), plain$df, NA)),
      estimate = as.list(plain$estimate), std_error = as.list(plain$SE), statistic = as.list(plain[[test]])
    )
    for (name in names(adjustments)) {
      own <- as.data.frame(summary(found, infer = TRUE, adjust = adjustments[[name]]))
      one[[paste0("p_", name)]] <- as.list(own$p.value)
      if (name %in% c("none", "bonferroni", "sidak")) {
        one[[paste0("low_", name)]] <- as.list(own[[ends]])
        one[[paste0("high_", name)]] <- as.list(own[[tops]])
      }
    }
    # mvtnorm's integration, to five digits or so.
    set.seed(1)
    one$p_single_step <- as.list(as.data.frame(summary(found, adjust = "mvt"))$p.value)
    out[[kind]] <- one
  }
  out
}

contrast_case <- function(name, data, formula, call, term, values) {
  record <- list(data = data, formula = formula, call = call, term = term, values = values)
  write_record(name, record, c("emmeans", "MASS", "pscl", "mvtnorm"))
}

warpbreaks_ <- read_data("dataset:warpbreaks")
for (column in c("wool", "tension")) warpbreaks_[[column]] <- factor(warpbreaks_[[column]])
fit <- glm(breaks ~ wool * tension, poisson, warpbreaks_, control = tight)
contrast_case("warpbreaks_poisson", "dataset:warpbreaks", "breaks ~ wool * tension",
  list(family = "poisson"), "tension", contrast_values(fit, "tension"))
fit <- glm(breaks ~ wool + tension, quasipoisson, warpbreaks_, control = tight)
fit_df <- fit$df.residual
contrast_case("warpbreaks_quasipoisson", "dataset:warpbreaks", "breaks ~ wool + tension",
  list(family = "quasipoisson"), "tension", contrast_values(fit, "tension", df = fit_df))
fit <- glm.nb(breaks ~ wool * tension, warpbreaks_, control = tight)
contrast_case("warpbreaks_negbin", "dataset:warpbreaks", "breaks ~ wool * tension",
  list(family = "negbin", information = "expected"), "wool", contrast_values(fit, "wool"))

quine_ <- read_data("dataset:quine")
for (column in c("Eth", "Sex", "Age", "Lrn")) quine_[[column]] <- factor(quine_[[column]])
fit <- glm.nb(Days ~ Eth + Sex * Age, quine_, control = tight)
contrast_case("quine_negbin", "dataset:quine", "Days ~ Eth + Sex * Age",
  list(family = "negbin", information = "expected"), "Age", contrast_values(fit, "Age"))

nmes <- read_data("dataset:nmes1988")
for (column in c("health", "gender", "insurance", "region")) nmes[[column]] <- factor(nmes[[column]])
fit <- glm(visits ~ health * school + gender * region, poisson, nmes, control = tight)
contrast_case("nmes1988_poisson", "dataset:nmes1988", "visits ~ health * school + gender * region",
  list(family = "poisson"), "health", contrast_values(fit, "health"))
contrast_case("nmes1988_poisson_region", "dataset:nmes1988", "visits ~ health * school + gender * region",
  list(family = "poisson"), "region", contrast_values(fit, "region"))
fit <- polished(hurdle(visits ~ health + chronic + gender, data = nmes, dist = "negbin"), "hurdle")
contrast_case("nmes1988_hurdle", "dataset:nmes1988", "visits ~ health + chronic + gender",
  list(family = "negbin", hurdle = "health + chronic + gender"), "health",
  contrast_values(fit, "health", mode = "count", lin.pred = TRUE, df = Inf))

chemists <- read_data("dataset:biochemists")
chemists$fem <- factor(chemists$fem)
chemists$mar <- factor(chemists$mar)
chemists$kids <- factor(pmin(chemists$kid5, 2))
for (family in c("poisson", "negbin")) {
  zip <- family == "poisson"
  wanted <- if (zip) art ~ fem * kids + ment | ment + kids else art ~ fem * kids + ment | ment
  fit <- polished(zeroinfl(wanted, data = chemists, dist = family), "inflate")
  name <- if (zip) "biochemists_zip" else "biochemists_zinb"
  call <- list(family = family, inflate = if (zip) "ment + C(minimum(kid5, 2))" else "ment")
  formula <- "art ~ fem * C(minimum(kid5, 2)) + ment"
  contrast_case(name, "dataset:biochemists", formula, call, "C(minimum(kid5, 2))",
    contrast_values(fit, "kids", mode = "count", lin.pred = TRUE, df = Inf))
  if (zip) contrast_case(paste0(name, "_inflate"), "dataset:biochemists", formula, call,
    "inflate_C(minimum(kid5, 2))", contrast_values(fit, "kids", mode = "zero", lin.pred = TRUE, df = Inf))
}

# multcomp's single step with as many points as it takes to six digits or so.
singles <- list()
for (name in c("tension", "Age", "region")) {
  fit <- switch(name,
    tension = glm(breaks ~ wool + tension, poisson, warpbreaks_, control = tight),
    Age = glm(Days ~ Eth + Sex + Age, poisson, quine_, control = tight),
    region = glm(visits ~ region + gender, poisson, nmes, control = tight)
  )
  term <- do.call(mcp, setNames(list("Tukey"), name))
  found <- glht(fit, linfct = term)
  set.seed(1)
  exact <- adjusted("single-step", maxpts = 2e6, abseps = 1e-6, releps = 0)
  tested <- summary(found, test = exact)$test
  set.seed(1)
  critical <- attr(confint(found, calpha = adjusted_calpha(maxpts = 2e6, abseps = 1e-6))$confint, "calpha")
  singles[[name]] <- list(
    contrast = as.list(names(tested$coefficients)), estimate = as.list(unname(tested$coefficients)),
    std_error = as.list(unname(tested$sigma)), pvalue = as.list(as.vector(tested$pvalues)),
    critical = as.numeric(critical)
  )
}
write_record("single_step", list(values = singles), c("multcomp", "mvtnorm"))

# ---------------------------------------------------------------- dispersion

dispersion_values <- function(fit) {
  out <- list()
  for (name in c("nb1", "nb2")) {
    trafo <- if (name == "nb1") NULL else 2
    for (alternative in c("greater", "two.sided", "less")) {
      found <- dispersiontest(fit, trafo = trafo, alternative = alternative)
      label <- paste(name, sub("two.sided", "two-sided", alternative), sep = "_")
      out[[label]] <- list(
        statistic = unname(found$statistic), estimate = unname(found$estimate), pvalue = found$p.value
      )
    }
  }
  # Dean (1992) from the formulas, with R's leverages.
  y <- fit$y
  mu <- fitted(fit)
  d <- (y - mu)^2 - y
  out$dean <- list(statistic = sum(d) / sqrt(2 * sum(mu^2)))
  out$dean_c <- list(statistic = sum(d + hatvalues(fit) * mu) / sqrt(2 * sum(mu^2)))
  out$lm_nb1 <- list(statistic = (sum(d / mu) / sqrt(2 * length(y)))^2)
  out
}
dispersions <- list(
  biochemists = list(data = "dataset:biochemists", formula = "art ~ fem + mar + kid5 + phd + ment",
    values = dispersion_values(glm(art ~ fem + mar + kid5 + phd + ment, poisson, chemists, control = tight))),
  quine = list(data = "dataset:quine", formula = "Days ~ Eth + Sex + Age + Lrn",
    values = dispersion_values(glm(Days ~ Eth + Sex + Age + Lrn, poisson, quine_, control = tight))),
  warpbreaks = list(data = "dataset:warpbreaks", formula = "breaks ~ wool + tension",
    values = dispersion_values(glm(breaks ~ wool + tension, poisson, warpbreaks_, control = tight))),
  nmes1988 = list(data = "dataset:nmes1988", formula = "visits ~ health + school + gender",
    values = dispersion_values(glm(visits ~ health + school + gender, poisson, nmes, control = tight)))
)
write_record("dispersion", list(values = dispersions), "AER")

# ---------------------------------------------------------------- pscl::vuong

# pscl prints three lines: raw, by AIC, by BIC.
vuong_lines <- function(first, second) {
  text <- capture.output(vuong(first, second, digits = 15))
  rows <- grep("^(Raw|AIC|BIC)", trimws(text), value = TRUE)
  lapply(rows, function(row) as.numeric(regmatches(row, regexpr("-?[0-9]+\\.[0-9]+", row))))
}
chemists_formula <- art ~ fem + mar + kid5 + phd + ment
poisson_fit <- glm(chemists_formula, poisson, chemists, control = tight)
nb_fit <- glm.nb(chemists_formula, chemists, control = tight)
zip_fit <- polished(zeroinfl(chemists_formula, data = chemists), "inflate")
hurdle_fit <- polished(hurdle(chemists_formula, data = chemists), "hurdle")
refitted <- function(fit) {
  # pscl::vuong asks for predicted probabilities, which zeroinfl makes of the coefficients.
  fit$fitted.values <- predict(fit)
  fit
}
write_record("vuong", list(values = list(
  poisson_zip = vuong_lines(poisson_fit, refitted(zip_fit)),
  negbin_zip = vuong_lines(nb_fit, refitted(zip_fit)),
  negbin_hurdle = vuong_lines(nb_fit, refitted(hurdle_fit))
)), "pscl")

# ---------------------------------------------------------------- Rubin's rules

set.seed(20240301)
base <- data.frame(x = round(rnorm(60), 3), z = rep(0:1, 30))
base$y <- rnbinom(60, size = 2, mu = exp(0.6 + 0.4 * base$x - 0.3 * base$z))
gone <- seq(1, 60, by = 3)
known <- lm(x ~ log1p(y) + z, base, subset = -gone)
completed <- lapply(1:5, function(i) {
  x <- base$x
  x[gone] <- round(predict(known, base)[gone] + rnorm(length(gone), sd = sigma(known)), 3)
  x
})
rubin <- function(fits, complete) {
  q <- sapply(fits, function(fit) fit$b)
  u <- sapply(fits, function(fit) fit$v)
  m <- ncol(q)
  qbar <- rowMeans(q)
  ubar <- rowMeans(u)
  b <- apply(q, 1, var)
  t <- ubar + (1 + 1 / m) * b
  lambda <- (1 + 1 / m) * b / t
  r <- (1 + 1 / m) * b / ubar
  old <- (m - 1) / lambda^2
  observed <- (complete + 1) / (complete + 3) * complete * (1 - lambda)
  df <- old * observed / (old + observed)
  fmi <- (r + 2 / (df + 3)) / (1 + r)
  list(estimate = as.list(unname(qbar)), std_error = as.list(unname(sqrt(t))), df = as.list(unname(df)),
    fmi = as.list(unname(fmi)), riv = as.list(unname(r)),
    pvalue = as.list(unname(2 * pt(-abs(qbar / sqrt(t)), df))))
}
with_x <- function(x) {
  base$x <- x
  base
}
poissons <- lapply(completed, function(x) {
  fit <- glm(y ~ x + z, poisson, with_x(x), control = tight)
  list(b = coef(fit), v = diag(vcov(fit)))
})
# NB2 with log alpha among the parameters and the observed information.
negbins <- lapply(completed, function(x) {
  X <- cbind(1, x, base$z)
  value <- function(b) sum(dnbinom(base$y, size = exp(-b[4]), mu = exp(X %*% b[1:3]), log = TRUE))
  b <- c(coef(glm(y ~ x + z, poisson, with_x(x))), log(0.5))
  found <- maximum(value, b, sqrt(abs(diag(solve(hessian(value, b))))))
  list(b = unname(found$b), v = diag(found$covariance))
})
write_record("pooling", list(
  y = as.list(base$y), z = as.list(base$z), completed = lapply(completed, as.list),
  values = list(poisson = rubin(poissons, 57), negbin = rubin(negbins, 57))
), "MASS")
