# The golden cases with parts. Sourced by make_golden_parts.R, which defines golden_part().
# `published` holds figures as printed in the source named; a comment would repeat it.

# ---------------------------------------------------------------- NMES 1988

zeileis <- paste(
  "A. Zeileis, C. Kleiber and S. Jackman (2008), Regression models for count data in R,",
  "Journal of Statistical Software 27(8), section 4; vignette countreg of the R package pscl"
)
nmes_names <- c(
  "Intercept", "hospital", "C(health, Treatment('average'))[T.poor]",
  "C(health, Treatment('average'))[T.excellent]", "chronic", "gender[T.male]", "school",
  "insurance[T.yes]"
)
nmes_right <- paste(
  "hospital + C(health, Treatment('average')) + chronic + gender + school + insurance"
)
nmes_text <- paste("visits ~", nmes_right)
nmes_reduced <- "hospital + chronic + gender + school + insurance"
nmes_mean <- visits ~ hospital + health + chronic + gender + school + insurance
nmes_full <- list(mean = nmes_mean, zero = ~hospital + health + chronic + gender + school + insurance)
nmes_less <- list(mean = nmes_mean, zero = ~hospital + chronic + gender + school + insurance)
nmes_new <- list(
  hospital = c(0, 2, 0), health = c("average", "poor", "excellent"), chronic = c(0, 3, 1),
  gender = c("female", "male", "female"), school = c(12, 8, 16), insurance = c("yes", "no", "yes")
)
nmes <- function(case, r, call, ...) {
  golden_part(
    case, zeileis, "dataset:nmes1988", r, nmes_text, call,
    levels = list(
      health = c("average", "poor", "excellent"), gender = c("female", "male"),
      insurance = c("no", "yes")
    ),
    factors = list(
      health = "C(health, Treatment('average'))", gender = "gender", insurance = "insurance"
    ),
    newdata = nmes_new, zeros = TRUE, ...
  )
}
# The models without parts, for the zeros they expect: 683 are observed.
nmes(
  "nmes1988_poisson_zeros", list(mean = nmes_mean), list(family = "poisson"),
  published = list(expected_zeros = "47", llf = "-17971.612811")
)
nmes(
  "nmes1988_negbin_zeros", list(mean = nmes_mean), list(family = "negbin"),
  published = list(expected_zeros = "608", llf = "-12170.553598")
)
hurdle_names <- paste0("hurdle_", nmes_names)
nmes(
  "nmes1988_hurdle_negbin", nmes_full, list(family = "negbin", hurdle = nmes_right),
  wald = list(hurdle_names[3:4], nmes_names[3:4]),
  published = list(
    theta = "1.3955", wald = list(list(statistic = "4.1213", pvalue = "0.1274"))
  ),
  loose = list(approximately(
    "3e-6", "pscl's optim stops early; log theta is printed",
    params = literals(c(nmes_names, hurdle_names), paste(
      "1.197699 0.211898 0.315958 -0.331861 0.126421 -0.068317 0.020693 0.100172",
      "0.043147 0.312449 -0.008716 -0.289570 0.535213 -0.415658 0.058541 0.747120"
    )),
    bse = literals(c(nmes_names, hurdle_names), paste(
      "0.058973 0.021396 0.048056 0.066093 0.012452 0.032416 0.004535 0.042619",
      "0.139852 0.091437 0.161024 0.142682 0.045378 0.087608 0.011989 0.100880"
    )),
    lnalpha = "-0.333255", lnalpha_bse = "0.042754"
  ))
)
nmes(
  "nmes1988_hurdle_negbin_reduced", nmes_less, list(family = "negbin", hurdle = nmes_reduced),
  published = list(llf = "-12090.1", aic = "24210.1", bic = "24306.0", expected_zeros = "683")
)
nmes("nmes1988_hurdle_poisson", nmes_full, list(family = "poisson", hurdle = nmes_right))
# A zero part of negative binomial counts: that of the biochemists has no maximum, its alpha goes
# to infinity.
for (family in c("poisson", "negbin", "geometric")) {
  nmes(
    paste("nmes1988_hurdle", family, "negbin", sep = "_"), nmes_full,
    list(family = family, hurdle = nmes_right, zero = "negbin")
  )
}
inflate_names <- paste0("inflate_", nmes_names)
nmes(
  "nmes1988_zinb", nmes_full, list(family = "negbin", inflate = nmes_right),
  wald = list(inflate_names[3:4], nmes_names[3:4]),
  published = list(wald = list(list(statistic = "0.1584", pvalue = "0.9238")))
)
nmes(
  "nmes1988_zinb_reduced", nmes_less, list(family = "negbin", inflate = nmes_reduced),
  published = list(
    params = literals(inflate_names[-(3:4)], "-0.047 -0.800 -1.248 0.648 -0.084 -1.176"),
    bse = literals(inflate_names[-(3:4)], "0.269 0.421 0.178 0.200 0.026 0.220"),
    llf = "-12090.722012", aic = "24211.4", expected_zeros = "709"
  )
)
nmes("nmes1988_zip", nmes_full, list(family = "poisson", inflate = nmes_right))

