# The golden cases. Sourced by make_golden.R, which defines golden(), literals() and the fits.
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
nmes <- function(case, ...) {
  golden(
    case, zeileis, "dataset:nmes1988",
    levels = list(
      health = c("average", "poor", "excellent"), gender = c("female", "male"),
      insurance = c("no", "yes")
    ),
    factors = list(
      health = "C(health, Treatment('average'))", gender = "gender", insurance = "insurance"
    ),
    ...
  )
}
nmes_r <- visits ~ hospital + health + chronic + gender + school + insurance
nmes_text <- paste(
  "visits ~ hospital + C(health, Treatment('average')) + chronic + gender + school + insurance"
)
nmes_new <- list(
  hospital = c(0, 2, 0), health = c("average", "poor", "excellent"), chronic = c(0, 3, 1),
  gender = c("female", "male", "female"), school = c(12, 8, 16), insurance = c("yes", "no", "yes")
)
nmes_wald <- list(nmes_names[3:4], nmes_names[7])
poisson_coefficients <- literals(
  nmes_names, "1.028874 0.164797 0.248307 -0.361993 0.146639 -0.112320 0.026143 0.201687"
)
nmes(
  "nmes1988_poisson", nmes_r, nmes_text, newdata = nmes_new, wald = nmes_wald,
  published = list(
    params = poisson_coefficients,
    bse = literals(
      nmes_names, "0.023785 0.005997 0.017845 0.030304 0.004580 0.012945 0.001843 0.016860"
    ),
    bse_robust = list(HC0 = literals(
      nmes_names[-6], "0.064530 0.021945 0.054022 0.077449 0.012908 0.005084 0.043128"
    )),
    llf = "-17971.612811", aic = "35959", bic = "36010.4", null_deviance = "26943",
    deviance = "23168", df_resid = "4398"
  ),
  loose = list(approximately(
    "1e-6", "R's default epsilon; the maximum gives 0.03534351",
    bse_robust = list(HC0 = list("gender[T.male]" = "0.035343"))
  ))
)
nmes(
  "nmes1988_quasipoisson", nmes_r, nmes_text, "quasipoisson", newdata = nmes_new, wald = nmes_wald,
  published = list(params = poisson_coefficients, scale = "6.706136", df_resid = "4398")
)
nmes(
  "nmes1988_negbin", nmes_r, nmes_text, "negbin", newdata = nmes_new, wald = nmes_wald,
  published = list(
    params = literals(nmes_names, "0.929 0.218 0.305 -0.342 0.175 -0.126 0.027 0.224"),
    bse_expected = literals(
      nmes_names, "0.054591 0.020176 0.048511 0.060924 0.012092 0.031216 0.004394 0.039464"
    ),
    llf = "-12170.553598", aic = "24359.1", bic = "24416.6", theta = "1.206604",
    deviance = "5044.5428"
  )
)
nmes(
  "nmes1988_negbin_offset",
  visits ~ hospital + health + chronic + gender + school + insurance + offset(log(age)),
  nmes_text, "negbin", call = list(offset = "np.log(age)"),
  newdata = c(nmes_new, list(age = c(6.6, 8.1, 7)))
)
nmes(
  "nmes1988_poisson_sqrt", nmes_r, nmes_text, link = "sqrt", call = list(link = "sqrt"),
  newdata = nmes_new
)

# ---------------------------------------------------------------- biochemists

