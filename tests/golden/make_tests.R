# Writes tests/<case>.json: likelihood-ratio and score tests, tables term by term, profile
# intervals. README.md has the schema. Run from the repository root:
#   Rscript tests/golden/make_tests.R
#
# car::Anova and MASS's anova of glm.nb hold theta; lmtest::lrtest and the profiles of this script
# estimate every parameter anew, these by uniroot over fits with the coefficient as an offset.

suppressMessages({
  library(MASS)
  library(car)
  library(lmtest)
  library(pscl)
})
source(file.path("tests", "golden", "tools.R"))
place <- file.path(folder, "tests")
dir.create(place, showWarnings = FALSE)
fine <- glm.control(epsilon = 1e-14, maxit = 200)
optim_control <- function(...) zeroinfl.control(reltol = 1e-15, maxit = 50000, ...)

write_tests <- function(case, source, data, formula, call, values) {
  record <- list(
    case = case, source = source,
    versions = used_versions(c("MASS", "car", "lmtest", "pscl")), data = data,
    formula = formula, call = call, values = values
  )
  writeLines(to_json(record), file.path(place, paste0(case, ".json")))
  cat("written", case, "\n")
}

# A table of R as {term: [df, statistic, p-value]}.
rows <- function(table, df, statistic, pvalue, names = rownames(table)) {
  kept <- !is.na(table[[statistic]])
  found <- lapply(which(kept), function(i) {
    c(table[[df]][i], table[[statistic]][i], table[[pvalue]][i])
  })
  setNames(found, names[kept])
}

ratio <- function(test) c(test$Df[2], test$Chisq[2], test[["Pr(>Chisq)"]][2])

# Where 2 (top - loglik(b)) is the quantile, on both sides of an estimate.
ends <- function(loglik, top, estimate, error) {
  cut <- qchisq(0.95, 1)
  side <- function(sign) {
    gap <- function(b) 2 * (top - loglik(b)) - cut
    uniroot(gap, sort(estimate + sign * c(0.5, 5) * error), tol = 1e-11, extendInt = "yes")$root
  }
  c(side(-1), side(1))
}

# ---------------------------------------------------------------- quine, NB2

quine_data <- read_data("dataset:quine", list(
  Eth = c("A", "N"), Sex = c("F", "M"), Age = c("F0", "F1", "F2", "F3"), Lrn = c("AL", "SL")
))
nb <- function(formula, ...) glm.nb(formula, quine_data, control = fine, ...)
full <- nb(Days ~ Eth + Sex + Age + Lrn)
crossed <- nb(Days ~ Eth * Sex + Age + Lrn)
top <- as.numeric(logLik(full))
nb_ends <- function(text, column) {
  x <- model.matrix(full)[, column]
  rest <- reformulate(setdiff(c("Eth", "Sex", "Age", "Lrn"), text), "Days")
  loglik <- function(b) {
    quine_data$held <- b * x
    as.numeric(logLik(glm.nb(update(rest, . ~ . + offset(held)), quine_data, control = fine)))
  }
  ends(loglik, top, coef(full)[[column]], sqrt(vcov(full)[column, column]))
}
alpha_ends <- function() {
  loglik <- function(b) {
    family <- negative.binomial(theta = exp(-b))
    mu <- fitted(glm(Days ~ Eth + Sex + Age + Lrn, family, quine_data, control = fine))
    sum(dnbinom(quine_data$Days, size = exp(-b), mu = mu, log = TRUE))
  }
  exp(ends(loglik, top, -log(full$theta), 0.15))
}
held_confint <- suppressMessages(confint(full))
names_nb <- c("Intercept", "Eth[T.N]", "Sex[T.M]", "Age[T.F1]", "Age[T.F2]", "Age[T.F3]", "Lrn[T.SL]")
write_tests(
  "quine_negbin", "W. N. Venables and B. D. Ripley (2002), Modern Applied Statistics with S, 7.4",
  "dataset:quine", "Days ~ Eth + Sex + Age + Lrn", list(family = "negbin"),
  list(
    lr = list("Days ~ Eth" = ratio(lrtest(nb(Days ~ Eth), full))),
    anova_2_lr_held = rows(Anova(full, type = 2), "Df", "LR Chisq", "Pr(>Chisq)"),
    anova_1_lr_held = rows(suppressWarnings(anova(full)), "Df", "Deviance", "Pr(>Chi)"),
    anova_2_lr = list(
      Eth = ratio(lrtest(nb(Days ~ Sex + Age + Lrn), full)),
      Sex = ratio(lrtest(nb(Days ~ Eth + Age + Lrn), full)),
      Age = ratio(lrtest(nb(Days ~ Eth + Sex + Lrn), full)),
      Lrn = ratio(lrtest(nb(Days ~ Eth + Sex + Age), full))
    ),
    profile = list("Eth[T.N]" = nb_ends("Eth", "EthN"), "Sex[T.M]" = nb_ends("Sex", "SexM"),
                   "Lrn[T.SL]" = nb_ends("Lrn", "LrnSL"), alpha = alpha_ends()),
    profile_held_loose = setNames(
      lapply(seq_along(names_nb), function(i) unname(held_confint[i, ])), names_nb
    )
  )
)
write_tests(
  "quine_crossed", "MASS::quine", "dataset:quine", "Days ~ Eth*Sex + Age + Lrn",
  list(family = "negbin", information = "expected"),
  list(
    anova_2_lr_held = rows(Anova(crossed, type = 2), "Df", "LR Chisq", "Pr(>Chisq)"),
    anova_2_wald = rows(Anova(crossed, type = 2, test = "Wald"), "Df", "Chisq", "Pr(>Chisq)"),
    anova_2_lr = list(
      Eth = ratio(lrtest(nb(Days ~ Sex + Age + Lrn), full)),
      Sex = ratio(lrtest(nb(Days ~ Eth + Age + Lrn), full)),
      "Eth:Sex" = ratio(lrtest(full, crossed)),
      Age = ratio(lrtest(nb(Days ~ Eth * Sex + Lrn), crossed)),
      Lrn = ratio(lrtest(nb(Days ~ Eth * Sex + Age), crossed))
    )
  )
)