# ---------------------------------------------------------------- biochemists

long <- paste(
  "J. S. Long (1997), Regression Models for Categorical and Limited Dependent Variables, Sage,",
  "chapter 8; data bioChemists of the R package pscl"
)
bio_names <- c(
  "Intercept", "fem[T.Women]", "C(mar, Treatment('Single'))[T.Married]", "kid5", "phd", "ment"
)
bio_right <- "fem + C(mar, Treatment('Single')) + kid5 + phd + ment"
bio_text <- paste("art ~", bio_right)
bio_mean <- art ~ fem + mar + kid5 + phd + ment
bio_all <- list(mean = bio_mean, zero = ~fem + mar + kid5 + phd + ment)
bio_one <- list(mean = bio_mean, zero = ~1)
bio_inflate <- paste0("inflate_", bio_names)
bio_new <- list(
  fem = c("Women", "Men", "Men"), mar = c("Single", "Married", "Single"), kid5 = c(0, 2, 1),
  phd = c(3.5, 1.25, 2), ment = c(4, 30, 0)
)
bio <- function(case, r, call, ..., formula = bio_text, source = long) {
  golden_part(
    paste0("biochemists_", case), source, "dataset:biochemists", r, formula, call,
    levels = list(fem = c("Men", "Women"), mar = c("Single", "Married")),
    factors = list(fem = "fem", mar = "C(mar, Treatment('Single'))"), newdata = bio_new, ...
  )
}
bio(
  "poisson_zeros", list(mean = bio_mean), list(family = "poisson"), zeros = TRUE,
  published = list(expected_zeros = "191.4245", llf = "-1651.0563")
)

