# Writes profiles/<case>.json: profile intervals as confint of MASS prints them, and the digits
# behind. Run from the repository root:  Rscript tests/golden/make_profiles.R
# The crabs are not in this repository: as in make_golden.R.

suppressMessages(library(MASS))
source(file.path("tests", "golden", "tools.R"))
place <- file.path(folder, "profiles")
dir.create(place, showWarnings = FALSE)

write_profiles <- function(case, source, data, formula, fit, names, published) {
  found <- suppressMessages(confint(fit))
  values <- setNames(lapply(seq_along(names), function(i) unname(found[i, ])), names)
  published <- setNames(published, names)
  for (name in names) {
    digits <- nchar(sub(".*[.]", "", published[[name]]))
    stopifnot(round(values[[name]], digits) == as.numeric(published[[name]]))
  }
  record <- list(
    case = case, source = source, versions = used_versions("MASS"), data = data,
    formula = formula, values = values, published = published
  )
  writeLines(to_json(record), file.path(place, paste0(case, ".json")))
  cat("written", case, "\n")
}

dobson <- read_data("dataset:dobson")
dobson[c("outcome", "treatment")] <- lapply(dobson[c("outcome", "treatment")], factor)
write_profiles(
  "dobson",
  paste(
    "A. J. Dobson (1990), An Introduction to Generalized Linear Models, page 93; R's page on",
    "confint and its recorded output tests/Examples/stats-Ex.Rout.save"
  ),
  "dataset:dobson", "counts ~ outcome + treatment",
  glm(counts ~ outcome + treatment, poisson, dobson),
  c("Intercept", "outcome[T.o2]", "outcome[T.o3]", "treatment[T.t2]", "treatment[T.t3]"),
  list(
    c("2.6958215", "3.36655581"), c("-0.8577018", "-0.06255840"), c("-0.6753696", "0.08244089"),
    c("-0.3932548", "0.39325483"), c("-0.3932548", "0.39325483")
  )
)
if (Sys.getenv("GLMCOUNT_HARD_CASES") != "") {
  write_profiles(
    "crabs",
    paste(
      "A. Agresti, Categorical Data Analysis, table of horseshoe crabs, by confint of MASS;",
      "data crabs of the R package glm2"
    ),
    "local:glm2_crabs.csv", "Satellites ~ Width",
    glm(Satellites ~ Width, poisson, read_data("local:glm2_crabs.csv")),
    c("Intercept", "Width"),
    list(c("-4.3662326", "-2.2406858"), c("0.1247244", "0.2029871"))
  )
}
