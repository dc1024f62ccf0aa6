"""What inference finds beside packages of R: a table of agreements, and one of disagreements.

The figures are those of ``tests/golden``: ``covariances``, ``tests``, ``comparisons``,
``disagreements``. `make_evidence` writes the tables into the page.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from tests import (
    golden_files,
    interpolated,
    test_disagreements,
    test_golden_comparisons,
    test_golden_tests,
    test_printed_profiles,
)
from tests.prediction import test_effects_elsewhere

FOLDER = golden_files.FOLDER / "covariances"
KINDS = ("CR0", "CR1", "CR1S", "CR2", "CR3")
KERNELS = ("bartlett", "parzen", "qs")

# What is compared, beside what, on which case, the differences.
Figure = tuple[str, str, str, Any]


def fit(record: dict[str, Any], frame: pd.DataFrame) -> gc.Results:
    """The model of a file of covariances."""
    call = dict(record["call"])
    if isinstance(call["family"], dict):
        call["family"] = gc.families.negbin(alpha=call["family"]["alpha"])
    if "weights" in record:
        call["weights"] = record["weights"]
    return gc.fit(record["formula"], frame, **call)


def shown(gap: float) -> str:
    """A difference; what is rounding has other digits on another machine."""
    return "< 1e-12" if gap < 1e-12 else f"{gap:.0e}"


def apart(ours: Any, theirs: Any) -> Any:
    """Relative differences; of numbers below 1e-3 in units of that."""
    a, b = (np.ravel(np.asarray(each, dtype=float)) for each in (ours, theirs))
    return np.abs(a - b) / np.maximum(np.abs(b), 1e-3)


def scaled(result: gc.Results, cov: Any, names: list[str], theirs: Any) -> Any:
    """Differences of covariances in units of their variances: an entry may be near 0."""
    found = result.with_cov(cov).cov_params().loc[names, names].to_numpy()
    wanted = np.array(theirs)
    return np.ravel(np.abs(found - wanted) / np.sqrt(np.outer(*[wanted.diagonal()] * 2)))


def clusters() -> Iterator[Figure]:
    """Clustered covariances and their degrees of freedom."""
    for case in golden_files.names(FOLDER):
        record = golden_files.read(case, FOLDER)
        if case.startswith("series_"):
            continue
        frame = golden_files.data(record["data"])
        number = np.arange(len(frame))
        group = frame[record["group"]] if "group" in record else number // record["blocks"]
        result = fit(record, frame.assign(group=group, second=(number + 1) % 6))
        values = record["values"]
        names, own = values["names"], list(result.params.index)
        for kind in KINDS:
            gaps = scaled(result, gc.cluster("group", kind), names, values["covariance"][kind])
            yield f"clusters, {kind}", "clubSandwich", case, gaps
        for kind in values["satterthwaite"]:
            by = result.with_cov(gc.cluster("group", kind, df="satterthwaite"))
            rows = np.eye(len(own))[[own.index(name) for name in names]]
            tests = [by.wald_test(row[None]) for row in rows]
            freedom = [test.df_denom for test in tests]
            gaps = apart(freedom, values["satterthwaite"][kind])
            yield f"Satterthwaite's degrees of freedom, {kind}", "clubSandwich", case, gaps
            for test in values["htz"][kind]:
                found = by.wald_test(rows[test["which"]])
                theirs = [test["statistic"], test["df_denom"]]
                gaps = apart([found.statistic, found.df_denom], theirs)
                yield f"HTZ test, {kind}", "clubSandwich", case, gaps
        for kind, name in (("CR0", "raw"), ("CR1", "sandwich")):
            # What is indefinite is refused here.
            theirs = values.get("two_way", {}).get(name)
            if theirs is not None and np.min(np.diagonal(theirs)) > 0:
                gaps = scaled(result, gc.cluster(["group", "second"], kind), names, theirs)
                yield f"clusters two ways, {kind}", "sandwich", case, gaps


def series() -> Iterator[Figure]:
    """Covariances robust to autocorrelation."""
    for case in golden_files.names(FOLDER):
        record = golden_files.read(case, FOLDER)
        if not case.startswith("series_"):
            continue
        frame = golden_files.data(record["data"])
        if record["time"] == "month":
            frame["month"] = pd.to_datetime(frame.month)
        number = np.arange(len(frame))
        frame = frame.assign(panel=number % record["panels"], turn=number // record["panels"])
        result, values, time = fit(record, frame), record["values"], record["time"]
        asked = [
            ("NeweyWest", gc.hac(time), values["newey_west"]),
            ("NeweyWest, prewhitened", gc.hac(time, prewhiten=1), values["newey_west_whitened"]),
            ("NeweyWest, four lags", gc.hac(time, lags=4, adjust=True), values["newey_west_4"]),
            ("vcovPL in panels", gc.hac("turn", "panel"), values["panel"]),
            ("vcovPL, Driscoll-Kraay", gc.driscoll_kraay("turn"), values["driscoll_kraay"]),
        ]
        for kernel in KERNELS:
            rule = gc.hac(time, bandwidth="newey-west", kernel=kernel)
            asked.append(("kernHAC, bandwidth of Newey-West", rule, values["rule"][kernel]))
            for white in (0, 1):
                rule = gc.hac(time, bandwidth="andrews", kernel=kernel, prewhiten=white)
                theirs = values["andrews"][f"{kernel}{white}"]
                asked.append(("kernHAC, bandwidth of Andrews", rule, theirs))
        for what, cov, theirs in asked:
            yield what, "sandwich", case, scaled(result, cov, values["names"], theirs)


TESTS = {"wald": "Wald", "f": "F", "score": "Rao's score", "lr": "likelihood ratio"}
SOURCES = {"wald": "car", "f": "car", "score": "stats", "lr": "stats, lmtest"}


def tests() -> Iterator[Figure]:
    """Tables of tests and profile intervals."""
    own = test_golden_tests
    for case, key in own.having("anova"):
        _, number, test, *held = key.split("_")
        formula = own.RECORDS[case]["formula"]
        formula = own.summed(formula) if number == "3" else formula
        result = own.fitted(case, formula, "quasipoisson" if test == "f" else None)
        options = {"nuisance": "held"} if held else {}
        table = result.anova(int(number), "lr" if test == "f" else test, **options)
        rows = own.RECORDS[case]["values"][key]
        found = [table.loc[own.summed(n) if number == "3" else n, "statistic"] for n in rows]
        source = "car, MASS" if held else SOURCES[test]
        gaps = apart(found, [row[1] for row in rows.values()])
        yield f"anova, {TESTS[test]}{', theta held' if held else ''}", source, case, gaps
    for case, key in own.having("profile"):
        if "loose" in key or "interpolated" in key:
            # Interpolated by their own program, to four digits or so.
            continue
        ends = own.RECORDS[case]["values"][key]
        found = own.fitted(case).conf_int(method="profile", parameters=list(ends))
        gaps = apart(found.to_numpy(), list(ends.values()))
        yield "profile intervals", "uniroot over fits", case, gaps


def comparisons() -> Iterator[Figure]:
    """Contrasts and tests of dispersion."""
    own = test_golden_comparisons
    for case in own.CONTRASTS:
        for kind in own.KINDS:
            found, values = own.contrasts(case, kind)
            for key in ("estimate", "std_error"):
                gaps = apart(found[key], values[key])
                yield f"contrasts, {key.replace('_', ' ')}", "emmeans", case, gaps
    for name, case in own.DISPERSION.items():
        result = gc.fit(case["formula"], golden_files.data(case["data"]))
        for label, values in case["values"].items():
            if label.startswith("nb"):
                kind, _, alternative = label.partition("_")
                found = result.test_dispersion(kind, alternative=alternative).statistic
                yield "tests of dispersion", "AER", name, apart(found, values["statistic"])


def margins() -> Iterator[Figure]:
    """Average effects beside Stata's margins, which reads its columns in single precision."""
    own = test_effects_elsewhere
    frame = golden_files.data("statsmodels:randhie")
    result = gc.fit("mdvis ~ " + " + ".join(own.NAMES), frame)
    slopes = result.slopes(own.NAMES)
    steps = result.comparisons(dict.fromkeys(own.DUMMIES, (0, 1)))
    estimates = np.concatenate([slopes.estimate, steps.estimate])
    errors = np.concatenate([slopes.std_error, steps.std_error])
    yield "average effects", "Stata", "randhie", apart(estimates, own.SLOPES + own.STEPS)
    theirs = own.SLOPES_SE + own.STEPS_SE
    yield "average effects, standard errors", "Stata", "randhie", apart(errors, theirs)