# ---------------------------------------------------------------- warpbreaks, Poisson

sums <- list(wool = "contr.sum", tension = "contr.sum")
po <- glm(breaks ~ wool * tension, poisson, warpbreaks, control = fine)
po_sum <- glm(breaks ~ wool * tension, poisson, warpbreaks, contrasts = sums, control = fine)
quasi <- glm(breaks ~ wool * tension, quasipoisson, warpbreaks, control = fine)
small <- glm(breaks ~ wool, poisson, warpbreaks, control = fine)
rao <- function(a, b) {
  found <- anova(a, b, test = "Rao")
  c(found$Df[2], found$Rao[2], found[["Pr(>Chi)"]][2])
}
write_tests(
  "warpbreaks_poisson", "R's warpbreaks", "dataset:warpbreaks", "breaks ~ wool*tension",
  list(family = "poisson"),
  list(
    anova_1_lr = rows(anova(po, test = "Chisq"), "Df", "Deviance", "Pr(>Chi)"),
    anova_1_score = rows(anova(po, test = "Rao"), "Df", "Rao", "Pr(>Chi)"),
    anova_2_lr = rows(Anova(po, type = 2), "Df", "LR Chisq", "Pr(>Chisq)"),
    anova_2_wald = rows(Anova(po, type = 2, test = "Wald"), "Df", "Chisq", "Pr(>Chisq)"),
    anova_3_lr = rows(Anova(po_sum, type = 3), "Df", "LR Chisq", "Pr(>Chisq)"),
    anova_3_wald = rows(
      Anova(po_sum, type = 3, test = "Wald"), "Df", "Chisq", "Pr(>Chisq)",
      c("Intercept", "wool", "tension", "wool:tension")
    ),
    anova_1_f = rows(anova(quasi, test = "F"), "Df", "F", "Pr(>F)"),
    anova_2_f = rows(Anova(quasi, type = 2, test = "F", error.estimate = "pearson"), "Df",
                     "F value", "Pr(>F)"),
    score = list("tension" = rao(small, glm(breaks ~ wool + tension, poisson, warpbreaks)),
                 "tension + wool:tension" = rao(small, po))
  )
)

# ---------------------------------------------------------------- Dobson, Poisson

dobson <- read_data("dataset:dobson")
dobson[c("outcome", "treatment")] <- lapply(dobson[c("outcome", "treatment")], factor)
rct <- glm(counts ~ outcome + treatment, poisson, dobson, control = fine)
columns <- model.matrix(rct)
rct_ends <- function(j) {
  loglik <- function(b) {
    held <- b * columns[, j]
    rest <- columns[, -j]
    as.numeric(logLik(glm(dobson$counts ~ 0 + rest + offset(held), poisson, control = fine)))
  }
  ends(loglik, as.numeric(logLik(rct)), coef(rct)[[j]], sqrt(vcov(rct)[j, j]))
}
printed <- suppressMessages(confint(rct))
stopifnot(all.equal(unname(printed[1, ]), c(2.6958215, 3.36655581), tolerance = 2e-8))
names_rct <- c("Intercept", "C(outcome)[T.o2]", "C(outcome)[T.o3]")
write_tests(
  "dobson_poisson", "A. J. Dobson (1990), An Introduction to Generalized Linear Models, 93",
  "dataset:dobson", "counts ~ C(outcome) + C(treatment)", list(family = "poisson"),
  list(
    profile = setNames(lapply(1:3, rct_ends), names_rct),
    profile_interpolated = setNames(lapply(1:3, function(j) unname(printed[j, ])), names_rct),
    anova_2_lr = setNames(
      rows(Anova(rct, type = 2), "Df", "LR Chisq", "Pr(>Chisq)"), c("C(outcome)", "C(treatment)")
    )
  )
)

