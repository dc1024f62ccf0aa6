"""Small problems that break fitters, each with its right outcome, in `hard_cases.json`.

Fields: `formula`, `family`, the names of `offset`, `exposure`, `weights`; `data` (columns,
``__nan__`` standing for NaN), or a builder below, or `file`, a csv of other people's data that
is no part of the project: these run where GLMCOUNT_HARD_CASES names its folder. `expected`,
and in `accept` other right outcomes: ``mle`` is the maximum to 8 digits in silence;
``error:KIND`` and ``warning:KIND`` name the kind; ``mle+warning:KIND`` is both;
``dropped:WHAT`` is fitted without them, said so. `separated` counts rows from 0. `guarded`
cases would take all memory or time if a guard were missing.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

import mpmath as mp
import numpy as np
import pandas as pd
import patsy
import pytest

import glmcount as gc
from tests import truth
from tests.made import patsy_design

FOLDER = os.environ.get("GLMCOUNT_HARD_CASES")
PLACE = Path(__file__).with_name("hard_cases.json")
CASES = {case["id"]: case for case in json.loads(PLACE.read_text(encoding="utf-8"))}
SPECIAL = {"__nan__": np.nan, "__inf__": np.inf, "__-inf__": -np.inf}
SIX = [1, 3, 2, 7, 5, 12]


def _rare() -> pd.DataFrame:
    y = np.zeros(2000, int)
    y[[10, 900, 1500]] = 1
    return pd.DataFrame({"y": y, "x": np.linspace(-1, 1, 2000)})


def _underdispersed() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    x = rng.normal(size=200)
    return pd.DataFrame({"y": rng.binomial(20, np.exp(-1 + 0.3 * x).clip(0, 0.9)), "x": x})


def _crabs(rows: str) -> pd.DataFrame:
    crabs = pd.read_csv(Path(FOLDER or "") / "glm2_crabs.csv")
    chosen = crabs[rows] - 1
    return pd.DataFrame(
        {
            "y": crabs.Satellites[chosen].to_numpy(),
            "width": crabs.Width[chosen].to_numpy() - crabs.Width.min(),
            "dark": crabs.Dark[chosen].to_numpy(),
            "spine": crabs.GoodSpine[chosen].to_numpy(),
        }
    )


BUILDERS = {
    "conv_crabs_rep1": lambda: _crabs("Rep1"),
    "conv_crabs_rep2": lambda: _crabs("Rep2"),
    "scale_mean_1e-6": _rare,
    "nb_equidispersed": _underdispersed,
    "in_int8_y": lambda: pd.DataFrame(
        {"y": np.array([100, 120, 127, 110, 90, 100], dtype="int8"), "x": range(6)}
    ),
    "in_float32": lambda: pd.DataFrame(
        {
            "y": np.array(SIX, dtype="float32"),
            "x": np.arange(16777216, 16777228, 2).astype("float32"),
        }
    ),
    "in_shuffled_index": lambda: pd.DataFrame({"y": SIX, "x": range(6)}, index=[5, 3, 3, 0, 9, 1]),
    "in_offset_index_mismatch": lambda: pd.DataFrame({"y": SIX, "x": range(6)}),
    "in_dup_columns": lambda: pd.DataFrame(
        [[1, 0, 5], [2, 1, 4], [3, 2, 9], [4, 3, 1]], columns=["y", "x", "x"]
    ),
    "in_name_with_space": lambda: pd.DataFrame({"y": [1, 3, 2, 7, 5], "my col": range(5)}),
    "in_name_Intercept": lambda: pd.DataFrame({"y": [1, 3, 2, 7, 5, 9], "Intercept": range(6)}),
    "in_datetime_x": lambda: pd.DataFrame(
        {"y": [1, 2, 3, 4], "t": pd.date_range("2020-01-01", periods=4)}
    ),
    "sec_high_card_inter": lambda: pd.DataFrame(
        {
            "y": np.ones(2000, int),
            "a": np.arange(2000) % 1000,
            "b": (np.arange(2000) * 7) % 1000,
        }
    ),
}
FORMULAS = {"sec_long_formula": "y ~ " + " + ".join(["x"] * 5000)}
OFFSETS = {
    "in_offset_index_mismatch": pd.Series([0, 0, 0, 1, 1, 1.0], index=[5, 4, 3, 2, 1, 0]),
}

PARTS = {"zip": "inflate", "hurdle_poisson": "hurdle"}

# What the message has to name: the column, and the row counted from 0 where there is one.
NAMED = {
    "in_negative_y": ("'y'", r"\b2\b"),
    "in_nan_y": (r"\by\b",),
    "in_nan_x": (r"\bx\b",),
    "in_nan_offset": (r"\bo\b",),
    "in_cat_nan": (r"\bg\b",),
    "in_nan_weight": (r"\bw\b", r"\b2\b"),
    "in_log_negative": (r"log\(x\)", r"\b0\b"),
    "in_zero_exposure": (r"'e'", r"\b2\b"),
    "in_neg_weight": (r"\bw\b", r"\b2\b", "-1"),
    "in_all_zero_weight": (r"\bw\b",),
    "in_missing_column": ("zzz", r"\^\^\^"),
    "in_dup_columns": ("'x'", r"\b2\b", r"\b3\b"),
    "in_datetime_x": (r"'?t'?", "(?i)date"),
    "in_single_row_slope": (r"\bx\b|\b2\b", r"\b1\b"),
    "in_noninteger_y_poisson": (r"\by\b", r"row 0"),
    "in_offset_index_mismatch": ("offset", "index"),
    "sep_all_zero_int_only": (r"\by\b",),
    "nb_all_zero": (r"\by\b",),
    "col_double": ("x3", r"\bx1\b"),
    "col_weekday_weekend": (r"weekend", r"C\(wd\)"),
    "col_constant_column": (r"\bk\b", "Intercept|constant"),
    "col_rank_drop_by_weights": (r"\bk\b",),
    "sec_dunder": (r"__class__|subclasses|attribute", r"\^"),
    "sec_np_load": (r"load", r"\^"),
    "sec_pandas_readpickle": (r"pd|read_pickle", r"\^"),
    "sec_high_card_inter": (r"1,000,00\d", r"C\(a\)"),
    "sep_guide_stata10": (r"\bx2\b|\bx1\b",),
    "sep_empty_cell_interaction": (r"C\(a\)\[T\.1\]:C\(b\)\[T\.1\]", r"\b6\b", r"\b7\b"),
    "sep_zero_weight_hides": (r"\bd\b", r"\b4\b", r"\b5\b"),
    "sep_offset_irrelevant": (r"\bd\b", r"\b3\b", r"\b4\b"),
    "sep_nb": (r"\bd\b", r"\b6\b", r"\b8\b"),
    "nb_equidispersed": ("alpha", "Poisson"),
    "zip_sep_inflate": (r"inflate_d -> -inf", r"\b8\b"),
    "hurdle_all_ones": (r"count part", r"\b1\b", r"Intercept -> -inf"),
    "hurdle_group_ones": (r"count part", r"\bd -> -inf", r"\b6\b"),
}
ALIASED = {
    "col_double": ["x3"],
    "col_weekday_weekend": ["weekend"],
    "col_constant_column": ["k"],
    "col_rank_drop_by_weights": ["k"],
}
MISSING = {"in_nan_y": 1, "in_nan_x": 2, "in_nan_offset": 2, "in_cat_nan": 1}


class Outcome:
    """What became of a case: a result or an error, and the warnings on the way."""

    def __init__(self, case: dict) -> None:
        self.case = case
        self.result = self.error = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                self.result = gc.fit(self.formula, self.frame, **self.options())
            except gc.errors.GlmcountError as error:
                self.error = error
        self.strange = [w for w in caught if not isinstance(w.message, gc.errors.GlmcountWarning)]
        self.warnings = [w.message for w in caught if w not in self.strange]

    @property
    def formula(self) -> str:
        return FORMULAS.get(self.case["id"], self.case["formula"]).partition(" | ")[0]

    @property
    def frame(self) -> pd.DataFrame:
        return frame(self.case["id"])

    def options(self) -> dict:
        options = {k: self.case[k] for k in ("offset", "exposure", "weights") if k in self.case}
        if self.case["id"] in OFFSETS:
            options["offset"] = OFFSETS[self.case["id"]]
        if self.case["family"] in PARTS:
            part = self.case["formula"].partition(" | ")[2] or "1"
            return {"family": "poisson", PARTS[self.case["family"]]: part, **options}
        family, _, link = self.case["family"].partition("_")
        return {"family": family, **({"link": link} if link else {}), **options}

    @property
    def message(self) -> str:
        return str(self.error) if self.error else "\n".join(str(w) for w in self.warnings)

    def names(self) -> set[str]:
        """Outcomes this one answers to."""
        if self.error is not None:
            return {f"error:{self.error.kind}"}
        kinds = {warning.kind for warning in self.warnings}
        if len(kinds) > 1:
            # These are told besides, whatever else is the matter.
            kinds -= {"saturated", "noninteger_response", "offset_span"}
        if "separation" in kinds:
            kinds -= {"column"}
        if not kinds:
            return {"mle"}
        if len(kinds) > 1:
            return {"several warnings: " + ", ".join(sorted(kinds))}
        (kind,) = kinds
        found = {f"warning:{kind}", f"mle+warning:{kind}"}
        dropped = {"missing_rows": self.result.n_dropped, "column": len(self.result.aliased)}
        return found | ({f"dropped:{kind}"} if dropped.get(kind) else set())


@cache
def frame(name: str) -> pd.DataFrame:
    case = CASES[name]
    if name in BUILDERS:
        return BUILDERS[name]()
    if "file" in case:
        return pd.read_csv(Path(FOLDER or "") / case["file"])
    return pd.DataFrame(
        {key: [SPECIAL.get(str(v), v) for v in values] for key, values in case["data"].items()}
    )


@cache
def outcome(name: str) -> Outcome:
    if "file" in CASES[name] and not FOLDER:
        pytest.skip("data of others, no part of the project; GLMCOUNT_HARD_CASES names the folder")
    return Outcome(CASES[name])


def accepted(case: dict) -> set[str]:
    return {case["expected"], *case.get("accept", ())}


GUARDED = [name for name, case in CASES.items() if case.get("guarded")]
FREE = [name for name in CASES if name not in GUARDED]
PREDICTED = [name for name in FREE if "predict" in CASES[name]]
MLE = [name for name in FREE if any(one.startswith("mle") for one in accepted(CASES[name]))]
SEPARATED = [name for name in FREE if "separated" in CASES[name]]


def test_there_is_data_for_every_case():
    assert len(CASES) == 89
    for name, case in CASES.items():
        assert ("data" in case) + (name in BUILDERS) + ("file" in case) >= 1, name
    assert set(NAMED) | set(ALIASED) | set(MISSING) <= set(CASES)


@pytest.mark.parametrize("name", FREE)
def test_outcome(name):
    found = outcome(name)
    assert found.names() & accepted(CASES[name]), f"{found.names()}: {found.message}"


@pytest.mark.parametrize("name", FREE)
def test_no_warning_of_another_package(name):
    assert [str(w.message) for w in outcome(name).strange] == []


@pytest.mark.parametrize("name", [name for name in FREE if name in NAMED])
def test_message_names_the_problem(name):
    found = outcome(name)
    assert found.message
    for pattern in NAMED[name]:
        assert _found(pattern, found.message), f"no {pattern!r} in {found.message!r}"


def _found(pattern: str, text: str) -> bool:
    return re.search(pattern, text) is not None


def _truth(found: Outcome):
    """The maximum to 50 digits, from patsy's design of the rows used."""
    options, rows = found.options(), found.frame
    result = found.result
    # The names with a call of np are the formula language's own; patsy gets numpy for them.
    y = np.asarray(patsy.dmatrices(found.formula, rows, NA_action="raise")[0])[:, 0]
    design = patsy_design(found.formula.split("~")[1], rows)
    X = design.drop(columns=list(result.aliased), errors="ignore").to_numpy()
    offset = np.zeros(len(y))
    if "offset" in options:
        offset = offset + rows[options["offset"]].to_numpy(float)
    if "exposure" in options:
        offset = offset + np.log(rows[options["exposure"]].to_numpy(float))
    weights = rows[options["weights"]].to_numpy(float) if "weights" in options else None
    start = np.asarray(result.params)[: X.shape[1]]
    extra = {"offset": offset, "weights": weights, "link": options.get("link", "log")}
    if options["family"] == "negbin":
        return truth.negbin(X, y, start, float(result.params["alpha"]), **extra)
    return truth.poisson(X, y, start, **extra)