long <- paste(
  "J. S. Long (1997), Regression Models for Categorical and Limited Dependent Variables, Sage,",
  "chapter 8; log-likelihoods as printed by Stata's poisson and nbreg"
)
bio_names <- c(
  "Intercept", "fem[T.Women]", "C(mar, Treatment('Single'))[T.Married]", "kid5", "phd", "ment"
)
bio <- function(case, ...) {
  golden(
    case, long, "dataset:biochemists", art ~ fem + mar + kid5 + phd + ment,
    "art ~ fem + C(mar, Treatment('Single')) + kid5 + phd + ment",
    levels = list(fem = c("Men", "Women"), mar = c("Single", "Married")),
    factors = list(fem = "fem", mar = "C(mar, Treatment('Single'))"),
    newdata = list(
      fem = c("Women", "Men"), mar = c("Single", "Married"), kid5 = c(0, 2), phd = c(3.5, 1.25),
      ment = c(4, 30)
    ),
    ...
  )
}
bio(
  "biochemists_poisson", wald = list(bio_names[2:4], "phd"),
  published = list(
    params = literals(bio_names, "0.304617 -0.224594 0.155243 -0.184883 0.012823 0.025543"),
    bse = literals(bio_names, "0.102982 0.054614 0.061375 0.040127 0.026397 0.002006"),
    llf = "-1651.0563", deviance = "1634.37098", null_deviance = "1817.40530",
    pearson_chi2 = "1662.54655"
  )
)
bio(
  "biochemists_negbin", "negbin", wald = list(bio_names[2:4], "phd"),
  published = list(
    params = literals(
      c(bio_names, "alpha"), "0.256144 -0.216418 0.150489 -0.176415 0.015271 0.029082 0.441620"
    ),
    bse = literals(
      c(bio_names, "alpha"), "0.138560 0.072672 0.082106 0.053060 0.036040 0.003470 0.052967"
    ),
    bse_expected = literals(bio_names, "0.137348 0.072636 0.082097 0.052813 0.035873 0.003214"),
    llf = "-1560.9583", llnull = "-1609.9367", alpha = "0.441620", theta = "2.264388",
    deviance = "1004.2815"
  )
)
bio("biochemists_poisson_sqrt", link = "sqrt", call = list(link = "sqrt"))

# ---------------------------------------------------------------- quine

julia <- paste(
  "W. N. Venables and B. D. Ripley (2002), Modern Applied Statistics with S, section 7.4;",
  "figures of GLM.jl, test/runtests.jl, made with R"
)
quine_names <- c(
  "Intercept", "Eth[T.N]", "Sex[T.M]", "Age[T.F1]", "Age[T.F2]", "Age[T.F3]", "Lrn[T.SL]"
)
quine_levels <- list(
  Eth = c("A", "N"), Sex = c("F", "M"), Age = c("F0", "F1", "F2", "F3"), Lrn = c("AL", "SL")
)
quine_factors <- list(Eth = "Eth", Sex = "Sex", Age = "Age", Lrn = "Lrn")
quine_new <- list(
  Eth = c("N", "A"), Sex = c("F", "M"), Age = c("F0", "F3"), Lrn = c("AL", "SL")
)
quine <- function(case, model, ..., r = Days ~ Eth + Sex + Age + Lrn,
                  formula = "Days ~ Eth + Sex + Age + Lrn", newdata = quine_new) {
  golden(
    case, julia, "dataset:quine", r, formula, model, levels = quine_levels,
    factors = quine_factors, newdata = newdata, ...
  )
}
quine(
  "quine_poisson", "poisson", wald = list(quine_names[4:6]),
  published = list(llf = "-1142.591815", deviance = "1696.70655")
)
quine(
  "quine_negbin_theta2", 2, wald = list(quine_names[4:6]),
  published = list(
    deviance = "239.11105548233", llf = "-553.25960226238", bic = "1141.404451"
  ),
  loose = list(
    approximately(
      "2e-8", "Fisher scoring stopped by the deviance at epsilon = 1e-14",
      params = literals(quine_names, paste(
        "2.886592252542 -0.567662897246 0.086977903102 -0.445005186496 0.092830013819",
        "0.359365895875 0.296709676251"
      ))
    ),
    approximately("1e-14", "double precision of GLM.jl", null_deviance = "280.1806722491237"),
    approximately("1e-9", "last digit cut, not rounded", aic = "1120.519204")
  )
)
quine(
  "quine_negbin", "negbin", wald = list(quine_names[4:6]),
  published = list(
    params = literals(quine_names, paste(
      "2.894580 -0.569372 0.082320 -0.448428 0.088080 0.356901 0.292109"
    )),
    bse_expected = literals(
      quine_names, "0.228425 0.153333 0.159915 0.239747 0.236193 0.248324 0.186475"
    ),
    theta = "1.27489265", theta_bse = "0.161046"
  ),
  loose = list(
    approximately("1e-4", "theta of GLM.jl stops early", params = literals(quine_names, paste(
      "2.894527697811509 -0.5693411448715979 0.08238813087070128 -0.4484636623590206",
      "0.08805060372902418 0.3569553124412582 0.2921383118842893"
    ))),
    approximately(
      "1e-9", "theta of GLM.jl stops early", deviance = "167.95180082058",
      null_deviance = "195.28663645285", llf = "-546.57550938017", aic = "1109.15101876034",
      bic = "1133.0198717340068"
    )
  )
)
quine(
  "quine_geometric", 1,
  published = list(deviance = "137.87815806872", llf = "-548.37112760782")
)
quine(
  "quine_negbin_weighted", "negbin",
  weights = function(frame) rep(c(0.8, 1.2), each = 73),
  call = list(weights = rep(c(0.8, 1.2), each = 73), weights_type = "frequency"),
  loose = list(approximately(
    "1e-12", "theta of GLM.jl stops early", deviance = "168.40423864387", llf = "-537.77608183617"
  ))
)
quine(
  "quine_nested", "negbin", r = Days ~ Sex / (Age + Eth * Lrn),
  formula = "Days ~ Sex/(Age + Eth*Lrn)", full = "Sex",
  published = list(theta = "1.597991", llf = "-531.512511")
)
quine("quine_poisson_sqrt", "poisson", link = "sqrt", call = list(link = "sqrt"))

