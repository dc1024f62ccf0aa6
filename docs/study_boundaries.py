"""How 300 simulated data sets end: verified maximum, named boundary, or failure.

    python docs/study_boundaries.py            # print
    python docs/study_boundaries.py --write    # rewrite docs/study_boundaries.md, some minutes

Five families, each plain, zero-inflated and hurdle, four sample sizes, five dispersions from next
to none to extreme. A fit is *verified* when its last full Newton step moves no predictor by more
than 1e-6 and the information there is positive definite; else it must say by name where its
maximum lies.
"""

from __future__ import annotations

import argparse
import itertools
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

import glmcount as gc
from glmcount.families.model import model_family

PAGE = Path(__file__).resolve().with_name("study_boundaries.md")
FAMILIES = ("negbin", "negbin1", "genpoisson", "pig", "compoisson")
PARTS = (None, "inflate", "hurdle")
SIZES = (50, 200, 1000, 5000)
DISPERSIONS = (1e-4, 0.05, 1.0, 20.0, 200.0)
OUTCOMES = ("verified", "boundary", "infinity", "separation", "refused", "FAILED")
SEED = 2026


def drawn(family: str, part: str | None, n: int, alpha: float, seed: int) -> pd.DataFrame:
    """One data set: log mean 0.8 + 0.4 x, a zero part with slope 0.5 on z."""
    cell = (FAMILIES.index(family), PARTS.index(part), n, DISPERSIONS.index(alpha), seed)
    rng = np.random.default_rng(np.random.SeedSequence(cell))
    x, z = rng.normal(size=n), rng.normal(size=n)
    model = model_family(family, part=part)
    values = {
        "mean": 0.8 + 0.4 * x,
        "inflate": -0.7 + 0.5 * z,
        "hurdle": 0.5 + 0.5 * z,
        "alpha": np.full(n, np.log(alpha)),
        # Of Conway-Maxwell-Poisson: nu = 1 / (1 + alpha), from Poisson to nearly geometric.
        "nu": np.full(n, -np.log1p(alpha)),
    }
    y = model.sample(rng, [values[equation.name] for equation in model.equations])
    return pd.DataFrame({"y": y, "x": x, "z": z})


def outcome(family: str, part: str | None, data: pd.DataFrame) -> tuple[str, str]:
    """How the fit of one data set ends, with a word on it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = gc.fit("y ~ x", data, family=family, **({part: "z"} if part else {}))
            numbers = [result.params, result.bse, result.llf]
        except gc.errors.GlmcountError as error:
            return "refused", error.kind
    kinds = {getattr(w.message, "kind", str(w.message)) for w in caught}
    certificate = result.certificate
    named = result.certificate.boundary
    if "separation" in kinds:
        return "separation", ", ".join(result.separation.columns)
    if "at infinity" in named:
        return "infinity", ", ".join(result.bse.index[np.isinf(result.bse)])
    fixed = result.bse.isna() & (result.params == 0)
    sound = (
        np.isfinite(numbers[0]).all()
        and np.isfinite(numbers[1][~fixed]).all()
        and np.isfinite(numbers[2])
        and certificate.rho <= 1e-6
        and np.isfinite(certificate.condition_number)
        and result.converged
        and "convergence" not in kinds
    )
    if not sound:
        return "FAILED", f"rho {certificate.rho:.1e}, {sorted(kinds)}"
    return ("boundary", named) if named else ("verified", "")


def study(seed: int) -> tuple[Counter, list[str]]:
    """Counts of the outcomes by family and part, and a line for each that is not verified."""
    counts: Counter = Counter()
    lines = []
    for family, part, n, alpha in itertools.product(FAMILIES, PARTS, SIZES, DISPERSIONS):
        how, word = outcome(family, part, drawn(family, part, n, alpha, seed))
        counts[family, part, how] += 1
        if how not in ("verified", "boundary"):
            lines.append(f"| {family} | {part or 'plain'} | {n} | {alpha:g} | {how} | {word} |")
    return counts, lines


def page(seed: int) -> str:
    """The page that tells the outcomes."""
    counts, lines = study(seed)
    rows = [
        f"| {family} | {part or 'plain'} | "
        + " | ".join(str(counts[family, part, how]) for how in OUTCOMES)
        + " |"
        for family, part in itertools.product(FAMILIES, PARTS)
    ]
    totals = [sum(v for k, v in counts.items() if k[2] == how) for how in OUTCOMES]
    return f"""# How 300 fits end

Written by `python docs/study_boundaries.py --write`; the script tells what is drawn and what each
word asks. *Boundary*: the maximum lies where a parameter ends (alpha = 0, nu = 0, inflation = 0),
and the result says so. *Infinity*: the likelihood grows for ever along some parameters, which are
named. *Separation*: rows without doubt are named with the infinite coefficients. *Refused*: an
error that names the reason.

| family | part | {" | ".join(OUTCOMES)} |
|---|---|{"---:|" * len(OUTCOMES)}
{chr(10).join(rows)}
| all | | {" | ".join(map(str, totals))} |

## All that is neither a verified maximum nor a boundary

| family | part | n | alpha | outcome | named |
|---|---|---:|---:|---|---|
{chr(10).join(lines)}
"""


def main() -> None:
    """Write or print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    text = page(options.seed)
    print(text)
    if options.write:
        # What docs/study_maxima.py has written below stays.
        _, begin, rest = PAGE.read_text(encoding="utf-8").partition("<!-- maxima: begin -->")
        PAGE.write_text(text + (f"\n{begin}{rest}" if begin else ""), encoding="utf-8")


if __name__ == "__main__":
    main()