@pytest.mark.parametrize("name", MLE)
def test_the_maximum_to_eight_digits(name):
    found = outcome(name)
    if found.result is None or found.result.separation is not None:
        assert not any(one in {"mle"} for one in found.names())
        return
    if "dropped:missing_rows" in found.names() or "warning:alpha_boundary" in found.names():
        return
    exact = _truth(found)
    estimates = np.asarray(found.result.params)
    assert len(estimates) == len(exact.params)
    for k, (best, error) in enumerate(zip(exact.params, exact.bse_observed, strict=True)):
        allowed = 1e-8 * max(abs(best), error)
        assert abs(mp.mpf(float(estimates[k])) - best) <= allowed, found.result.params.index[k]


@pytest.mark.parametrize("name", MISSING)
def test_missing_rows_are_accounted_for(name):
    result = outcome(name).result
    assert result.n_dropped == 1
    assert result.nobs == 4
    assert MISSING[name] not in result.fittedvalues.index
    assert sum(result.dropped.values()) == 1


@pytest.mark.parametrize("name", ALIASED)
def test_dropped_columns(name):
    result = outcome(name).result
    assert list(result.aliased) == ALIASED[name]
    assert not set(result.aliased) & set(result.params.index)


@pytest.mark.parametrize("name", SEPARATED)
def test_separated_rows(name):
    """The rows told are separated; and one at least is told."""
    result = outcome(name).result
    assert result is not None
    used = np.ones(len(frame(name)), bool)
    if "weights" in CASES[name]:
        used = frame(name)[CASES[name]["weights"]].to_numpy() > 0
    told = np.flatnonzero(used)[np.asarray(result.separation.rows)]
    assert len(told) > 0
    assert set(told) <= set(CASES[name]["separated"])


