"""Transforms learnt in runs: patsy's columns, the same whatever the runs, as plain data."""

import json
import pickle
import subprocess
import sys
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from pathlib import Path

import mpmath
import numpy as np
import pandas as pd
import patsy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glmcount as gc
from glmcount.errors import DataError, FormulaError, MemoryLimitError
from glmcount.language.evaluate import evaluate
from glmcount.language.knots import Span, Tally, quantiles
from glmcount.language.learning import finish, merge, observed
from glmcount.language.moments import Moments
from glmcount.language.parse import parse
from glmcount.language.transforms import new_state, state_from_plain, state_to_plain
from glmcount.sources import base
from tests.language.encoded import columns, told

# Columns of cr add up to one, as the constant is.
without_cr_warning = pytest.mark.filterwarnings("ignore::glmcount.errors.DroppedColumnWarning")


def learn(code, *strips):
    """The state of an expression, its strips observed alone and merged in order."""
    expression = parse(code, list(strips[0]))
    state = new_state(expression)
    for number in range(expression.passes):
        parts = [observed(expression, state, number, strip) for strip in strips]
        state = reduce(lambda a, b: merge(expression, a, b, number), parts)
        finish(expression, state, number)
    return expression, state


def ours(code, strips, new):
    expression, state = learn(code, *strips)
    saved = json.loads(json.dumps(state_to_plain(expression, state), allow_nan=False))
    plain = evaluate(expression, state_from_plain(expression, saved), new)
    assert np.array_equal(plain, evaluate(expression, state, new), equal_nan=True)
    return plain.reshape(len(plain), -1)


def theirs(code, strips, new):
    # An array with patsy's own codes of missing values switched off: all rows are given.
    builder = patsy.incr_dbuilder(f"0 + {code}", lambda: iter(strips))
    keep = patsy.NAAction(NA_types=[])
    return np.asarray(patsy.build_design_matrices([builder], new, NA_action=keep)[0])


def cut_at(data, cuts):
    places = [0, *sorted(cuts), len(next(iter(data.values())))]
    return [{name: values[a:b] for name, values in data.items()} for a, b in pairwise(places)]


# Values with ties, far enough apart that knots between them are well conditioned.
VALUES = st.integers(-40, 40).map(lambda k: k / 8)
OPTIONAL = st.none() | st.integers(-6, 6)
CONSTRAINTS = st.sampled_from(
    [None, "'center'", "[1, -1, 0, 0]", "[[1, 0, 2], [0, 1, 1]]", "[0.5] * 3"]
)


def call(name, **given):
    kept = "".join(f", {key}={value}" for key, value in given.items() if value is not None)
    return f"{name}(x{kept})"


KNOTS = st.none() | st.lists(st.integers(-30, 30).map(lambda k: k / 8 + 0.05), max_size=4)
SCALED = st.builds(
    lambda name, center, rescale, ddof: call(name, center=center, rescale=rescale, ddof=ddof),
    st.sampled_from(["standardize", "scale"]),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, 0, 1, 2]),
)
BSPLINES = st.builds(
    lambda df, knots, degree, full, low, high: call(
        "bs", df=df, knots=knots, degree=degree, include_intercept=full,
        lower_bound=low, upper_bound=high,
    ),
    st.none() | st.integers(0, 9),
    KNOTS,
    st.none() | st.integers(-1, 5),
    st.sampled_from([None, True, False]),
    OPTIONAL,
    OPTIONAL,
)  # fmt: skip
CUBIC = st.builds(
    lambda name, df, knots, low, high, constraints: call(
        name, df=df, knots=knots, lower_bound=low, upper_bound=high, constraints=constraints
    ),
    st.sampled_from(["cr", "cc"]),
    st.none() | st.integers(0, 7),
    KNOTS,
    OPTIONAL,
    OPTIONAL,
    CONSTRAINTS.filter(lambda c: c is None or "*" not in c),
)
TENSOR = st.builds(
    lambda one, other, constraints: (
        f"te({one}, {other.replace('x', 'z', 1)}"
        f"{'' if constraints is None else f', constraints={constraints}'})"
    ),
    st.sampled_from(["x", "cr(x, df=3)", "cc(x, df=3)", "bs(x, df=4)"]),
    st.sampled_from(["x", "cr(x, df=2)", "cr(x, df=3)", "cc(x, df=2)"]),
    st.sampled_from([None, "'center'"]),
)