# ---------------------------------------------------------------- Dobson

r_glm <- paste(
  "A. J. Dobson (1990), An Introduction to Generalized Linear Models, page 93; R's page on glm",
  "and its recorded output tests/Examples/stats-Ex.Rout.save; GLM.jl, test/runtests.jl"
)
dobson_names <- c("Intercept", "outcome[T.o2]", "outcome[T.o3]", "treatment[T.t2]", "treatment[T.t3]")
dobson_levels <- list(outcome = c("o1", "o2", "o3"), treatment = c("t1", "t2", "t3"))
dobson_factors <- list(outcome = "outcome", treatment = "treatment")
dobson_new <- list(outcome = c("o3", "o1", "o2"), treatment = c("t2", "t1", "t3"))
dobson <- function(case, ...) {
  golden(
    case, r_glm, "dataset:dobson", counts ~ outcome + treatment, "counts ~ outcome + treatment",
    levels = dobson_levels, factors = dobson_factors, newdata = dobson_new, ...
  )
}
dobson(
  "dobson_poisson", wald = list(dobson_names[2:3], dobson_names[4:5]),
  published = list(
    params = literals(dobson_names, "3.044522 -0.454255 -0.292987 0 0"),
    bse = literals(dobson_names, "0.170899 0.202171 0.192742 0.2 0.2"),
    deviance = "5.12914107700115", null_deviance = "10.581445863750867",
    llf = "-23.380659200978837", llnull = "-26.10681159435372", aic = "56.76131840195767",
    aicc = "76.76131840195768", bic = "57.74744128863877", pearson_chi2 = "5.1732",
    conf_int = list(
      Intercept = c("2.7095672", "3.37947764"), "outcome[T.o2]" = c("-0.8505027", "-0.05800787"),
      "outcome[T.o3]" = c("-0.6707552", "0.08478093"),
      "treatment[T.t2]" = c("-0.3919928", "0.3919928"),
      "treatment[T.t3]" = c("-0.3919928", "0.3919928")
    )
  ),
  loose = list(approximately(
    "1e-7", "R's default epsilon", rows = list(cooks = c(
      "0.35162220", "0.43125000", "0.01468043", "0.03906913", "0.35640497", "0.62024818",
      "0.62510614", "0.00356405", "0.44408301"
    ))
  ))
)
dobson("dobson_quasipoisson", "quasipoisson", published = list(scale = "1.2933"))
dobson_weights <- c(1.5, 2, 1.1, 4.5, 2.4, 3.5, 5.6, 5.4, 6.7)
dobson_weighted <- list(approximately(
  "1e-14", "double precision of GLM.jl",
  params = literals(dobson_names, paste(
    "3.1218557035404793 -0.5270435906931427 -0.40300384148562746 -0.017850203824417415",
    "-0.03507851122782909"
  )),
  deviance = "17.699857821414266", llf = "-84.57429468506352"
))
dobson(
  "dobson_frequency", weights = function(frame) dobson_weights,
  call = list(weights = dobson_weights, weights_type = "frequency"), loose = dobson_weighted
)
dobson(
  "dobson_importance", weights = function(frame) dobson_weights,
  call = list(weights = dobson_weights, weights_type = "importance"), loose = dobson_weighted
)
# Whole frequencies: robust errors and leverages are those of the repeated rows.
whole <- c(1, 2, 3, 1, 4, 2, 1, 3, 2)
as_repeated <- function(values, fit, frame, names) {
  first <- cumsum(c(1, whole))[seq_len(9)]
  repeated <- tight_glm(counts ~ outcome + treatment, frame[rep(seq_len(9), whole), ], poisson())
  stopifnot(abs(repeated$deviance - values$deviance) < 1e-10, df.residual(repeated) == values$df_resid)
  types <- c(HC0 = "HC0", HC1 = "HC1", HC2 = "HC2", HC3 = "HC3")
  values$bse_robust <- lapply(types, function(type) standard_errors(vcovHC(repeated, type = type), names))
  values$rows <- lapply(rows_of(repeated, 1, sum(whole)), function(column) column[first])
  values
}
dobson(
  "dobson_frequency_whole", weights = function(frame) whole, change = as_repeated,
  call = list(weights = whole, weights_type = "frequency")
)