# Vuong's test of Poisson against the zero-inflated model, with pscl's corrections.
vuong_values <- function(values, model, frame) {
  plain <- glm(bio_mean, poisson(), frame, control = glm.control(epsilon = 1e-14))
  b <- unlist(values$params)
  rows <- model$rows(linear_predictors(model, b))$value
  m <- dpois(frame$art, fitted(plain), log = TRUE) - rows
  n <- length(m)
  extra <- length(coef(plain)) - length(b)
  statistic <- function(correction) (sum(m) - correction) / (sd(m) * sqrt(n))
  values$vuong <- list(
    against = "biochemists_poisson_zeros", raw = statistic(0), aic = statistic(extra),
    bic = statistic(extra * log(n) / 2)
  )
  values
}
bio(
  "zip", bio_all, list(family = "poisson", inflate = bio_right), zeros = TRUE,
  change = vuong_values,
  published = list(
    params = literals(c(bio_names, bio_inflate), paste(
      "0.640838 -0.209145 0.103751 -0.143320 -0.006166 0.018098",
      "-0.577060 0.109747 -0.354013 0.217101 0.001272 -0.134114"
    )),
    llf = "-1604.772853", aic = "3233.5",
    vuong = list(raw = "-4.1805", aic = "-3.6386", bic = "-2.3328")
  ),
  loose = list(approximately("1e-6", "pscl's optim stops early", expected_zeros = "273.1897"))
)
bio(
  "zinb", bio_all, list(family = "negbin", inflate = bio_right), zeros = TRUE,
  wald = list(bio_inflate[2:4], bio_names[2:4]),
  published = list(
    params = literals(c(bio_names, bio_inflate, "alpha"), paste(
      "0.416747 -0.195507 0.097583 -0.151732 -0.000700 0.024786",
      "-0.191686 0.635933 -1.499469 0.628427 -0.037715 -0.882293 0.376681"
    )),
    llf = "-1549.990887"
  )
)
bio(
  "zip_constant", bio_one, list(family = "poisson", inflate = "1"),
  published = list(llf = "-1620.783966")
)
# No maximum inside: the intercept of the zero part goes to minus infinity, and what is left is
# the negative binomial regression, whose log-likelihood is the supremum.
no_inflation <- function(r, frame, naming) {
  model <- model_of(list(mean = bio_mean), list(family = "negbin"), frame, naming, NULL)
  found <- maximize(model, plain_start(model, list(family = "negbin")), FALSE)
  both <- model_of(r, list(family = "negbin", inflate = "1"), frame, naming, NULL)
  k <- length(found$b) - 1
  # Even the best place at a given intercept stays below, and the less so the lower it is.
  at <- function(zero) log_likelihood(both, c(found$b[seq_len(k)], zero, found$b[k + 1]))
  stopifnot(diff(vapply(c(-3, -6, -9, -12), at, 0)) > 0, at(-12) < found$value)
  rows <- both$rows(linear_predictors(both, c(found$b[seq_len(k)], -30, found$b[k + 1])))
  stopifnot(sum(rows$gradient[, 2]) < 0)
  cat(sprintf("biochemists_zinb_constant: llf %.12f at the boundary\n", found$value))
  list(
    boundary = "inflation = 0", kind = "inflation_boundary", llf = found$value,
    limit_params = as.list(setNames(natural(model, found$b)$value, parameter_names(model))),
    nobs = nrow(frame)
  )
}
bio(
  "zinb_constant", bio_one, list(family = "negbin", inflate = "1"), boundary = no_inflation,
  published = list(llf = "-1560.9583")
)
# Sex in the zero part would separate it: only women would have structural zeros.
bio(
  "zigeometric", list(mean = bio_mean, zero = ~kid5 + ment),
  list(family = "geometric", inflate = "kid5 + ment")
)
for (link in c("probit", "cloglog")) {
  bio(paste0("zip_", link), bio_all, list(family = "poisson", inflate = bio_right, zero = link))
  bio(paste0("zinb_", link), bio_all, list(family = "negbin", inflate = bio_right, zero = link))
}
for (family in c("poisson", "negbin", "geometric")) {
  for (zero in c("logit", "probit", "cloglog", "poisson", "geometric")) {
    bio(
      paste("hurdle", family, zero, sep = "_"), bio_all,
      c(list(family = family, hurdle = bio_right), if (zero != "logit") list(zero = zero)),
      zeros = TRUE
    )
  }
}

