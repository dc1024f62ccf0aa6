"""How often intervals hold the truth, and tests reject it: written to study_coverage.md.

    python docs/study_coverage.py [--replicates 1000] [--workers 2] [--only KIND ...] [--write]

Counts of two columns and a factor of three levels, drawn from the model that is fitted. Of clusters
each multiplies its means by a gamma effect of mean 1 and variance 0.1, and x varies between them
too; two ways of clusters have both. Series are autoregressions of first order (0.5), of x and of
the logarithm of the mean; in panels 200 times have such shocks, which five rows share. Intervals
are of the slope of x where nothing else is said, of level 95 %; tests are of hypotheses that hold,
at 5 %. Bootstraps have 199 draws, likelihood ratios 99.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import coverage_effects
import coverage_groups
import coverage_rows
import numpy as np
import pandas as pd
from coverage_law import MODELS, drawn, limit

Answer = dict[str, bool]
PAGE = Path(__file__).resolve().parent / "study_coverage.md"
# Half the width that 99.9 % of shares have, in standard errors.
REACH = 3.29
LEVELS = {"interval": 95.0, "at least": 95.0, "test": 5.0, "at most": 5.0}
LIMITS = """\
Effects of clusters and of the past leave Poisson and NB2 the mean they are fitted with. A
zero-inflated or truncated likelihood takes what counts vary more for zeros or for a slope: its
estimate tends to another value, the one that fits the law best, and intervals are of that. Its
value by a fit to all counts, weighed by their probabilities:
"""
WORDS = """\
*At least* and *at most* are bounds: the intervals of Sidak and Bonferroni are wider than they need
be where contrasts are correlated, and their tests, Holm's and those of the false discovery rate
reject at most so often that any of a family is rejected. *Without theory* is what no theory asks to
hold: errors that take rows for independent where they are not, and a value that is not the limit of
the estimate.

What is robust to dependence is right in the limit of many clusters or times, and too small before,
since a covariance is estimated from few sums of scores and then taken for known. So CR1 with the
normal law falls short by about a point with 100 clusters and not with 400, clusters two ways by
one and a half with 100, Driscoll and Kraay's covariance by two to three with 200 times and by one
at most with 1,000. CR2 with Satterthwaite's degrees of freedom and CR3 with t correct it for
clusters. HAC also leaves out correlations beyond its lags, which are few in a short series: it
falls short by one or two with 1,000 times and not with 16,000. The field's answer for short series
are critical values under a fixed share of lags (Kiefer & Vogelsang 2005, Econometric Theory 21),
which are larger than the normal ones; they are not built here.

