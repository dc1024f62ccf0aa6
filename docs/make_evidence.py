"""Write ``docs/evidence.md``: each published figure, its source, and what is found here.

    python docs/make_evidence.py --write    # about a minute; needs the test extra

The figures and the values of other programs are those of ``tests/golden``; the tests compare
them, this page shows them.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import agreements  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

import glmcount as gc  # noqa: E402
from tests import golden_files, test_golden, test_golden_parts  # noqa: E402

PAGE = ROOT / "docs" / "evidence.md"

HEAD = """\
# Evidence

Every published figure that the tests hold the package to, beside its source and what is found
here, and every fit beside that of another program. Written by `python docs/make_evidence.py
--write` from the files in `tests/golden`, whose [README](../tests/golden/README.md) tells how
they were made and with which versions.

A published figure marked ~ was printed with more digits than its own program had reached; the
golden file says by how much and why.

## Beside other programs

The maximum as another program finds it (R's stats, MASS, pscl and glmmTMB polished by Newton's
steps, statsmodels), and here: relative difference of the log-likelihood, largest difference of a
coefficient in standard errors, largest relative difference of a standard error.

| case | model | log-likelihood | llf | coefficients | std. errors |
|---|---|---:|---:|---:|---:|
"""

INFERENCE = """
## Inference beside R and Stata

Covariances, tests, intervals, contrasts and effects beside packages of R, and Stata's `margins`:
over how many models, how many figures, and the largest relative difference, for covariances in
units of the variances. Where the other program takes numerical derivatives, or holds its columns in
single precision, it has as many digits as these.

| what | beside | models | figures | largest difference |
|---|---|---:|---:|---:|
"""

DIFFERENT = """
## Where packages of R give another number

Each is that package's number, the one that follows from the definition, and ours. The second is
derived in R by other means, in `tests/golden/make_disagreements.R`: by the linearised jackknife and
by clubSandwich, by sums over all pairs of rows, by numerical derivatives of the log-likelihood, by
fits with a parameter held. The tests hold ours to it.

| what | package | its number | derived | here | why |
|---|---|---:|---:|---:|---|
"""

PRINTED = """
## Profile intervals as R prints them

R's `confint` fits a few values of a coefficient and interpolates between them, so that its printed
digits are right to five or six. With our fits at the same values, interpolated in the same way
(`tests/interpolated.py`), every printed digit is found; the ends themselves are those of
`conf_int(method="profile")`. The horseshoe crabs are no part of the project: their lines are
written where they are at hand.

| model | coefficient | printed by R | our fits, interpolated | the ends |
|---|---|---:|---:|---:|
"""

SECOND = """
## Published figures
"""


def model(record: dict[str, Any]) -> str:
    """Formula and keywords, as a call has them."""
    options = ", ".join(f"{key}={value!r}" for key, value in record["call"].items())
    return f"`{record['formula']}` {options}".replace("|", "\\|")


def suites() -> Iterator[tuple[Any, str, dict[str, Any]]]:
    """Every case with the test module that fits it."""
    for suite in (test_golden, test_golden_parts):
        for case, record in suite.RECORDS.items():
            yield suite, case, record


def compared(suite: Any, case: str, record: dict[str, Any]) -> str | None:
    """A row of the first table; None where the case has no maximum inside."""
    values = record["values"]
    if "params" not in values:
        return None
    result = suite.fitted(case)
    names = list(values["params"])
    gap = max(abs(result.params[n] - values["params"][n]) / values["bse"][n] for n in names)
    errors = max(abs(result.bse[n] / values["bse"][n] - 1) for n in names)
    llf = f"{result.llf:.6f}" if "llf" in values else ""
    difference = agreements.shown(abs(result.llf / values["llf"] - 1)) if "llf" in values else ""
    gaps = f"{difference} | {agreements.shown(gap)} | {agreements.shown(errors)}"
    return f"| {case} | {model(record)} | {llf} | {gaps} |"


def published(suite: Any, case: str, record: dict[str, Any]) -> Iterator[str]:
    """The published figures of a case."""
    figures = golden_files.printed(record)
    if not figures:
        return
    yield f"\n### {case}\n\n{model(record)}. Source: {record['source']}.\n"
    yield "| figure | published | here |"
    yield "|---|---:|---:|"
    for path, literal, loose in figures:
        found = float(suite.ours(case, golden_files.keys(path)))
        digits = len(literal.lstrip("-").replace(".", "").lstrip("0")) + 2
        mark = "~" if loose else ""
        yield f"| {path[1:]} | {mark}{literal} | {found:.{max(digits, 6)}g} |"


def page() -> str:
    """The whole page."""
    rows, figures = [], []
    for suite, case, record in suites():
        try:
            row = compared(suite, case, record)
            found = list(published(suite, case, record))
        except (pytest.skip.Exception, gc.errors.BoundaryError):
            # The data are no part of the project, or there is no fit to show.
            continue
        rows += [] if row is None else [row]
        figures += found
    parts = [
        HEAD + "\n".join(rows),
        INFERENCE + "\n".join(agreements.agreements()),
        DIFFERENT + "\n".join(agreements.disagreements()),
        PRINTED + "\n".join(agreements.printed_profiles()),
        SECOND + "\n".join(figures),
    ]
    return "\n".join(parts) + "\n"


def main() -> int:
    """Write the page, or print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = page()
    if options.write:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    np.seterr(all="ignore")
    raise SystemExit(main())