# Offsets in the count part, in the zero part, in both.
with_phd <- art ~ fem + mar + kid5 + phd + ment + offset(log(phd))
offset_text <- paste(bio_text, "+ offset(np.log(phd))")
offset_right <- paste(bio_right, "+ offset(np.log(phd))")
zero_phd <- ~fem + mar + kid5 + phd + ment + offset(log(phd))
bio(
  "zip_offset", list(mean = with_phd, zero = bio_all$zero),
  list(family = "poisson", inflate = bio_right), formula = offset_text
)
bio(
  "zinb_zero_offset", list(mean = bio_mean, zero = zero_phd),
  list(family = "negbin", inflate = offset_right)
)
bio(
  "zip_offsets", list(mean = with_phd, zero = ~fem + offset(log(phd))),
  list(family = "poisson", inflate = "fem + offset(np.log(phd))"), formula = offset_text
)
bio(
  "hurdle_negbin_offset", list(mean = with_phd, zero = bio_all$zero),
  list(family = "negbin", hurdle = bio_right), formula = offset_text
)
bio(
  "hurdle_poisson_zero_offset", list(mean = bio_mean, zero = zero_phd),
  list(family = "poisson", hurdle = offset_right)
)
bio(
  "hurdle_negbin_poisson_offsets", list(mean = with_phd, zero = ~fem + ment + offset(log(phd))),
  list(family = "negbin", hurdle = "fem + ment + offset(np.log(phd))", zero = "poisson"),
  formula = offset_text
)

# ---------------------------------------------------------------- other families

one_part <- c("negbin1", "genpoisson", "compoisson")
for (family in one_part) {
  bio(family, list(mean = bio_mean), list(family = family))
  bio(paste0(family, "_offset"), list(mean = with_phd), list(family = family), formula = offset_text)
}
bio("genpoisson2", list(mean = bio_mean), list(family = "genpoisson2"))
bio("zinb1", list(mean = bio_mean, zero = ~ment), list(family = "negbin1", inflate = "ment"))
bio("zigenpoisson", list(mean = bio_mean, zero = ~ment), list(family = "genpoisson", inflate = "ment"))
bio("hurdle_negbin1", bio_all, list(family = "negbin1", hurdle = bio_right))
bio("hurdle_genpoisson", bio_all, list(family = "genpoisson", hurdle = bio_right))

# log alpha with regressors of its own; glmmTMB has log theta, whose signs are the other way.
bio(
  "negbin_dispersion", list(mean = bio_mean, dispersion = ~ment),
  list(family = "negbin", dispersion = "ment")
)
bio(
  "negbin1_dispersion", list(mean = bio_mean, dispersion = ~fem + ment),
  list(family = "negbin1", dispersion = "fem + ment")
)
bio(
  "zinb_dispersion", list(mean = bio_mean, zero = ~ment, dispersion = ~fem),
  list(family = "negbin", inflate = "ment", dispersion = "fem")
)

# Right-censored: a count at or above the limit says only that.
for (family in c("poisson", "negbin", "geometric")) {
  bio(paste0(family, "_censored"), list(mean = bio_mean), list(family = family, censored = 3))
  bio(
    paste0(family, "_censored_by_row"), list(mean = bio_mean),
    list(family = family, censored = "most"), derive = list(most = "kid5 + 2")
  )
}

# ---------------------------------------------------------------- warpbreaks

warp <- function(family, ...) {
  golden_part(
    paste0("warpbreaks_", family),
    "L. H. C. Tippett (1950), Technological Applications of Statistics; fits by R",
    "dataset:warpbreaks", list(mean = breaks ~ wool + tension),
    "breaks ~ wool + C(tension, Treatment('L'))", list(family = family),
    levels = list(wool = c("A", "B"), tension = c("L", "M", "H")),
    factors = list(wool = "wool", tension = "C(tension, Treatment('L'))"),
    newdata = list(wool = c("A", "B", "B"), tension = c("L", "M", "H")), ...
  )
}
for (family in c(one_part, "genpoisson2")) warp(family)

# ---------------------------------------------------------------- quine

