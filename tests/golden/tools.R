# What the scripts that make golden files share: data, patsy's names, published figures, JSON.
# Sourced from the repository root by make_golden.R and make_golden_parts.R.

options(stringsAsFactors = FALSE)
folder <- file.path("tests", "golden")

# ---------------------------------------------------------------- data

# Data that come with Python packages, written by Python (the environment variable PYTHON names it).
data_of_python <- function(place) {
  path <- tempfile(fileext = ".csv")
  line <- sprintf(
    "from tests import golden_files; golden_files.data('%s').to_csv(r'%s', index=False)", place, path
  )
  stopifnot(system2(Sys.getenv("PYTHON", "python"), c("-c", shQuote(line))) == 0)
  path
}

read_data <- function(place, levels = list()) {
  kind <- sub(":.*", "", place)
  name <- sub(".*:", "", place)
  path <- switch(kind,
    statsmodels = data_of_python(place),
    dataset = Sys.glob(file.path("glmcount", "datasets", paste0(name, ".csv*"))),
    local = file.path(Sys.getenv("GLMCOUNT_HARD_CASES"), name),
    file.path(folder, "data", name)
  )
  frame <- read.csv(path)
  for (column in names(levels)) frame[[column]] <- factor(frame[[column]], levels[[column]])
  frame
}

# ---------------------------------------------------------------- names as patsy gives them

# `factors`: R's variable -> patsy's text; `full`: variables whose every level has a column in
# an interaction; `plain`: R's text of a numeric term -> patsy's.
patsy_name <- function(coefficient, frame, factors, full, plain) {
  if (coefficient == "(Intercept)") return("Intercept")
  parts <- strsplit(coefficient, ":", fixed = TRUE)[[1]]
  translated <- vapply(parts, function(part) {
    if (part %in% names(plain)) return(plain[[part]])
    for (variable in names(factors)) {
      level <- substring(part, nchar(variable) + 1)
      if (startsWith(part, variable) && level %in% levels(frame[[variable]])) {
        mark <- if (variable %in% full && length(parts) > 1) "" else "T."
        return(sprintf("%s[%s%s]", factors[[variable]], mark, level))
      }
    }
    part
  }, "")
  paste(translated, collapse = ":")
}

# ---------------------------------------------------------------- published figures

literals <- function(names, text) {
  as.list(setNames(strsplit(trimws(text), "[ ,]+")[[1]], names))
}

# Figures whose own program stopped before the last digit printed: `tolerance` is relative to
# max(1, |figure|).
approximately <- function(tolerance, why, ...) {
  list(tolerance = tolerance, why = why, figures = list(...))
}

# ---------------------------------------------------------------- files

used_versions <- function(packages) {
  found <- lapply(setNames(packages, packages), function(name) as.character(packageVersion(name)))
  c(list(R = paste(R.version$major, R.version$minor, sep = ".")), found)
}

# JSON with the fewest digits, 15 to 17, that read back to the same double.
json_number <- function(x) {
  if (is.na(x)) return("null")
  stopifnot(is.finite(x))
  for (digits in 15:17) {
    text <- sprintf("%.*g", digits, x)
    if (as.numeric(text) == x) return(text)
  }
}

json_text <- function(text) sprintf('"%s"', gsub('"', '\\\\"', gsub("\\", "\\\\", text, fixed = TRUE)))

to_json <- function(x, indent = "") {
  deeper <- paste0(indent, "  ")
  if (is.list(x) && !is.null(names(x))) {
    inner <- vapply(seq_along(x), function(i) {
      paste0(deeper, json_text(names(x)[i]), ": ", to_json(x[[i]], deeper))
    }, "")
    if (!length(x)) return("{}")
    return(paste0("{\n", paste(inner, collapse = ",\n"), "\n", indent, "}"))
  }
  one <- function(value) if (is.character(value)) json_text(value) else json_number(value)
  if (is.list(x) && all(lengths(x) == 1) && !any(vapply(x, is.list, TRUE))) {
    return(paste0("[", paste(vapply(x, one, ""), collapse = ", "), "]"))
  }
  if (is.list(x)) {
    inner <- vapply(x, function(value) paste0(deeper, to_json(value, deeper)), "")
    return(paste0("[\n", paste(inner, collapse = ",\n"), "\n", indent, "]"))
  }
  if (is.logical(x) && length(x) == 1 && !is.na(x)) return(if (x) "true" else "false")
  if (length(x) == 1) return(one(x))
  paste0("[", paste(vapply(x, one, ""), collapse = ", "), "]")
}

# `rows`: what is done to the data before the fit, `subset` and `derive`.
write_case <- function(case, source, data, formula, call, values, published, loose = NULL,
                       rows = NULL, place = folder,
                       packages = c("MASS", "sandwich", "pscl", "AER")) {
  record <- c(
    list(case = case, source = source, versions = used_versions(packages), data = data), rows,
    list(
      formula = formula, call = call, values = values,
      published = if (is.null(published)) setNames(list(), character()) else published
    )
  )
  if (!is.null(loose)) record$published_loose <- loose
  writeLines(to_json(record), file.path(place, paste0(case, ".json")))
  cat("written", case, "\n")
}
