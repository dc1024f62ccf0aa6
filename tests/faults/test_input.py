"""What a user hands over: masks, labels of rows, whole numbers, constants, and what is no data."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.stats import poisson

import glmcount as gc
from glmcount import cli, errors

Y = np.array([1, 2, 3, 4, 5, 7, 2, 4])
X = np.array([0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 1.5, 0.5])
ONE = np.ones(8)
MATRIX = np.column_stack([ONE, X])
HIDDEN = np.array([0, 0, 1, 0, 0, 1, 0, 0], dtype=bool)
SEEN = ~HIDDEN


def quiet(call, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", errors.GlmcountWarning)
        return call(*arguments, **options)


def fit(*arguments, **options):
    return quiet(gc.fit, *arguments, **options)


def arrays(*arguments, **options):
    return quiet(gc.fit_arrays, *arguments, **options)


def refused(call, *arguments, **options):
    with pytest.raises(errors.GlmcountError) as caught:
        quiet(call, *arguments, **options)
    return caught.value


def masked(values, nonsense):
    """Values of which the masked ones are nonsense below the mask."""
    return np.ma.array(np.where(HIDDEN, nonsense, values), mask=HIDDEN)


def same(one, other):
    assert list(one.params) == pytest.approx(list(other.params), rel=1e-9)
    assert one.llf == pytest.approx(other.llf, rel=1e-12)
    assert one.nobs == other.nobs


# Masks -------------------------------------------------------------------------------------

EXPECTED = arrays(Y[SEEN], MATRIX[SEEN])


def test_masked_columns_leave_their_rows_out():
    matrix = np.ma.array(MATRIX.copy(), mask=False)
    matrix[HIDDEN, 1] = np.ma.masked
    matrix.data[HIDDEN, 1] = 50.0
    same(arrays(Y, matrix), EXPECTED)
    same(arrays(Y, list(matrix)), EXPECTED)
    same(arrays(masked(Y, 99), MATRIX), EXPECTED)
    same(
        arrays([np.ma.masked if hid else int(v) for v, hid in zip(Y, HIDDEN, strict=True)], MATRIX),
        EXPECTED,
    )
    rows = [[1.0, np.ma.masked if hid else v] for v, hid in zip(X, HIDDEN, strict=True)]
    same(arrays(Y, rows), EXPECTED)
    same(arrays(Y, np.ma.array(MATRIX.astype(np.float32), mask=matrix.mask)), EXPECTED)


@pytest.mark.parametrize("role", ["offset", "exposure", "censored"])
@pytest.mark.parametrize("number", [float, int, np.float32])
def test_masked_offsets_exposures_and_limits_leave_their_rows_out(role, number):
    values = np.array([3, 4, 3, 6, 5, 4, 7, 3]).astype(number)
    expected = arrays(Y[SEEN], MATRIX[SEEN], **{role: values[SEEN]})
    same(arrays(Y, MATRIX, **{role: masked(values, 90)}), expected)
    same(fit("y ~ x", {"y": Y, "x": X}, **{role: masked(values, 90)}), expected)
    data = {"y": Y, "x": X, "v": masked(values, 90)}
    same(fit("y ~ x", data, **{role: "v"}), expected)


def test_masked_parts_leave_their_rows_out():
    y = np.where(np.arange(8) % 3 == 0, 0, Y)
    one = {"hurdle": masked(X, 77.0)[:, None]}
    expected = arrays(y[SEEN], MATRIX[SEEN], hurdle=X[SEEN][:, None])
    same(arrays(y, MATRIX, **one), expected)


def test_masked_weights_and_responses_are_missing_ones():
    assert refused(gc.fit_arrays, Y, MATRIX, weights=masked(ONE, 5)).kind == "missing_weights"
    r = arrays(Y, MATRIX)
    assert refused(r.refit, y=masked(Y, 99)).kind == "nonfinite_design"
    # What was left out before may be masked again.
    same(quiet(arrays(masked(Y, 99), MATRIX).refit, y=masked(Y, 50)), EXPECTED)
    same(fit("y ~ x", {"y": masked(Y, 99), "x": [*X]}), EXPECTED)
    listed = [np.ma.masked if hidden else v for v, hidden in zip(X, HIDDEN, strict=True)]
    same(fit("y ~ x", {"y": Y, "x": listed}), EXPECTED)


# Labels of rows ----------------------------------------------------------------------------

LABELS = list("abcdefgh")
FRAME = pd.DataFrame(MATRIX, index=LABELS, columns=["one", "x"])
SERIES = pd.Series(Y, index=LABELS)


def test_pieces_with_the_same_labels_are_paired_by_them():
    expected = arrays(Y, MATRIX)
    turned = SERIES[::-1]
    same(arrays(SERIES, FRAME), expected)
    r = arrays(turned, FRAME)
    same(r, expected)
    assert list(r.fittedvalues.index) == LABELS[::-1]
    assert list(r.fittedvalues[LABELS]) == pytest.approx(list(expected.fittedvalues), rel=1e-12)
    same(r.refit(y=turned + 1), arrays(Y + 1, MATRIX))
    same(quiet(r.refit, y=(turned + 1).to_numpy(), cov="HC1"), arrays(Y + 1, MATRIX, cov="HC1"))
    same(fit("y ~ x", {"y": turned, "x": FRAME["x"]}), fit("y ~ x", {"y": Y, "x": X}))
    part = FRAME[["x"]].iloc[::-1]
    y = np.where(np.arange(8) % 3 == 0, 0, Y)
    same(
        arrays(pd.Series(y, LABELS), FRAME, hurdle=part),
        arrays(y, MATRIX, hurdle=FRAME[["x"]].values),
    )


@pytest.mark.parametrize(
    "labels", [list("abcdefgz"), list(range(8)), list("aabcdefg"), pd.date_range("2020", periods=8)]
)
def test_pieces_with_other_labels_are_refused(labels):
    other = pd.Series(Y, index=labels)
    for error in (
        refused(gc.fit_arrays, other, FRAME),
        refused(gc.fit_arrays, SERIES, FRAME.set_axis(labels)),
        refused(gc.fit, "y ~ x", {"y": other, "x": FRAME["x"]}),
        refused(gc.fit, "y ~ x", {"y": SERIES, "x": FRAME["x"]}, weights=other),
        refused(gc.fit_arrays, Y, FRAME, offset=other),
        refused(gc.fit_arrays, SERIES, MATRIX, exposure=other),
        refused(gc.fit_arrays, SERIES, FRAME, inflate=FRAME[["x"]].set_axis(labels)),
    ):
        assert error.kind == "index_mismatch"
        assert "to_numpy()" in str(error)


def test_lists_have_no_labels():
    r = arrays([*Y], MATRIX.tolist())
    assert list(r.fittedvalues.index) == list(range(8))
    assert list(arrays([*Y], FRAME).fittedvalues.index) == LABELS


# Whole numbers far from zero ---------------------------------------------------------------

SMALL = np.array([0, 1, 2] * 2)
COUNTS = np.array([1, 2, 3, 4, 5, 6])
FAR = {
    "ids": (3_000_000_000, 0.28969395),
    "minutes": (202_611_300_628, 0.28969395),
    "negative": (-3_000_000_000, 0.28969395),
    "edge": (2**31 - 1, 0.28969395),
    "below": (-(2**31) - 1, 0.28969395),
    "large": (2**44, 0.28969395),
}


@pytest.mark.parametrize("case", FAR)
@pytest.mark.parametrize(
    "kind", ["int64", "uint64", "Int64", "int64[pyarrow]", "object", "float64"]
)
def test_whole_numbers_may_lie_far_from_zero(case, kind):
    start, slope = FAR[case]
    if kind == "uint64" and start < 0:
        pytest.skip("no negative numbers")
    if kind == "int64[pyarrow]":
        pytest.importorskip("pyarrow")
    values = pd.Series(SMALL + start, dtype=kind)
    r = fit("y ~ k", pd.DataFrame({"y": COUNTS, "k": values}))
    assert r.params["k"] == pytest.approx(slope, abs=5e-9)
    squared = fit(f"y ~ k + I((k - {start})**2)", pd.DataFrame({"y": COUNTS, "k": values}))
    assert squared.llf == pytest.approx(
        fit("y ~ x + I(x**2)", {"y": COUNTS, "x": SMALL}).llf, rel=1e-9
    )


@pytest.mark.parametrize("kind", ["uint32", "UInt32"])
def test_unsigned_columns_beyond_half_of_their_range(kind):
    values = pd.Series(SMALL + 4_294_967_290, dtype=kind)
    r = fit("y ~ k", pd.DataFrame({"y": COUNTS, "k": values}))
    assert r.params["k"] == pytest.approx(0.28969395, abs=5e-9)


@pytest.mark.parametrize("kind", ["int64", "uint64"])
def test_numbers_that_doubles_cannot_tell_apart_are_refused(kind):
    data = pd.DataFrame({"y": COUNTS, "k": pd.Series(SMALL + 2**60, dtype=kind)})
    error = refused(gc.fit, "y ~ k", data)
    assert error.kind == "beyond_double"
    assert "'k'" in str(error) or "k" in str(error).split()
    spread = pd.DataFrame({"y": COUNTS, "k": pd.Series(SMALL * 2**58 + 7, dtype=kind)})
    assert fit("y ~ k", spread).params["k"] * 2.0**58 == pytest.approx(0.28969395, abs=5e-9)


def test_far_whole_numbers_are_grouped_like_any_others():
    rng = np.random.default_rng(3)
    k = rng.integers(0, 20, 3_000)
    y = rng.poisson(np.exp(0.1 * k))
    for start in (0, 5_000_000_000, -7_000_000_000, 2**54):
        data = {"y": y, "k": k * (64 if start == 2**54 else 1) + start}
        one, other = (fit("y ~ k", data, compress=c) for c in (True, False))
        assert one.llf == pytest.approx(other.llf, rel=1e-12)


# Constants in the place of columns ---------------------------------------------------------

DATA = {"y": Y, "x": X}


@pytest.mark.parametrize(
    "formula, other",
    [
        ("y ~ offset(1)", {"offset": ONE}),
        ("y ~ x + offset(1)", {"offset": ONE}),
        ("y ~ offset(log(2))", {"offset": np.log(2) * ONE}),
        ("y ~ True", {}),
        ("y ~ I(2)", {}),
        ("y ~ np.log(2)", {}),
        ("y ~ where(True, 2, 3)", {}),
    ],
)
def test_a_constant_in_the_formula_is_one_for_every_row(formula, other):
    plain = "y ~ x" if "x +" in formula else "y ~ 1"
    r, expected = fit(formula, DATA), fit(plain, DATA, **other)
    same(r, expected)
    assert list(r.predict({"x": [0.0, 0.0, 0.0]})) == pytest.approx(
        [r.predict({"x": [0.0]})[0]] * 3
    )


@pytest.mark.parametrize("role", ["weights", "offset", "exposure", "censored"])
@pytest.mark.parametrize(
    "text, value", [("1", 1.0), ("2", 2.0), ("1 + 1", 2.0), ("log(8)", np.log(8))]
)
def test_a_constant_as_text_is_one_for_every_row(role, text, value):
    if (role, text) == ("censored", "1"):
        pytest.skip("every count reaches that limit, which is refused")
    for formula in ("y ~ x", "y ~ 1"):
        same(fit(formula, DATA, **{role: text}), fit(formula, DATA, **{role: value * ONE}))


@pytest.mark.parametrize(
    "options, kind",
    [
        ({"weights": "0"}, "no_observations"),
        ({"weights": "-1"}, "negative_weights"),
        ({"exposure": "0"}, "nonpositive_exposure"),
        ({"offset": "'a'"}, "unsafe_formula"),
        ({"offset": "True"}, "offset"),
        ({"weights": "center(x)"}, "weights"),
        ({"weights": "cr(x, df=3)"}, "weights"),
    ],
)
def test_constants_that_make_no_sense_are_named(options, kind):
    assert refused(gc.fit, "y ~ x", DATA, **options).kind == kind


# What is no data ---------------------------------------------------------------------------

RAGGED = [[1, 2], [1], [2, 3], [1, 2], [1, 2], [1, 2], [1, 2], [1, 2]]
HUGE = [1, 2, 3, 4, 5, 6, 7, 10**400]


@pytest.mark.parametrize("huge", [10**400, -(10**400), 10**5_000], ids=["400", "-400", "5000"])
def test_numbers_beyond_doubles_are_named(huge):
    for values in ([*HUGE[:-1], huge], np.array([*HUGE[:-1], huge], dtype=object)):
        for error in (
            refused(gc.fit, "y ~ x", {"y": values, "x": X}),
            refused(gc.fit, "y ~ x", {"y": Y, "x": values}),
            refused(gc.fit_arrays, values, MATRIX),
            refused(gc.fit_arrays, Y, [[1, v] for v in values]),
            refused(gc.fit_arrays, Y, MATRIX, offset=values),
            refused(gc.fit_arrays, Y, MATRIX, weights=values),
            refused(arrays(Y, MATRIX).refit, y=values),
        ):
            assert error.kind == "design_dtype"
            assert "row 7" in str(error)


@pytest.mark.parametrize(
    "matrix, kind, told",
    [
        (RAGGED, "ragged", "row 1"),
        (sparse.csr_matrix(MATRIX), "sparse", "toarray()"),
        (sparse.csc_array(MATRIX), "sparse", "toarray()"),
        (MATRIX + 1j, "design_dtype", "complex"),
        (np.array(["2020-01-01"] * 8, "M8[D]"), "design_dtype", "datetime"),
        ([[[1, 2]]] * 8, "design_dtype", "(8, 1, 2)"),
        ([["a", 1.0]] * 8, "design_dtype", "<U"),
        (np.array([["a", 1.0]] * 8, dtype=object), "design_dtype", "'x0'"),
        (None, "design_dtype", "NoneType"),
        ({"x": X}, "design_dtype", "dict"),
        (np.zeros((8, 0)), "no_parameters", ""),
        (MATRIX[:4], "column_length", "4"),
    ],
)
def test_a_matrix_that_is_none_is_named(matrix, kind, told):
    error = refused(gc.fit_arrays, Y, matrix)
    assert error.kind == kind
    assert told in str(error)


def test_objects_that_are_numbers_are_numbers():
    same(arrays(Y.astype(object), MATRIX.astype(object)), arrays(Y, MATRIX))


@pytest.mark.parametrize("role", ["y", "offset", "weights", "exposure"])
@pytest.mark.parametrize(
    "values, kind",
    [
        (RAGGED, "ragged"),
        (sparse.csr_matrix(X), "sparse"),
        (X + 1j, "design_dtype"),
        (np.array(["2020-01-01"] * 8, "M8[D]"), None),
    ],
)
def test_roles_that_are_no_numbers_are_named(role, values, kind):
    given = {"y": values} if role == "y" else {"y": Y, role: values}
    error = refused(gc.fit_arrays, X=MATRIX, **given)
    assert kind is None or error.kind == kind
    if role == "y":
        refused(arrays(Y, MATRIX).refit, y=values)
    else:
        refused(gc.fit, "y ~ x", DATA, **{role: values})


@pytest.mark.parametrize("values", [RAGGED, sparse.csr_matrix(X), X + 1j, MATRIX, None, 5, len])
def test_columns_that_are_none_are_named(values):
    error = refused(gc.fit, "y ~ x", {"y": Y, "x": values})
    assert error.kind in ("sparse", "design_dtype", "column_length")
    assert "'x'" in str(error)


def test_the_limit_of_memory_holds_for_arrays_and_parts():
    few = gc.Control(memory_limit=8 * 40**2)
    rng = np.random.default_rng(1)
    wide, y = rng.normal(size=(200, 41)), rng.poisson(2.0, 200)
    error = refused(gc.fit_arrays, y, wide, control=few)
    assert error.kind == "memory_limit"
    assert "41 columns" in str(error)
    assert len(arrays(y, wide[:, :40], control=few).params) == 40
    error = refused(gc.fit_arrays, y, wide[:, :20], inflate=wide[:, 20:], control=few)
    assert error.kind == "memory_limit"
    data = {"y": y, **{f"x{j}": wide[:, j] for j in range(41)}}
    halves = [" + ".join(f"x{j}" for j in part) for part in (range(20), range(20, 41))]
    assert refused(gc.fit, f"y ~ {halves[0]}", data, hurdle=halves[1], control=few).kind == (
        "memory_limit"
    )


# Constants that columns span ---------------------------------------------------------------

QUINE = gc.datasets.load("quine")
QUINE = QUINE.assign(
    one=1.0,
    two=2,
    N=np.arange(len(QUINE)) % 7,
    a=(QUINE.Eth == "A") * 1,
    n=(QUINE.Eth == "N") * 1,
    share=np.linspace(0.1, 0.7, len(QUINE)),
    rest=1 - np.linspace(0.1, 0.7, len(QUINE)),
    t=1.0 + np.arange(len(QUINE)) % 5,
)
# Sum of log Poisson probabilities at the mean, by hand: R's glm gives the same.
ALONE = -1331.0049

SPANNING = {
    "0 + one + N": "N",
    "0 + two + N": "N",
    "0 + a + n + N": "Eth + N",
    "0 + C(Eth) + N": "Eth + N",
    "0 + C(Eth):two + N": "Eth + N",
    "0 + share + rest + N": "share + N",
    "0 + bs(N, df=4, include_intercept=True)": "bs(N, df=4, include_intercept=True)",
    "0 + C(Age):two + C(Sex, Sum) + N": "Age + Sex + N",
}


@pytest.mark.parametrize("family", ["poisson", "negbin", "quasipoisson"])
@pytest.mark.parametrize("terms", SPANNING)
def test_a_constant_is_seen_wherever_the_columns_span_one(terms, family):
    r = fit(f"Days ~ {terms}", QUINE, family=family)
    usual = fit(f"Days ~ {SPANNING[terms]}", QUINE, family=family)
    assert r.df_model == usual.df_model
    assert r.null_deviance == pytest.approx(usual.null_deviance, rel=1e-9)
    if family != "quasipoisson":
        assert r.llnull == pytest.approx(usual.llnull, rel=1e-10)
        assert r.prsquared == pytest.approx(usual.prsquared, rel=1e-8)
        assert "intercept only" in str(r.summary())
    if family == "poisson":
        assert r.llnull == pytest.approx(ALONE, abs=5e-5)


@pytest.mark.parametrize("compress", [True, False])
def test_a_constant_is_seen_among_columns_of_a_matrix(compress):
    full = QUINE[["N", "a", "n"]].to_numpy(dtype=float)
    for matrix, df in ((full, 2), (np.column_stack([0.5 * np.ones(146), full[:, 0]]), 1)):
        r = arrays(QUINE.Days, matrix, compress=compress)
        assert r.llnull == pytest.approx(ALONE, abs=5e-5)
        assert r.df_model == df


def test_without_a_constant_the_null_model_is_the_offset():
    y, t = QUINE.Days.to_numpy(dtype=float), QUINE.t.to_numpy()
    r = fit("Days ~ 0 + N", QUINE, exposure="t")
    assert r.llnull == pytest.approx(poisson.logpmf(y, t).sum(), rel=1e-12)
    assert r.df_model == 1
    assert "no constant: offset only" in str(r.summary())
    assert "intercept only" not in str(r.summary())
    # Near a constant is not one.
    near = QUINE.assign(near=1.0 + 1e-6 * QUINE.N)
    assert fit("Days ~ 0 + near", near).df_model == 1


def test_a_constant_of_the_mean_is_seen_beside_other_parts():
    r = fit("Days ~ 0 + one + N", QUINE, hurdle="N")
    usual = fit("Days ~ N", QUINE, hurdle="N")
    assert r.llnull == pytest.approx(usual.llnull, rel=1e-10)
    assert r.df_model == usual.df_model


# Never more columns than rows --------------------------------------------------------------


def wide_designs():
    rng = np.random.default_rng(7)
    for n in (5, 10, 30):
        y = rng.poisson(3.0, n)
        y[0], y[1] = 0, 4
        data = {"y": y, "x": np.arange(float(n)), "z": rng.normal(size=n)}
        for df in (n + 3, 2 * n, 4 * n):
            yield n, None, lambda d=data, k=df: fit(f"y ~ bs(x, df={k})", d)
            yield n, None, lambda d=data, k=df: fit(f"y ~ bs(x, df={k}) + z", d)
            matrix = np.column_stack([np.ones(n), rng.normal(size=(n, df))])
            yield n, y, lambda y=y, m=matrix: arrays(y, m)
        blocks = np.kron(rng.normal(size=(n, n // 3)), [[1.0, 2.0, -1.0, 0.5]])
        yield n // 3, None, lambda y=y, m=blocks: arrays(y, m)


@pytest.mark.parametrize("case", range(30))
def test_as_many_columns_are_kept_as_the_rows_hold_apart(case):
    rank, y, model = list(wide_designs())[case]
    r = model()
    assert len(r.params) == rank
    if y is not None:
        # A model with a column for each row repeats the data.
        assert r.llf == pytest.approx(poisson.logpmf(y, y).sum(), rel=1e-7)


def test_the_columns_that_are_too_many_are_named():
    y = np.array([0, 2, 1, 3, 4, 2, 5, 1, 2, 7])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        r = gc.fit("y ~ bs(x, df=13)", {"y": y, "x": np.arange(10.0)})
    dropped = [str(w.message) for w in caught if w.message.kind == "column"]
    assert len(dropped) == 1 and len(r.aliased) == 4
    assert all(repr(name) in dropped[0] for name in r.aliased)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gc.fit("y ~ bs(x, df=60)", {"y": y, "x": np.arange(10.0)})
    dropped = [str(w.message) for w in caught if w.message.kind == "column"]
    assert len(dropped) == 1
    assert "51 columns" in dropped[0]


def test_rows_of_weight_near_zero_hold_columns_apart():
    # The mean of the last rows is 1e-9: their weights hide that they tell x and z apart.
    rng = np.random.default_rng(2)
    n = 40
    x = rng.normal(size=n)
    z = np.where(np.arange(n) < 30, 2 * x, rng.normal(size=n))
    w = z + x
    offset = np.where(np.arange(n) < 30, 0.0, -25.0)
    y = np.where(np.arange(n) < 30, rng.poisson(3.0, n), 0)
    r = fit("y ~ x + z + w", {"y": y, "x": x, "z": z, "w": w}, offset=offset)
    assert list(r.aliased) == ["w"]


@pytest.mark.parametrize("part", ["inflate", "hurdle", "dispersion"])
def test_parts_keep_no_more_columns_than_rows(part):
    rng = np.random.default_rng(5)
    y = np.array([0, 0, 1, 2, 3, 4, 0, 2, 5, 3])
    family = "negbin" if part == "dispersion" else "poisson"
    r = arrays(y, rng.normal(size=(10, 2)), family=family, **{part: rng.normal(size=(10, 14))})
    names = [name for name in r.params.index if name.startswith(part)]
    assert len(names) <= 10


# Whole numbers that double precision does not hold, beside missing ones -----------------------

EDGE = 2**53
LARGE_IDS = [EDGE + 1, EDGE + 2, EDGE + 3, EDGE + 4] * 3 + [None]
TALLY = [1, 2, 5, 9] * 3 + [3]


def _polars(ids, y):
    return pytest.importorskip("polars").DataFrame({"y": y, "id": ids})


def _arrow(ids, y):
    return pytest.importorskip("pyarrow").table({"y": y, "id": ids})


def _arrow_dtype(ids, y):
    pytest.importorskip("pyarrow")
    return pd.DataFrame({"y": y, "id": pd.array(ids, dtype="int64[pyarrow]")})


def _masked(ids, y):
    hidden = [each is None for each in ids]
    return {"y": y, "id": np.ma.array([each or 0 for each in ids], mask=hidden)}


HELD_AS = {
    "list": lambda ids, y: {"y": y, "id": ids},
    "nan": lambda ids, y: {"y": y, "id": [np.nan if each is None else each for each in ids]},
    "objects": lambda ids, y: pd.DataFrame({"y": y, "id": pd.Series(ids, dtype=object)}),
    "array": lambda ids, y: {"y": y, "id": np.array(ids, dtype=object)},
    "Int64": lambda ids, y: pd.DataFrame({"y": y, "id": pd.array(ids, dtype="Int64")}),
    "masked": _masked,
    "polars": _polars,
    "arrow": _arrow,
    "arrow dtype": _arrow_dtype,
}
EVERY_TABLE = pytest.mark.parametrize("table", HELD_AS.values(), ids=HELD_AS)


@EVERY_TABLE
def test_large_labels_stay_apart_beside_missing_ones(table):
    r = fit("y ~ C(id)", table(LARGE_IDS, TALLY))
    assert list(r.params.index[1:]) == [f"C(id)[T.{each}]" for each in LARGE_IDS[1:4]]
    assert np.exp(r.params.to_numpy().cumsum()[0]) == pytest.approx(1.0)
    assert np.exp(r.params.iloc[0] + r.params.iloc[1:].to_numpy()) == pytest.approx([2, 5, 9])
    means = r.predict(table([EDGE + 4, None, EDGE + 1], [1, 1, 1]))
    assert np.asarray(means) == pytest.approx([9.0, np.nan, 1.0], nan_ok=True)
    error = refused(r.predict, table([EDGE + 4, None, EDGE], [1, 1, 1]))
    assert error.kind == "unseen_level"


@EVERY_TABLE
def test_labels_beside_missing_ones_are_called_as_whole_numbers(table):
    r = fit("y ~ C(id)", table([1, 2, 3, 4] * 3 + [None], TALLY))
    assert list(r.params.index[1:]) == ["C(id)[T.2]", "C(id)[T.3]", "C(id)[T.4]"]


@EVERY_TABLE
def test_large_whole_numbers_are_compared_and_judged_as_they_are(table):
    data = table(LARGE_IDS, TALLY)
    r = fit(f"y ~ I(id == {EDGE + 3})", data)
    assert np.exp(r.params.to_numpy().sum()) == pytest.approx(5.0)
    assert refused(fit, "y ~ id", data).kind == "beyond_double"


def test_labels_beyond_64_bits_stay_apart():
    ids = [None if each is None else each + 2**70 for each in LARGE_IDS]
    for data in ({"y": TALLY, "id": ids}, {"y": TALLY[:-1], "id": ids[:-1]}):
        assert list(fit("y ~ C(id)", data).params.index[1:]) == [
            f"C(id)[T.{each}]" for each in ids[1:4]
        ]


@pytest.mark.parametrize(
    ("formula", "ids"),
    [
        ("y ~ C(id)", np.array(LARGE_IDS, dtype=float)),
        ("y ~ C(id)", pd.Series(LARGE_IDS)),
        ("y ~ C(id + 1)", LARGE_IDS),
        ("y ~ C(where(id > 5, id, 5))", LARGE_IDS),
        ("y ~ C(id)", [*LARGE_IDS[:-1], 0.5]),
    ],
)
def test_labels_that_have_become_doubles_are_refused(formula, ids):
    error = refused(fit, formula, {"y": TALLY, "id": ids})
    assert error.kind == "beyond_double"
    assert "Int64" in str(error)


def test_large_labels_stay_apart_where_strips_differ():
    n = 70_000
    ids = [EDGE + 1 + i % 4 for i in range(n)]
    ids[-1] = None
    y = np.tile([1, 2, 5, 9], n // 4)
    r = fit("y ~ C(id)", {"y": y, "id": ids})
    assert len(r.params) == 4
    assert np.exp(r.params.iloc[0] + r.params.iloc[1:].to_numpy()) == pytest.approx([2, 5, 9])


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".csv.gz", ".parquet"])
@pytest.mark.parametrize("first", [EDGE, 0])
def test_the_command_line_keeps_labels_apart(ending, first, tmp_path, capsys):
    ids = pd.array([first + 1, first + 2, first + 3, first + 4] * 3 + [None], dtype="Int64")
    frame, path = pd.DataFrame({"y": TALLY, "id": ids}), tmp_path / f"data{ending}"
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",")
    assert quiet(cli.main, ["fit", "y ~ C(id)", str(path)]) == 0
    told = capsys.readouterr().out
    assert all(f"C(id)[T.{each}]" in told for each in ids[1:4])


def test_rows_are_left_out_for_reasons_in_the_users_words():
    weights, offset = [0.0, *ONE[1:]], [*ONE[1:], np.nan]
    assert fit("y ~ x", {"y": Y, "x": X}, weights=weights).dropped == {"weights zero": 1}
    assert fit("y ~ x", {"y": Y, "x": X}, offset=offset).dropped == {"offset missing": 1}
    assert fit("y ~ x", {"y": Y, "x": X, "w": weights}, weights="w").dropped == {"w zero": 1}


def test_options_that_arrays_have_not_are_not_proposed():
    error = refused(arrays, Y, MATRIX, env={})
    assert error.kind == "unknown_option"
    assert "Did you mean" not in str(error)
    assert str(error).startswith("fit_arrays() has no option 'env'")
    assert "Did you mean 'env'" in str(refused(fit, "y ~ x", {"y": Y, "x": X}, envv={}))


def test_coarse_numbers_are_told_with_their_steps():
    error = refused(fit, "y ~ x", {"y": Y, "x": 2**54 + np.arange(8)})
    assert "only in steps of 4" in str(error)