# ---------------------------------------------------------------- bioChemists, zero parts

bio <- read_data("dataset:biochemists", list(fem = c("Men", "Women"), mar = c("Single", "Married")))
zi <- function(formula, dist, ...) zeroinfl(formula, bio, dist = dist, control = optim_control(...))
zip <- zi(art ~ fem + mar + kid5 + phd + ment | kid5 + ment, "poisson")
zinb <- zi(art ~ fem + mar + kid5 + phd + ment | ment, "negbin")
zip_ends <- function(part) {
  begin <- zip$coefficients
  begin[[part]] <- begin[[part]][names(begin[[part]]) != "ment"]
  loglik <- function(b) {
    bio$held <- b * bio$ment
    text <- if (part == "zero") {
      art ~ fem + mar + kid5 + phd + ment | kid5 + offset(held)
    } else {
      art ~ fem + mar + kid5 + phd + offset(held) | kid5 + ment
    }
    zeroinfl(text, bio, dist = "poisson", control = optim_control(start = begin))$loglik
  }
  ends(loglik, zip$loglik, zip$coefficients[[part]][["ment"]], sqrt(diag(vcov(zip)))[[
    paste0(part, "_ment")
  ]])
}
write_tests(
  "biochemists_zip", "J. S. Long (1990), Social Forces 68", "dataset:biochemists",
  "art ~ fem + mar + kid5 + phd + ment", list(family = "poisson", inflate = "kid5 + ment"),
  list(
    anova_2_lr = list(
      fem = ratio(lrtest(zi(art ~ mar + kid5 + phd + ment | kid5 + ment, "poisson"), zip)),
      kid5 = ratio(lrtest(zi(art ~ fem + mar + phd + ment | kid5 + ment, "poisson"), zip)),
      phd = ratio(lrtest(zi(art ~ fem + mar + kid5 + ment | kid5 + ment, "poisson"), zip)),
      inflate_kid5 = ratio(lrtest(zi(art ~ fem + mar + kid5 + phd + ment | ment, "poisson"), zip)),
      inflate_ment = ratio(lrtest(zi(art ~ fem + mar + kid5 + phd + ment | kid5, "poisson"), zip))
    ),
    profile_loose = list(ment = zip_ends("count"), inflate_ment = zip_ends("zero"))
  )
)
write_tests(
  "biochemists_zinb", "J. S. Long (1990), Social Forces 68", "dataset:biochemists",
  "art ~ fem + mar + kid5 + phd + ment", list(family = "negbin", inflate = "ment"),
  list(
    anova_2_lr = list(
      fem = ratio(lrtest(zi(art ~ mar + kid5 + phd + ment | ment, "negbin"), zinb)),
      kid5 = ratio(lrtest(zi(art ~ fem + mar + phd + ment | ment, "negbin"), zinb)),
      phd = ratio(lrtest(zi(art ~ fem + mar + kid5 + ment | ment, "negbin"), zinb))
    )
  )
)

# ---------------------------------------------------------------- NMES 1988, hurdle

nmes <- read_data("dataset:nmes1988", list(
  health = c("average", "poor", "excellent"), gender = c("female", "male"),
  insurance = c("no", "yes")
))
hu <- function(formula) hurdle(formula, nmes, dist = "negbin", control = hurdle.control(
  reltol = 1e-15, maxit = 50000
))
hurdled <- hu(visits ~ hospital + health + chronic + gender | hospital + health + chronic + gender)
without <- hu(visits ~ hospital + chronic + gender | hospital + health + chronic + gender)
zero <- hu(visits ~ hospital + health + chronic + gender | hospital + chronic + gender)
write_tests(
  "nmes1988_hurdle", "A. Zeileis, C. Kleiber and S. Jackman (2008), JSS 27(8)", "dataset:nmes1988",
  "visits ~ hospital + health + chronic + gender",
  list(family = "negbin", hurdle = "hospital + health + chronic + gender"),
  list(anova_2_lr = list(health = ratio(lrtest(without, hurdled)),
                         hurdle_health = ratio(lrtest(zero, hurdled))))
)