def agreements() -> Iterator[str]:
    """Rows of a table: what, beside what, cases, figures, the largest relative difference."""
    found: dict[tuple[str, str], list[tuple[str, int, float]]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for group in (clusters, series, tests, comparisons, margins):
            for what, beside, case, gaps in group():
                found.setdefault((what, beside), []).append((case, len(gaps), float(max(gaps))))
    for (what, beside), each in found.items():
        cases = len({case for case, _, _ in each})
        largest = max(gap for _, _, gap in each)
        yield f"| {what} | {beside} | {cases} | {sum(n for _, n, _ in each)} | {shown(largest)} |"


def disagreements() -> Iterator[str]:
    """Rows of a table: what, whose number, the derived number, ours, why."""
    for case, record in test_disagreements.RECORDS.items():
        version = record["versions"][record["package"]]
        digits = [f"{record[key]:.6g}" for key in ("theirs", "derived")]
        yield (
            f"| {record['what']}; `{record['formula']}` | {record['package']} {version} | "
            f"{digits[0]} | {digits[1]} | {test_disagreements.ours(case):.6g} | {record['why']} |"
        )


def printed_profiles() -> Iterator[str]:
    """Rows of a table: model, coefficient, R's printed ends, ours at its values, the ends."""
    own = test_printed_profiles
    for case, name in own.NAMES:
        try:
            result = own.fitted(case)
        except pytest.skip.Exception:
            continue
        printed = own.RECORDS[case]["published"][name]
        digits = [len(text.partition(".")[2]) for text in printed]
        ends = result.conf_int(method="profile", parameters=[name]).loc[name]
        shown = [
            ", ".join(f"{end:.{places}f}" for end, places in zip(pair, digits, strict=True))
            for pair in (interpolated.printed(result, name), ends)
        ]
        formula = own.RECORDS[case]["formula"]
        yield f"| `{formula}` | {name} | {', '.join(printed)} | {shown[0]} | {shown[1]} |"