@settings(deadline=None, max_examples=300)
@given(
    st.one_of(st.just("center(x)"), SCALED, BSPLINES, CUBIC, TENSOR),
    st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=60),
    st.lists(st.integers(0, 60), max_size=3),
)
def test_columns_are_those_of_patsy_for_any_data_settings_and_strips(code, rows, cuts):
    x, z = map(np.array, zip(*rows, strict=True))
    data = {"x": x, "z": z}
    strips = cut_at(data, [min(cut, len(x)) for cut in cuts])
    with np.errstate(all="ignore"):
        try:
            expected = theirs(code, [data], data)
        except (patsy.PatsyError, ArithmeticError, NotImplementedError, ValueError, TypeError):
            expected = None
    if expected is None:
        if refused_by_patsy_alone(code, data):
            return
        with pytest.raises((FormulaError, DataError)) as caught:
            ours(code, strips, data)
        assert caught.value.kind in ("formula", "outside_knots")
        assert code[:4] in str(caught.value) or "te(" in code
        return
    found = ours(code, strips, data)
    assert found.shape == expected.shape
    for own, reference in zip(found.T, expected.T, strict=True):
        # Columns that centring leaves nothing of are sums of terms of about one.
        least = 1e-2 if "'center'" in code else 0.0
        near = 1e-12 * np.max(np.abs(reference), where=np.isfinite(reference), initial=least)
        # Nothing divided by nothing, whose sign and kind mean nothing.
        own, reference = (np.where(np.isfinite(v), v, np.nan) for v in (own, reference))
        assert own == pytest.approx(reference, rel=0.0, abs=near, nan_ok=True)


def refused_by_patsy_alone(code, data):
    """A natural spline of its two ends is a line, which patsy's own solver cannot take."""
    with np.errstate(all="ignore"):
        try:
            found = ours(code, [data], data)
        except (FormulaError, DataError):
            return False
    return "cr(" in code and np.isfinite(found).all()


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=40),
    st.floats(-1e12, 1e12),
    st.lists(st.integers(0, 40), max_size=4),
)
def test_moments_are_exact_whatever_the_runs(values, shift, cuts):
    x = np.array(values) + shift
    parts = cut_at({"x": x}, [min(cut, len(x)) for cut in cuts])
    found = reduce(Moments.merge, [Moments.of(part["x"][:, None]) for part in parts])
    exact = [Fraction(value) for value in x]
    mean = sum(exact) / len(exact)
    apart = [value - mean for value in exact]
    largest = max(map(abs, apart))
    assert found.count == len(x)
    off = Fraction(float(found.high[0])) + Fraction(float(found.low[0])) - mean
    # No doubles lie closer together than the smallest one.
    assert abs(off) <= largest * Fraction(1, 10**14) + Fraction(5e-324)
    with mpmath.workdps(50):
        squares = sum(value * value for value in apart)
        root = mpmath.sqrt(mpmath.mpf(squares.numerator) / squares.denominator)
        assert found.root[0] == pytest.approx(float(root), rel=1e-14)


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_standardised_values_do_not_depend_on_their_size(size):
    x = np.random.default_rng(1).normal(size=500)
    plain = ours("standardize(x)", [{"x": x}], {"x": x})
    sized = ours("standardize(x)", cut_at({"x": x * size}, [100, 300]), {"x": x * size})
    np.testing.assert_allclose(sized, plain, rtol=0, atol=1e-14 * np.abs(plain).max())
    assert plain.std() == pytest.approx(1.0, rel=1e-14)


def test_a_constant_has_no_spread_in_however_many_runs():
    x = np.full(10_000, 0.1)
    found = ours("standardize(x)", cut_at({"x": x}, [3, 5_000]), {"x": x})
    assert np.isnan(found).all()