venables <- "W. N. Venables and B. D. Ripley (2002), Modern Applied Statistics with S, section 7.4"
quine <- function(case, family, ..., r = list(mean = Days ~ Eth + Sex + Age + Lrn), call = list()) {
  golden_part(
    paste0("quine_", case), venables, "dataset:quine", r, "Days ~ Eth + Sex + Age + Lrn",
    c(list(family = family), call),
    levels = list(
      Eth = c("A", "N"), Sex = c("F", "M"), Age = c("F0", "F1", "F2", "F3"), Lrn = c("AL", "SL")
    ),
    factors = list(Eth = "Eth", Sex = "Sex", Age = "Age", Lrn = "Lrn"),
    newdata = list(
      Eth = c("N", "A"), Sex = c("F", "M"), Age = c("F0", "F3"), Lrn = c("AL", "SL")
    ),
    ...
  )
}
for (family in one_part) quine(family, family)
quine(
  "negbin_dispersion", "negbin", call = list(dispersion = "Eth + Lrn"),
  r = list(mean = Days ~ Eth + Sex + Age + Lrn, dispersion = ~Eth + Lrn)
)
for (family in c("poisson", "negbin", "negbin1", "geometric", "genpoisson"))
  quine(paste0(family, "_truncated"), family, call = list(truncated = 0), subset = "Days > 0")

# ---------------------------------------------------------------- doctor visits