# ---------------------------------------------------------------- warpbreaks

r_warp <- "L. H. C. Tippett (1950), Technological Applications of Statistics; fits by R"
warp_names <- c(
  "Intercept", "wool[T.B]", "C(tension, Treatment('L'))[T.M]", "C(tension, Treatment('L'))[T.H]"
)
warp_text <- "breaks ~ wool + C(tension, Treatment('L'))"
warp <- function(case, ..., r = breaks ~ wool + tension, formula = warp_text,
                 data = "dataset:warpbreaks", newdata = warp_new) {
  golden(
    case, r_warp, data, r, formula, levels = list(wool = c("A", "B"), tension = c("L", "M", "H")),
    factors = list(wool = "wool", tension = "C(tension, Treatment('L'))"), newdata = newdata, ...
  )
}
warp_new <- list(wool = c("A", "B", "B"), tension = c("L", "M", "H"))
warp(
  "warpbreaks_poisson", wald = list(warp_names[3:4]),
  published = list(
    params = literals(warp_names, "3.69196 -0.20599 -0.32132 -0.51849"),
    bse = literals(warp_names, "0.04541 0.05157 0.06027 0.06396"),
    null_deviance = "297.37", deviance = "210.39", df_resid = "50", aic = "493.06"
  )
)
warp(
  "warpbreaks_quasipoisson", "quasipoisson",
  published = list(bse = list(Intercept = "0.09374"))
)
crossed <- "breaks ~ wool * C(tension, Treatment('L'))"
warp(
  "warpbreaks_crossed_poisson", r = breaks ~ wool * tension, formula = crossed,
  published = list(llf = "-228.484604", deviance = "182.30513")
)
warp(
  "warpbreaks_crossed_negbin", "negbin", r = breaks ~ wool * tension, formula = crossed,
  published = list(
    llf = "-195.562399", params = list(alpha = "0.082767"), bse = list(alpha = "0.022609"),
    alpha = "0.082767"
  )
)
for (link in c("identity", "sqrt")) {
  warp(paste0("warpbreaks_poisson_", link), link = link, call = list(link = link))
  warp(paste0("warpbreaks_negbin_", link), "negbin", link = link, call = list(link = link))
}
combined <- "warpbreaks_combined.csv"
combined_new <- c(warp_new, list(x = c(0, 1.1, 2.5)))
warp(
  "warpbreaks_poisson_identity_numeric", r = breaks ~ wool + tension + x,
  formula = paste(warp_text, "+ x"), data = combined, link = "identity",
  call = list(link = "identity"), newdata = combined_new
)
# A small epsilon makes R's own test of rank so strict that it finds nothing; its default finds
# the two combined columns, and the fit is that of the others.
aliased <- function(values, fit, frame, names) {
  whole <- glm(breaks ~ wool + x + tension + twice + isB, poisson(), frame)
  values$aliased <- as.list(names(coef(whole))[is.na(coef(whole))])
  stopifnot(identical(values$aliased, list("twice", "isB")))
  values
}
warp(
  "warpbreaks_aliased", r = breaks ~ wool + x + tension,
  formula = "breaks ~ wool + x + C(tension, Treatment('L')) + twice + isB", data = combined,
  newdata = NULL, change = aliased
)
warp(
  "warpbreaks_importance", r = breaks ~ wool + tension + x, formula = paste(warp_text, "+ x"),
  data = combined, weights = function(frame) frame$importance,
  call = list(weights = "importance", weights_type = "importance"), newdata = combined_new
)