Intervals of a zero-inflated slope in a series look worse where they are held against the slope of
the mean, and the more so the longer the series: that is not what they are of, see below.
"""


@dataclass(frozen=True)
class Kind:
    """Data sets of one kind, and what is asked of each.

    Parameters
    ----------
    drawn : str
        As `coverage_law.drawn` calls it.
    ask : callable
    rows : int
    share : float
        Of the data sets that are asked for, more of them where what is told is near a limit.
    groups : int
    """

    drawn: str
    ask: Callable[[pd.DataFrame, str, int], Answer]
    rows: int = 1_000
    share: float = 1.0
    groups: int = 100


KINDS = {
    "independent": Kind("rows", coverage_rows.independent),
    "independent, refits": Kind("rows", coverage_rows.with_draws, share=0.2),
    "independent, many refits": Kind("rows", coverage_rows.left_out, 250),
    "independent, two wrong models": Kind("rows", coverage_rows.alike),
    "independent, effects": Kind("rows", coverage_effects.effects, share=0.5),
    "with missing values": Kind("missing", coverage_effects.imputed, share=0.5),
    "100 clusters": Kind("clusters", coverage_groups.clusters),
    "100 clusters, refits": Kind("clusters", coverage_groups.refitted),
    "400 clusters": Kind("clusters", coverage_groups.clusters, 4_000, groups=400),
    "100 clusters two ways": Kind("two ways", coverage_groups.two_ways, share=4.0),
    "a series of 1,000": Kind("time", coverage_groups.in_time, share=4.0),
    "a series of 4,000": Kind("time", coverage_groups.in_time, 4_000),
    "a series of 16,000": Kind("time", coverage_groups.in_time, 16_000),
    "panels": Kind("panels", coverage_groups.panels, share=4.0, groups=200),
    "panels of 1,000 times": Kind("panels", coverage_groups.panels, 5_000, groups=1_000),
    "400 clusters two ways": Kind("two ways", coverage_groups.two_ways, 4_000, groups=400),
    "another series of 4,000": Kind("time", coverage_groups.against_another, 4_000),
}


def tried(task: tuple[str, str, int]) -> Answer:
    """What one replicate says."""
    model, name, seed = task
    kind = KINDS[name]
    rng = np.random.default_rng([seed, list(MODELS).index(model), list(KINDS).index(name)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind.ask(drawn(model, kind.drawn, kind.rows, rng, kind.groups), model, seed)


def rows(name: str, replicates: int, pool: ProcessPoolExecutor) -> Iterator[str]:
    """Rows of the table."""
    kind = KINDS[name]
    number = round(replicates * kind.share)
    found = {
        model: list(pool.map(tried, [(model, name, s) for s in range(number)], chunksize=10))
        for model in MODELS
    }
    asked = {what: None for each in found.values() for what in each[0]}
    for what in asked:
        shares = [
            f"{100 * np.mean([one[what] for one in each]):.1f}" if what in each[0] else ""
            for each in found.values()
        ]
        yield f"| {name} | {kind.rows:,} | {number:,} | {what} | {' | '.join(shares)} |"


def kept(names: list[str]) -> dict[str, list[str]]:
    """Rows of the page as it is, of the kinds that are not asked for."""
    found: dict[str, list[str]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        name = line.strip("| ").split(" | ")[0]
        # The table of limits has rows of some of these names, and fewer columns.
        whole = line.count("|") == len(MODELS) + 5
        if whole and name in KINDS and name not in names:
            found.setdefault(name, []).append(line)
    return found


def limits() -> Iterator[str]:
    """A table of what slopes tend to."""
    yield "| rows are | " + " | ".join(MODELS) + " |"
    yield "|---|" + "---:|" * len(MODELS)
    for kind in ("clusters", "two ways", "time", "panels"):
        values = " | ".join(f"{limit(model, kind):.5f}" for model in MODELS)
        yield f"| {kind} | {values} |"


def page(table: list[str]) -> str:
    """The page."""
    numbers = sorted({int(line.split("|")[3].replace(",", "")) for line in table})
    reach = {n: REACH * np.sqrt(0.05 * 0.95 / n) * 100 for n in numbers}
    told = ", ".join(f"{width:.1f} of {n:,} data sets" for n, width in reach.items())
    return "\n".join(
        [
            "# Coverage of intervals, size of tests",
            "",
            " ".join((__doc__ or "").split("\n\n")[2].split()),
            "",
            "Per cent of data sets: intervals that hold the truth, tests that reject it. Of 95 % "
            f"and 5 %, 99.9 % of such shares lie within so many points: {told}. Written by "
            "`docs/study_coverage.py`.",
            "",
            "| rows are | rows | data sets | what | " + " | ".join(MODELS) + " |",
            "|---|---:|---:|---|" + "---:|" * len(MODELS),
            *table,
            "",
            *outside(table),
            "",
            WORDS,
            "## What the slope tends to",
            "",
            LIMITS,
            *limits(),
            "",
        ]
    )


def outside(table: list[str]) -> Iterator[str]:
    """What lies outside the limits of theory."""
    near, far = [], []
    for line in table:
        name, _, sets, what, *shares = [cell.strip() for cell in line.strip("|").split("|")]
        kind, _, said = what.partition(": ")
        if kind not in LEVELS:
            continue
        width = REACH * np.sqrt(0.05 * 0.95 / int(sets.replace(",", ""))) * 100
        for model, share in zip(MODELS, shares, strict=True):
            if not share:
                continue
            gap = float(share) - LEVELS[kind]
            gap = {"at least": min(gap, 0.0), "at most": max(gap, 0.0)}.get(kind, gap)
            text = f"{name}, {said}, {model} {share}"
            near += [text] if kind == "interval" and abs(gap) > 2.0 + 1e-9 else []
            far += [text] if abs(gap) > width else []
    yield f"Intervals outside 93 to 97 %: {'; '.join(near) or 'none'}."
    yield ""
    yield f"Outside the binomial limits: {'; '.join(far) or 'none'}."


def main() -> int:
    """Run the study."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--replicates", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=list(KINDS), metavar="KIND")
    parser.add_argument("--write", action="store_true", help="write the page")
    options = parser.parse_args()
    found = kept(options.only)
    with ProcessPoolExecutor(options.workers) as pool:
        for name in options.only:
            found[name] = list(rows(name, options.replicates, pool))
            print(*found[name], sep="\n", flush=True)
            if options.write:
                table = [line for kind in KINDS for line in found.get(kind, [])]
                PAGE.write_text(page(table), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