trivedi <- "A. C. Cameron and P. K. Trivedi, Microeconometrics Using Stata; figures of"
docvis_names <- c("aget", "totchr", "Intercept")
docvis <- function(case, figures, call, r = list(mean = docvis ~ aget + totchr), ...,
                   formula = "docvis ~ aget + totchr", newdata = docvis_new) {
  golden_part(
    paste0("docvis_", case), paste(trivedi, figures), "statsmodels:docvis", r, formula, call,
    newdata = newdata, ...
  )
}
# The first row is the mean of the data.
docvis_frame <- read_data("statsmodels:docvis")
docvis_new <- list(
  aget = c(mean(docvis_frame$aget), 0.5, 2), totchr = c(mean(docvis_frame$totchr), 0, 4)
)
truncated_stata <- function(case, call, subset, llf, coefficients, errors, alpha = NULL,
                            tolerance = "1e-6") {
  names <- c(docvis_names, if (!is.null(alpha)) "lnalpha")
  coefficients <- literals(names, coefficients)
  errors <- literals(names, errors)
  figures <- c(
    list(params = coefficients[docvis_names], bse = errors[docvis_names]),
    if (!is.null(alpha))
      list(lnalpha = coefficients$lnalpha, lnalpha_bse = errors$lnalpha, alpha = alpha)
  )
  docvis(
    case, "Stata's tpoisson and tnbreg in statsmodels, discrete/tests/results/results_truncated_st.py",
    call, subset = subset,
    loose = list(
      approximately("1e-11", "last digits of Stata's sum", llf = llf),
      list(tolerance = tolerance, why = "Stata's maximiser stops early", figures = figures)
    )
  )
}
truncated_stata(
  "poisson_truncated", list(family = "poisson", truncated = 0), "docvis > 0",
  "-12557.82361740294", ".01227632422998 .20994371600381 1.5417559978312",
  ".00504328169164 .00449374445996 .01547272444235"
)
truncated_stata(
  "negbin_truncated", list(family = "negbin", truncated = 0), "docvis > 0",
  "-9335.541732372312", ".01798960271895 .23731215078822 1.4035619564653 -.53039277265033",
  ".01237555909354 .01166878414467 .0366296524502 .04237842368148", ".5883738271406221"
)
truncated_stata(
  "poisson_truncated_at_1", list(family = "poisson", truncated = 1), "docvis > 1",
  "-11046.46816018163", ".00741559993424 .18069681610939 1.6905464469665",
  ".00511787438189 .00462967674542 .01602194453256"
)
truncated_stata(
  "negbin_truncated_at_1", list(family = "negbin", truncated = 1), "docvis > 1",
  "-8359.758837862872", ".01248138313122 .22357307664024 1.4174570100091 -.43643003824212",
  ".01373594189048 .01291927204045 .0439841469348 .05825731989132", ".6463397153671251",
  tolerance = "5e-5"
)
hurdle_docvis <- c("Intercept", "aget", "totchr")
both_docvis <- c(hurdle_docvis, paste0("hurdle_", hurdle_docvis))
docvis(
  "hurdle_poisson_poisson",
  "pscl's hurdle in statsmodels, discrete/tests/results/results_truncated.py",
  list(family = "poisson", hurdle = "aget + totchr", zero = "poisson"),
  r = list(mean = docvis ~ aget + totchr, zero = ~aget + totchr),
  loose = list(
    approximately(
      "1e-11", "pscl's optim stops early", llf = "-13612.9091771797", aic = "27237.81835436",
      bic = "27274.9986288"
    ),
    approximately(
      "1e-5", "pscl's optim stops early",
      params = literals(both_docvis, paste(
        "1.54175599063303 0.0122763123129474 0.209943725275436",
        "0.216740121452838 0.0189277243223132 0.386748883124962"
      )),
      bse = literals(both_docvis, paste(
        "0.0154727114729348 0.00504327547820388 0.00449373404468738",
        "0.0491761691242311 0.0187496185721929 0.0237172557549267"
      ))
    ),
    approximately(
      "1e-6", "pscl's optim stops early; the first row is the mean of the data",
      predictions = list(
        mean = list("6.530525236464"), mean_main = list("7.036041748046"),
        prob = list(
          list("0.07266312350019"), list("0.005744258908698"), list("0.02020842274659"),
          list("0.04739576870239")
        )
      )
    )
  )
)
zinb_names <- c("private", "medicaid", "aget", "aget2", "educyr", "actlim", "totchr", "Intercept")
docvis(
  "zinb", "Stata's zinb in statsmodels, discrete/tests/results/results_predict.py",
  list(family = "negbin", inflate = "aget"),
  r = list(mean = docvis ~ private + medicaid + aget + aget2 + educyr + actlim + totchr, zero = ~aget),
  formula = "docvis ~ private + medicaid + aget + aget2 + educyr + actlim + totchr",
  newdata = list(
    private = c(1, 0), medicaid = c(0, 1), aget = c(0.5, 1.3), aget2 = c(0.25, 1.69),
    educyr = c(12, 7), actlim = c(0, 1), totchr = c(1, 4)
  ),
  loose = list(
    approximately("1e-9", "Stata's maximiser stops early", llf = "-10404.95308201019"),
    approximately(
      "2e-4", "Stata's maximiser stops early",
      params = literals(zinb_names, paste(
        ".18517571292817 .08473133853831 .22335574980273 -.04804896097964 .0269244937276",
        ".17042579343453 .27500074932161 .67986743798706"
      )),
      bse = literals(zinb_names, paste(
        ".03350948180038 .04717665613525 .04293022169984 .01006690700638 .00419096037609",
        ".03449014549225 .01226558007071 .06944204778986"
      )),
      lnalpha = "-.4845756474516", lnalpha_bse = ".03531398529193"
    ),
    approximately(
      "6e-2", "the zero part is nearly flat, and Stata's maximiser stops early",
      params = list(inflate_aget = "-1.2833474076485", inflate_Intercept = "-6.5587800419911"),
      bse = list(inflate_aget = "3.692336844421", inflate_Intercept = "13.305282477745")
    )
  )
)

# ---------------------------------------------------------------- RAND Health Insurance Experiment