# ---------------------------------------------------------------- horseshoe crabs

agresti <- paste(
  "A. Agresti, Categorical Data Analysis, table of horseshoe crabs; data crabs of the R package",
  "glm2; I. Marschner (2011), glm2: fitting generalized linear models with convergence problems,",
  "The R Journal 3(2), 12-15"
)
crabs <- function(case, ...) {
  golden(
    case, agresti, "local:glm2_crabs.csv", Satellites ~ Width, "Satellites ~ Width",
    row_wise = FALSE, ...
  )
}
crab_coefficients <- list(Intercept = "-3.30476", Width = "0.16405")
crabs(
  "crabs_poisson",
  published = list(
    params = crab_coefficients, bse = list(Intercept = "0.54224", Width = "0.01997"),
    null_deviance = "632.79", deviance = "567.88", df_resid = "171", pearson_chi2 = "544.16",
    aic = "927.18"
  )
)
crabs(
  "crabs_quasipoisson", "quasipoisson",
  published = list(params = crab_coefficients, scale = "3.182205")
)
boundary <- function(case, family, published) {
  if (Sys.getenv("GLMCOUNT_HARD_CASES") == "") return(invisible())
  write_case(
    case, agresti, "local:glm2_crabs.csv", "Satellites ~ Width",
    list(family = family, link = "identity"), list(boundary = "the mean reaches 0 at width 21"),
    published
  )
}
boundary("crabs_negbin_identity_boundary", "negbin", list(supremum_llf = "-373.96417"))

# ---------------------------------------------------------------- institutional ownership

aghion <- paste(
  "P. Aghion, J. Van Reenen and L. Zingales (2013), Innovation and institutional ownership,",
  "American Economic Review 103(1), 277-304, table I; recorded output",
  "tests/Examples/sandwich-Ex.Rout.save of the R package sandwich"
)
clustered <- function(values, fit, frame, names) {
  covariance <- vcovCL(fit, cluster = frame$company)
  values$bse_robust$cluster <- standard_errors(covariance, names)
  values$cluster <- list(column = "company", type = "HC0", groups_adjustment = "G / (G - 1)")
  values
}
institutions <- function(column, extra_r, extra, published, loose = NULL) {
  golden(
    paste0("institutions_column", column), aghion, "institutions.csv.gz",
    as.formula(paste(
      "cites ~ institutions + log(capital/employment) + log(sales) + industry + year", extra_r
    )),
    paste(
      "cites ~ institutions + np.log(capital / employment) + np.log(sales) + C(industry) + C(year)",
      extra, sep = ""
    ),
    levels = list(industry = innovation_industries, year = 1991:1999),
    factors = list(industry = "C(industry)", year = "C(year)"),
    plain = list(
      "log(capital/employment)" = "np.log(capital / employment)", "log(sales)" = "np.log(sales)"
    ),
    change = clustered, row_wise = FALSE, published = published, loose = loose
  )
}
innovation_industries <- sort(unique(read_data("institutions.csv.gz")$industry))
early <- "R's default epsilon"
institutions(3, "", "", list(
  params = list(
    institutions = "0.009687237", "np.log(capital / employment)" = "0.482883549",
    "np.log(sales)" = "0.820317600"
  ),
  bse_robust = list(cluster = list(institutions = "0.002406388"))
), list(approximately("1e-7", early, bse_robust = list(cluster = list(
  "np.log(capital / employment)" = "0.135953255", "np.log(sales)" = "0.041523405"
)))))
institutions(
  4, "+ lograndd + drandd", " + lograndd + drandd",
  list(params = list(institutions = "0.008460789")),
  list(approximately("1e-8", early, bse_robust = list(cluster = list(institutions = "0.002242345"))))
)
institutions(
  5, "+ lograndd + drandd + dprecites + logprecites",
  " + lograndd + drandd + dprecites + logprecites",
  list(
    params = list(institutions = "0.007381543"),
    bse_robust = list(cluster = list(institutions = "0.002443707"))
  )
)