@settings(deadline=None, max_examples=100)
@given(st.lists(VALUES, min_size=1, max_size=80), st.lists(st.integers(0, 80), max_size=6))
def test_tallies_are_the_same_whatever_the_runs(values, cuts):
    x = np.array(values)
    parts = cut_at({"x": x}, [min(cut, len(x)) for cut in cuts])
    merged = reduce(Tally.merge, [Tally.of(part["x"]) for part in parts])
    distinct, counts = merged.whole().runs[0]
    expected = np.unique(x, return_counts=True)
    assert np.array_equal(distinct, expected[0])
    assert np.array_equal(counts, expected[1])
    assert vars(merged.span) == vars(Span.of(x))
    percents = np.array([0.0, 10.0, 100 / 3, 50.0, 90.0, 100.0])
    found = quantiles(distinct, counts, percents / 100)
    assert np.array_equal(found, np.percentile(x, percents))


@pytest.mark.parametrize(
    "code, name, value",
    [
        ("center(x)", "high", [[1.0]]),
        ("center(x)", "count", 2.5),
        ("standardize(x)", "root", None),
        ("bs(x, df=4)", "degree", [3]),
        ("bs(x, df=4)", "all_knots", []),
        ("cr(x, df=4)", "curvature", [1.0, 2.0]),
        ("cr(x, df=4)", "curvature", [[1.0], [2.0]]),
        ("te(x, constraints=[1])", "basis", [1.0]),
    ],
)
def test_a_saved_state_of_another_shape_is_refused(code, name, value):
    data = {"x": np.linspace(0, 1, 20)}
    expression, state = learn(code, data)
    plain = state_to_plain(expression, state)
    plain[0]["learnt"][name] = value
    with pytest.raises(FormulaError):
        evaluate(expression, state_from_plain(expression, plain), data)


@pytest.fixture
def frame():
    rng = np.random.default_rng(7)
    data = pd.DataFrame(rng.normal(size=(400, 4)), columns=["x", "z", "w", "v"])
    data["g"] = rng.choice(["a", "b", "c"], 400)
    data["h"] = rng.integers(0, 5, 400)
    data["y"] = rng.poisson(2.0, 400)
    return data


FORMULA = (
    "y ~ bs(x, df=5) + cr(z, df=4) + center(w) + C(g, Sum) + C(h, Poly) + standardize(v)"
    " + te(cr(x, df=3), cc(w, df=3), constraints='center')"
)


@without_cr_warning
@pytest.mark.filterwarnings("ignore::glmcount.errors.MissingRowsWarning")
def test_a_design_does_not_depend_on_the_strips(frame, monkeypatch):
    frame.loc[::17, "x"] = np.nan

    def states():
        variables = gc.fit(FORMULA, frame)._state.rows.spec.variables
        return {c: state_to_plain(v.expression, v.state) for c, v in variables.items() if v.state}

    whole = states()
    assert len(whole) == 5
    monkeypatch.setattr(base, "STRIP_ROWS", 64)
    for code, state in states().items():
        for one, other in zip(state, whole[code], strict=True):
            assert one["transform"] == other["transform"]
            for name, value in one["learnt"].items():
                if name != "low" and value is not None:
                    expected = np.array(other["learnt"][name])
                    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-14)


@without_cr_warning
def test_a_design_is_the_same_in_a_fresh_process(frame, tmp_path):
    r = gc.fit(FORMULA.partition(" + te")[0], frame)
    spec, new = r._state.rows.spec, frame.drop(columns="y").head(50)
    assert b"patsy" not in pickle.dumps(spec)
    place = tmp_path / "design.pkl"
    place.write_bytes(pickle.dumps((spec, new)))
    code = [sys.executable, "-m", "tests.language.encoded", str(place)]
    root = Path(__file__).parents[2]
    run = subprocess.run(code, capture_output=True, text=True, check=True, cwd=root)
    assert run.stdout == told(spec, new) + "\n"
    names = spec.equations[0].names
    kept = [names.index(name) for name in r.params.index if np.isfinite(r.params[name])]
    made = np.column_stack(columns(spec, new))[:, kept]
    linear = r.predict(new, which="linear").to_numpy()
    assert made @ r.params.dropna().to_numpy() == pytest.approx(linear, rel=1e-10)