@pytest.mark.parametrize("name", [name for name in SEPARATED if "data" in CASES[name]])
def test_all_separated_rows_are_found_where_one_direction_has_them(name):
    result = outcome(name).result
    assert int(np.sum(result.separation.rows)) == len(CASES[name]["separated"])
    assert result.separation.columns


@pytest.mark.parametrize("name", PREDICTED)
def test_prediction(name):
    case = CASES[name]
    newdata = pd.DataFrame(
        {key: [SPECIAL.get(str(v), v) for v in values] for key, values in case["predict"].items()}
    )
    result = outcome(name).result
    if case["predict_expected"] == "nan_in_place":
        found = result.predict(newdata)
        assert len(found) == len(newdata)
        assert list(np.isnan(found)) == list(newdata.isna().any(axis=1))
        return
    with pytest.raises(gc.errors.GlmcountError) as caught:
        result.predict(newdata)
    assert f"error:{caught.value.kind}" == case["predict_expected"]
    assert ("'x'" if name == "in_predict_missing_col" else "e") in str(caught.value)


def test_an_index_in_disorder_comes_back_as_it_was():
    result = outcome("in_shuffled_index").result
    assert list(result.fittedvalues.index) == [5, 3, 3, 0, 9, 1]
    straight = gc.fit("y ~ x", frame("in_shuffled_index").reset_index(drop=True))
    np.testing.assert_array_equal(result.params, straight.params)