rand_source <- paste(
  "W. Manning and others (1987), Health insurance and the demand for medical care, American",
  "Economic Review 77, 251-277; figures of Stata in statsmodels,",
  "discrete/tests/results/results_discrete.py"
)
rand_names <- c(
  "lncoins", "idp", "lpi", "fmde", "physlm", "disea", "hlthg", "hlthf", "hlthp", "Intercept"
)
rand <- function(case, call, ..., r = list(
                   mean = mdvis ~ lncoins + idp + lpi + fmde + physlm + disea + hlthg + hlthf + hlthp
                 ), formula = paste("mdvis ~", paste(rand_names[1:9], collapse = " + "))) {
  golden_part(
    paste0("randhie_", case), rand_source, "statsmodels:randhie", r, formula, call,
    newdata = list(
      lncoins = c(4.61512, 0), idp = c(1, 0), lpi = c(6.907755, 0), fmde = c(0, 6.5),
      physlm = c(0, 0.144292), disea = c(13.73189, 4), hlthg = c(1, 0), hlthf = c(0, 1),
      hlthp = c(0, 0)
    ),
    ...
  )
}
rand(
  "negbin1", list(family = "negbin1"),
  loose = list(
    approximately(
      "1e-12", "last digits of Stata's sum", llf = "-43278.75612911823", aic = "86579.51225823645655",
      bic = "86666.55462806082505"
    ),
    approximately(
      "1e-5", "Stata's maximiser stops early",
      params = literals(c(rand_names, "alpha"), paste(
        "-.065317260803762961 -.296023807893893376 .041187021258044826 -.032028789543547605",
        ".19065933246421754 .031871625115758778 -.033250849053302826 -.04850769174426571",
        ".111813637465757343 .757277086555503409 3.731151380800305"
      )),
      lnalpha = "1.316716867203", lnalpha_bse = ".0168876692"
    )
  )
)
rand(
  "genpoisson2", list(family = "genpoisson2"),
  loose = list(
    approximately(
      "1e-9", "Stata holds the data in single precision", llf = "-43326.42720093228", aic = "86674.854401865",
      bic = "86761.896771689"
    ),
    approximately(
      "1e-5", "Stata's maximiser stops early",
      params = literals(c(rand_names, "alpha"), paste(
        "-0.0604495342 -0.277717228 0.0438136144 -0.0395811744 0.273044906 0.0399108677",
        "-0.0552626543 -0.001227569488 0.151980519 0.651125316 0.448085318"
      )),
      bse = literals(c(rand_names, "alpha"), paste(
        "0.00634704 0.02381906 0.00443871 0.00355094 0.0334247 0.00166303 0.02102142 0.0390845",
        "0.087821 0.02626823 0.00562825"
      ))
    )
  )
)
zip_rand <- c("inflate_lncoins", "inflate_Intercept", "idp", "lpi", "fmde", "Intercept")
single <- "Stata holds the data in single precision"
zip <- function(case, call, coefficients, errors, ..., loose = list()) {
  rand(
    case, c(list(family = "poisson", inflate = "lncoins"), call),
    r = list(mean = mdvis ~ idp + lpi + fmde, zero = ~lncoins), formula = "mdvis ~ idp + lpi + fmde",
    published = list(params = literals(zip_rand, coefficients), ...),
    loose = c(loose, list(approximately("1e-7", single, bse = literals(zip_rand, errors))))
  )
}
zip(
  "zip", list(), ".1033783 -1.045983 -.0821979 .0085692 -.0267957 1.482363",
  "0.0079912 0.0223551 .0107145 .0018697 .0014121 .0085915", aic = "114023.444",
  loose = list(approximately("1e-10", single, llf = "-57005.72199826186"))
)
zip(
  "zip_probit", list(zero = "probit"), ".0622534 -.6429324 -.0821788 .0085673 -.0267952 1.482369",
  ".0048228 .0132516 .0107142 .0018697 .0014121 .0085913", llf = "-57006.05", aic = "114024.1"
)
rand(
  "geometric", list(family = "geometric", information = "observed"),
  loose = list(approximately("1e-8", "statsmodels' BFGS stops early", llf = "-43540.58000589021"))
)
