# Exports the data files of glmcount/datasets/ and tests/golden/data/ from R's packages.
# Run from the repository root:  Rscript tests/golden/make_data.R
# Factors are written as their labels, numbers with the fewest digits that read back to the
# same double. R's gzfile writes a header with time 0, so that the files are reproducible.

shortest <- function(x) {
  if (!is.numeric(x)) return(as.character(x))
  text <- rep(NA_character_, length(x))
  for (digits in 1:17) {
    left <- is.na(text)
    trial <- formatC(x[left], digits = digits, format = "g", width = 1)
    exact <- as.numeric(trial) == x[left]
    text[left][exact] <- trial[exact]
  }
  stopifnot(!anyNA(text), as.numeric(text) == x)
  plain <- x == round(x) & abs(x) < 1e15
  text[plain] <- formatC(x[plain], digits = 0, format = "f")
  text
}

export <- function(frame, path) {
  columns <- lapply(frame, shortest)
  quoted <- lapply(columns, function(text) ifelse(grepl(",", text), sprintf('"%s"', text), text))
  lines <- c(paste(names(frame), collapse = ","), do.call(paste, c(quoted, sep = ",")))
  connection <- if (grepl("gz$", path)) gzfile(path, "wb", compression = 9) else file(path, "wb")
  writeLines(lines, connection, sep = "\n")
  close(connection)
}

dataset <- function(name) file.path("glmcount", "datasets", name)
golden <- function(name) file.path("tests", "golden", "data", name)

data("NMES1988", package = "AER")
export(NMES1988, dataset("nmes1988.csv.gz"))
data("bioChemists", package = "pscl")
export(bioChemists, dataset("biochemists.csv"))
export(MASS::quine, dataset("quine.csv"))
export(datasets::warpbreaks, dataset("warpbreaks.csv"))
export(
  data.frame(
    outcome = rep(c("o1", "o2", "o3"), 3),
    treatment = rep(c("t1", "t2", "t3"), each = 3),
    counts = c(18, 17, 15, 20, 10, 20, 25, 13, 12)
  ),
  dataset("dobson.csv")
)

export(
  with(MASS::epil, data.frame(
    patient = subject, visit = period, treatment = trt, age, before = base, seizures = y
  )),
  dataset("epilepsy.csv")
)
export(
  data.frame(year = 1860:1959, discoveries = as.integer(datasets::discoveries)),
  dataset("discoveries.csv")
)

export(as.data.frame(datasets::HairEyeColor), golden("hair_eye_color.csv"))

occupation <- as.data.frame(datasets::occupationalStatus)
occupation$diagonal <- ifelse(
  as.character(occupation$origin) == as.character(occupation$destination),
  as.character(occupation$origin), "off"
)
centred <- function(x) as.integer(as.character(x)) - 4.5
occupation$association <- centred(occupation$origin) * centred(occupation$destination)
export(occupation, golden("occupational_status.csv"))

anorexia <- MASS::anorexia
anorexia$PostwtRounded <- round(anorexia$Postwt)
export(anorexia, golden("anorexia.csv"))
export(MASS::Insurance, golden("insurance.csv"))

data("InstInnovation", package = "sandwich")
innovation <- with(InstInnovation, data.frame(
  cites, institutions, capital, employment, sales,
  industry = as.integer(as.character(industry)), year = as.integer(as.character(year)),
  lograndd = ifelse(randd > 0, log(pmax(randd, 1e-300)), 0),
  drandd = as.integer(as.character(drandd)),
  logprecites = ifelse(precites > 0, log(pmax(precites, 1e-300)), 0),
  dprecites = as.integer(as.character(dprecites)),
  company = as.integer(company)
))
export(innovation, golden("institutions.csv.gz"))

# A design with columns that are combinations of others, and weights, made by a formula.
combined <- datasets::warpbreaks
combined$x <- ((seq_len(54) * 7) %% 11) / 4
combined$twice <- 2 * combined$x
combined$isB <- as.integer(combined$wool == "B")
combined$importance <- 0.25 * (1 + (seq_len(54) * 5) %% 7)
export(combined, golden("warpbreaks_combined.csv"))