# ---------------------------------------------------------------- other sets

golden(
  "hair_eye_color", "R's tests/reg-tests-2.R and its recorded output: log-linear model of Snee's data",
  "hair_eye_color.csv", Freq ~ (Hair + Eye + Sex)^2,
  "Freq ~ (Hair + C(Eye, Treatment('Brown')) + C(Sex, Treatment('Male')))**2",
  levels = list(
    Hair = c("Black", "Brown", "Red", "Blond"), Eye = c("Brown", "Blue", "Hazel", "Green"),
    Sex = c("Male", "Female")
  ),
  factors = list(
    Hair = "Hair", Eye = "C(Eye, Treatment('Brown'))", Sex = "C(Sex, Treatment('Male'))"
  ),
  published = list(deviance = "6.761", aic = "191.64")
)
golden(
  "occupational_status",
  "R's page on occupationalStatus and its recorded output tests/Examples/datasets-Ex.Rout.save",
  "occupational_status.csv", Freq ~ origin + destination + diagonal + association,
  "Freq ~ C(origin) + C(destination) + C(diagonal, Treatment('off')) + association",
  levels = list(origin = 1:8, destination = 1:8, diagonal = c("off", 1:8)),
  factors = list(
    origin = "C(origin)", destination = "C(destination)",
    diagonal = "C(diagonal, Treatment('off'))"
  ),
  robust = FALSE,
  published = list(
    params = list(association = "0.136974"), bse = list(association = "0.007489"),
    deviance = "58.436", df_resid = "40", null_deviance = "4679.004", aic = "428.78"
  )
)
golden(
  "anorexia", "W. N. Venables and B. D. Ripley, MASS; GLM.jl, test/runtests.jl, made with R",
  "anorexia.csv", PostwtRounded ~ Prewt + Treat + offset(log(Prewt)),
  "PostwtRounded ~ Prewt + Treat + offset(np.log(Prewt))",
  levels = list(Treat = c("CBT", "Cont", "FT")), factors = list(Treat = "Treat"),
  newdata = list(Prewt = c(75, 85.5), Treat = c("FT", "CBT")),
  published = list(
    params = literals(
      c("Intercept", "Prewt", "Treat[T.Cont]"), "0.61587278 -0.00700535 -0.048518903"
    )
  ),
  loose = list(
    approximately("1e-8", "last digit cut, not rounded", params = list("Treat[T.FT]" = "0.05331228")),
    approximately(
      "1e-14", "double precision of GLM.jl", deviance = "39.686114742427705",
      llf = "-245.92639857546905"
    )
  )
)
insurance <- function(case, r, formula, ...) {
  golden(
    case, "W. N. Venables and B. D. Ripley, MASS: page on Insurance, with treatment contrasts",
    "insurance.csv", r, formula,
    levels = list(
      District = 1:4, Group = c("<1l", "1-1.5l", "1.5-2l", ">2l"),
      Age = c("<25", "25-29", "30-35", ">35")
    ),
    factors = list(
      District = "C(District)", Group = "C(Group, Treatment('<1l'))",
      Age = "C(Age, Treatment('<25'))"
    ),
    newdata = list(
      District = c(4, 1), Group = c(">2l", "<1l"), Age = c("30-35", "<25"), Holders = c(100, 2500)
    ),
    ...
  )
}
claims <- list(llf = "-184.370777", deviance = "51.42003", df_resid = "54")
plain_terms <- "C(District) + C(Group, Treatment('<1l')) + C(Age, Treatment('<25'))"
with_offset <- Claims ~ District + Group + Age + offset(log(Holders))
insurance(
  "insurance_offset", with_offset, paste("Claims ~", plain_terms, "+ offset(np.log(Holders))"),
  published = claims
)
insurance(
  "insurance_exposure", with_offset, paste("Claims ~", plain_terms),
  call = list(exposure = "Holders"), published = claims
)