def test_null_deviance_with_a_wide_offset():
    """R's own fit of it fails; the intercept-only mean has a closed form."""
    case, data = outcome("conv_rcore_null_dev"), frame("conv_rcore_null_dev")
    grown = [mp.exp(mp.mpf(o)) for o in data["cst"]]
    rate = mp.fsum(data["y"].tolist()) / mp.fsum(grown)
    exact = 2 * mp.fsum(
        (y * mp.log(y / (rate * e)) if y else 0) - y + rate * e
        for y, e in zip(data["y"].tolist(), grown, strict=True)
    )
    assert case.result.null_deviance == pytest.approx(float(exact), rel=1e-12)


def test_scaling_the_counts_moves_the_intercept_only():
    small = outcome("scale_y_times_1e-10").result.params
    large = outcome("scale_y_times_1e10").result.params
    assert small["x"] == pytest.approx(large["x"], rel=1e-10)
    assert large["Intercept"] - small["Intercept"] == pytest.approx(20 * np.log(10), rel=1e-12)


LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (40, 40))
from tests.test_hard_cases import Outcome, CASES
import sys
found = Outcome(CASES[sys.argv[1]])
print(*found.names(), sep="\\n")
print(found.message)
"""


@pytest.mark.parametrize("name", GUARDED)
def test_guarded(name):
    """In a process of its own with 3 GB, so that a missing guard hurts nobody."""
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, name],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parent.parent,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert set(done.stdout.splitlines()) & accepted(CASES[name]), done.stdout
    for pattern in NAMED.get(name, ()):
        assert _found(pattern, done.stdout)