def test_quantiles_of_too_many_values_ask_for_knots():
    rng = np.random.default_rng(5)
    x = rng.uniform(size=200_000)
    data = {"y": rng.poisson(2.0, len(x)), "x": x, "few": np.round(x, 3)}
    small = gc.Control(memory=0)
    for code in ("bs(x, df=5)", "cr(x, df=4)", "cc(x, knots=[0.3, 0.6], constraints='center')"):
        with pytest.raises(MemoryLimitError, match=r"distinct values.*knots=\[") as caught:
            gc.fit(f"y ~ {code}", data, control=small)
        assert caught.value.kind == "too_many_values"
        assert code in str(caught.value)
    for code in (
        "bs(few, df=5)",
        "bs(x, df=3)",
        "bs(x, knots=[0.3, 0.6])",
        "cc(x, knots=[0.3, 0.6], lower_bound=0, upper_bound=1, constraints='center')",
    ):
        limited = gc.fit(f"y ~ {code}", data, control=small)
        assert limited.llf == pytest.approx(gc.fit(f"y ~ {code}", data).llf, rel=1e-12)


@pytest.mark.parametrize(
    "code, why",
    [
        ("bs(x)", "df= or knots="),
        ("bs(x, df=2)", "df=2 is too small for degree=3"),
        ("bs(x, df=5, knots=[0])", "implies 2 knots, but 1"),
        ("bs(x, knots=[9])", "above upper bound"),
        ("bs(x, knots=['a'])", "must be numbers"),
        ("bs(x, df=4, lower_bound='a')", "must be a number"),
        ("bs(x, df=4, lower_bound=1, upper_bound=-1)", "lower_bound > upper_bound"),
        ("cr(x, df=1)", "must be 2 or more"),
        ("cr(x, df=3, constraints=[1, 2])", "must have 4 columns, not 2"),
        ("cr(x, df=3, constraints='centre')", "'center'"),
        ("cr(x, knots=[1], lower_bound=1)", "too few do"),
        ("cc(x, df=3, lower_bound=7, upper_bound=9)", "no value lies between"),
        ("te(x, z, constraints=[1, 2])", "must have 1 columns"),
    ],
)
def test_what_cannot_be_learnt_is_said_with_a_caret(code, why):
    rng = np.random.default_rng(2)
    data = {"y": np.arange(50) % 4, "x": rng.normal(size=50), "z": rng.normal(size=50)}
    with pytest.raises(FormulaError) as caught:
        gc.fit(f"y ~ {code}", data)
    message = str(caught.value)
    assert why in message
    assert f"    {code}\n    {'^' * len(code)}" in message


@settings(deadline=None, max_examples=50)
@given(
    st.sampled_from(
        ["center(x)", "standardize(x)", "bs(x, df=4)", "cr(x, df=3, constraints='center')",
         "te(cr(x, df=3), z, constraints='center')"]
    ),
    st.lists(st.tuples(VALUES, VALUES), min_size=8, max_size=30, unique_by=lambda row: row[0]),
    st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=4),
)  # fmt: skip
def test_missing_rows_stay_missing_and_teach_nothing_in_any_strip(code, rows, holes):
    x, z = map(np.array, zip(*rows, strict=True))
    places = [min(place, len(x)) for place, _ in holes]
    whole = {
        "x": np.insert(x, places, [np.nan if hole else 0.5 for _, hole in holes]),
        "z": np.insert(z, places, 0.25),
    }
    there = ~np.isnan(whole["x"])
    kept = {name: values[there] for name, values in whole.items()}
    expected = ours(code, [kept], kept)
    found = ours(code, cut_at(whole, [4, 7]), whole)
    assert np.isnan(found[~there]).all()
    near = 1e-12 * np.abs(expected).max(axis=0)
    assert (np.abs(found[there] - expected) <= near + 1e-15).all()
