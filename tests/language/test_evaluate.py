"""Expressions computed: bit-equal to patsy where patsy is right, and right where it is not."""

import json
from itertools import pairwise

import numpy as np
import pandas as pd
import patsy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patsy.build import build_design_matrices, design_matrix_builders

from glmcount.columns.coerce import coerce
from glmcount.design.formula import PatsyContrast
from glmcount.errors import DataError, FormulaError, UnsafeFormulaError
from glmcount.language.contrasts import Box, Contrast
from glmcount.language.evaluate import evaluate
from glmcount.language.learning import finish, memorize
from glmcount.language.parse import parse
from glmcount.language.transforms import new_state, state_from_plain, state_to_plain

FACTORS = [
    "x",
    "k",
    "flag",
    "s",
    "I(x)",
    "I(x + z * 2 - 1)",
    "I(x / z)",
    "I(z // 0.3)",
    "I(z % 0.3)",
    "I(z**2)",
    "I(z**0.5)",
    "I(z**(1/3))",
    "I(z**-1)",
    "I(z**x)",
    "I(2**x)",
    "I(-x + +z)",
    "I(k * 24 * 3600)",
    "x > 0",
    "I((x > 0) & (z <= 1.5))",
    "I((x > 0) | ~(z <= 1.5))",
    "s == 'a'",
    "s != 'a'",
    "'b' == s",
    "k == 2",
    "2 < k",
    "np.log(z)",
    "np.log1p(z)",
    "np.log2(z)",
    "np.log10(z)",
    "np.exp(x)",
    "np.expm1(x)",
    "np.sqrt(z)",
    "np.abs(x)",
    "np.floor(x)",
    "np.ceil(x)",
    "np.sin(x)",
    "np.cos(x)",
    "np.tan(x)",
    "np.sign(x)",
    "np.minimum(x, z)",
    "np.maximum(x, 0)",
    "np.where(x > 0, x, z)",
    "np.where(x > 0, 'hi', 'lo')",
    "np.where(x > 0, z > 1.5, True)",
    "np.isnan(x)",
    "Q('my col')",
    "I(Q('my col') * x)",
    "C(s)",
    "C(k)",
    "C(x > 0)",
    "C(flag)",
    "C(s, Treatment)",
    "C(s, Treatment())",
    "C(s, Treatment('b'))",
    "C(s, Treatment(reference=-1))",
    "C(s, contrast=Treatment('c'))",
    "C(k, Treatment(2))",
    "C(s, Sum)",
    "C(s, Sum(omit='a'))",
    "C(s, Poly)",
    "C(s, Poly([1, 2, 10]))",
    "C(s, Poly(scores=(1, 2, 10)))",
    "C(s, Helmert)",
    "C(s, Diff())",
    "C(s, [[1, 0], [0, 1], [-1, -1]])",
    "C(s, levels=['c', 'b', 'a'])",
    "C(s, Sum, ['c', 'a', 'b'])",
    "C(C(s, Sum), levels=['c', 'a', 'b'])",
    "center(x)",
    "center(k)",
    "scale(x)",
    "standardize(x)",
    "standardize(x, center=False)",
    "standardize(x, True, True, 1)",
    "standardize(x, rescale=False)",
    "standardize(bs(z, df=4))",
    "standardize(center(np.log(z)))",
    "center(standardize(k) * x)",
    "I(center(x) * center(z))",
    "bs(z, df=5)",
    "bs(z, 4)",
    "bs(z, knots=[1.2, 1.7], degree=2)",
    "bs(z, df=6, include_intercept=True)",
    "bs(z, df=5, lower_bound=0, upper_bound=3)",
    "bs(z, df=3, degree=0)",
    "bs(np.log(z), df=4)",
    "bs(center(z), df=4)",
    "cr(x, df=4)",
    "cr(x, df=3, constraints='center')",
    "cr(x, knots=[-0.5, 0.5], lower_bound=-4, upper_bound=4)",
    "cc(x, df=4)",
    "cc(x, df=4, constraints='center')",
    "te(cr(x, df=3), cr(z, df=3))",
    "te(cr(x, df=3), cc(z, df=3), constraints='center')",
    "te(x, z)",
]


# Sums over rows, and recurrences, that patsy adds up in another order.
OWN_SUMS = ("standardize", "scale", "Poly", "'center'")


def make_frame(n, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "z": rng.uniform(1, 2, n),
            "k": rng.integers(0, 4, n),
            "s": rng.choice(["a", "b", "c"], n),
            "flag": rng.random(n) > 0.5,
            "my col": rng.normal(size=n),
        }
    )
    frame.loc[:3, "k"] = [0, 1, 2, 3]
    frame.loc[:2, "s"] = ["a", "b", "c"]
    frame.index = rng.permutation(n) // 2
    return frame


TRAINING = make_frame(200, 1)
NEW = make_frame(40, 2)
# within the range of the training data, which B-splines insist on
NEW["z"] = NEW["z"].clip(TRAINING["z"].min(), TRAINING["z"].max())


def as_data(frame):
    return {name: coerce(name, frame[name]).value() for name in frame.columns}


def as_arrays(frame):
    return {name: frame[name].to_numpy() for name in frame.columns}


def learn(expression, *strips):
    state = new_state(expression)
    for number in range(expression.passes):
        for strip in strips:
            memorize(expression, state, number, strip)
        finish(expression, state, number)
    return state


def compute(code, data, functions=None):
    expression = parse(code, list(data), functions)
    return evaluate(expression, learn(expression, data), data)


class Factor:
    """Our expression behind patsy's protocol of factors, so that patsy codes its value."""

    origin = None

    def __init__(self, code, columns, plain=None):
        self.expression = parse(code, columns)
        self.plain = plain

    def name(self):
        return self.expression.code

    def memorize_passes_needed(self, state, eval_env):
        state["own"] = new_state(self.expression)
        return self.expression.passes

    def memorize_chunk(self, state, number, data):
        memorize(self.expression, state["own"], number, data)

    def memorize_finish(self, state, number):
        finish(self.expression, state["own"], number)

    def eval(self, state, data):
        if self.plain is None:
            text = json.dumps(state_to_plain(self.expression, state["own"]), allow_nan=False)
            self.plain = json.loads(text)
        value = evaluate(self.expression, state_from_plain(self.expression, self.plain), data)
        if not isinstance(value, Box):
            return value
        coding = value.contrast and PatsyContrast(value.contrast)
        return patsy.builtins.C(value.data, coding, value.levels)


def our_matrices(code, training, new, chunks=1):
    data = as_data(training)
    bounds = np.linspace(0, len(training), chunks + 1).astype(int)
    strips = [{name: column[a:b] for name, column in data.items()} for a, b in pairwise(bounds)]
    term = patsy.Term([Factor(code, list(training.columns))])
    (builder,) = design_matrix_builders([[term]], lambda: iter(strips), patsy.EvalEnvironment([]))
    matrices = [build_design_matrices([builder], as_data(f))[0] for f in (training, new)]
    return builder.column_names, [np.asarray(matrix) for matrix in matrices]


def patsy_matrices(code, training, new, chunks=1):
    bounds = np.linspace(0, len(training), chunks + 1).astype(int)
    # patsy standardises a Series in extended precision throughout, an array rounded in between
    convert = as_arrays if "standardize" in code or "scale" in code else pd.DataFrame
    strips = [convert(training.iloc[a:b]) for a, b in pairwise(bounds)]
    environment = patsy.EvalEnvironment([{"np": np}])
    builder = patsy.incr_dbuilder(f"0 + {code}", lambda: iter(strips), environment)
    matrices = [build_design_matrices([builder], convert(frame))[0] for frame in (training, new)]
    return builder.column_names, [np.asarray(matrix) for matrix in matrices]


def forbid_evaluation(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("patsy evaluated a formula")

    monkeypatch.setattr(patsy.eval.EvalEnvironment, "eval", refuse)


@pytest.mark.parametrize("chunks", [1, 3])
@pytest.mark.parametrize("code", FACTORS)
def test_values_and_names_are_patsys_bit_for_bit(code, chunks, monkeypatch):
    names, matrices = patsy_matrices(code, TRAINING, NEW, chunks)
    forbid_evaluation(monkeypatch)
    our_names, ours = our_matrices(patsy_code(code), TRAINING, NEW, chunks)
    assert [rename(name) for name in our_names] == [rename(name) for name in names]
    for own, reference in zip(ours, matrices, strict=True):
        if any(word in code for word in OWN_SUMS):
            assert np.abs(own - reference).max() <= 1e-14 * largest(reference)
        else:
            assert np.array_equal(own, reference)


def largest(values):
    return np.nanmax(np.abs(values), initial=0.0)


def patsy_code(code):
    return patsy.EvalFactor(code).code


def rename(name):
    # numpy 2 shows its scalars as np.int64(1), np.str_('a'), np.True_: patsy's names inherit it
    return name.replace("np.int64(", "").replace("np.True_", "True").replace(")]", "]")


@pytest.mark.parametrize("word", ["log", "sqrt", "minimum", "where"])
def test_bare_names_are_numpys_functions(word):
    arguments = {"minimum": "x, z", "where": "x > 0, x, z"}.get(word, "z")
    data = as_data(TRAINING)
    bare, dotted = (compute(f"{prefix}{word}({arguments})", data) for prefix in ("", "np."))
    assert np.array_equal(bare, dotted)


def test_columns_may_be_named_like_functions():
    data = {"C": np.array([1.0, 2.0]), "np": np.array([3.0, 4.0]), "log": np.array([1.0, 1.0])}
    assert compute("np.log(np) + log(log) + C", data).tolist() == [np.log(3.0) + 1, np.log(4.0) + 2]
    assert compute("C(C)", data).data.tolist() == [1.0, 2.0]
    named = {"Sum": coerce("Sum", ["b", "a"]).value()}
    box = compute("C(Sum, Sum)", named)
    assert box.contrast == Contrast("Sum")
    assert list(box.data) == ["b", "a"]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64", "float16"])
def test_small_types_are_computed_in_double_precision(dtype):
    data = {"x": np.array([0, 2, 100], dtype=dtype)}
    assert compute("I(x + x + x)", data).tolist() == [0.0, 6.0, 300.0]
    assert compute("x * -1", data).tolist() == [0.0, -2.0, -100.0]
    assert compute("x**20", data)[2] == 1e40
    assert compute("x**-1", data).tolist() == [np.inf, 0.5, 0.01]
    assert compute("np.exp(x)", data)[2] == np.exp(100.0)
    assert compute("center(x)", data).tolist() == [-34.0, -32.0, 66.0]


def test_whole_numbers_compare_exactly():
    data = {"k": np.array([2**53, 2**53 + 1])}
    assert compute(f"k == {2**53 + 1}", data).tolist() == [False, True]
    assert compute("k > 300", {"k": np.array([1, 2], dtype="int8")}).tolist() == [False, False]


def test_booleans_count_as_numbers_in_arithmetic():
    flag = coerce("flag", pd.Series([True, False, None], dtype="boolean")).value()
    other = coerce("other", np.array([True, True, False])).value()
    data = {"flag": flag, "other": other}
    assert np.array_equal(compute("flag * 2", data), [2, 0, np.nan], equal_nan=True)
    assert np.array_equal(compute("flag + other", data), [2, 1, np.nan], equal_nan=True)
    assert compute("isnan(flag)", data).tolist() == [False, False, True]
    assert compute("flag & other", data).tolist() == [True, False, False]
    assert compute("flag == True", data).tolist() == [True, False, False]
    assert isinstance(compute("I(flag)", data), pd.Categorical)


@pytest.mark.parametrize(
    "values",
    [
        np.array(["a", "b", None], dtype=object),
        np.array(["a", "b", "c"]),
        pd.Series(["a", "b", "c"]),
        pd.Series(["a", "b", None], dtype="category"),
        coerce("s", ["a", "b", None]).value(),
    ],
)
def test_text_compares_with_text(values):
    assert compute("s == 'a'", {"s": values}).tolist() == [True, False, False]
    assert compute("'a' != s", {"s": values}).tolist() == [False, True, True]
    assert compute("s == s", {"s": values})[:2].tolist() == [True, True]
    assert compute("s == 'no such level'", {"s": values}).tolist() == [False, False, False]


def test_ordered_levels_compare_by_their_order_and_text_by_its_letters():
    sizes = pd.Categorical(["low", "top", "high"], ["low", "high", "top"], ordered=True)
    assert compute("size >= 'high'", {"size": sizes}).tolist() == [False, True, True]
    assert compute("'high' > size", {"size": sizes}).tolist() == [True, False, False]
    assert compute("s < 'b'", {"s": np.array(["a", "b"], object)}).tolist() == [True, False]
    with pytest.raises(DataError, match=r"'mid' is no level.*'low', 'high', 'top'") as caught:
        compute("size > 'mid'", {"size": sizes})
    assert caught.value.kind == "unseen_level"


@pytest.mark.parametrize(
    "code",
    ["s + 1", "-s", "np.log(s)", "s < 1", "x == 'a'", "s < s", "minimum(s, x)", "s & (x > 0)",
     "center(s)", "x & (x > 0)", "~x", "where(s, x, 1)", "where(x > 0, s, x) + 1"],
)  # fmt: skip
def test_text_is_not_computed_with(code):
    data = {"s": coerce("s", ["a", "b"]).value(), "x": np.array([1.0, 2.0])}
    with pytest.raises(DataError) as caught:
        compute(code, data)
    assert caught.value.kind == "design_dtype"


def test_dates_are_refused_outside_C():
    data = {"t": np.array(["2020-01-01", "NaT"], dtype="M8[D]"), "x": np.array([1.0, 2.0])}
    for code in ("t + 1", "np.log(t)", "center(t)", "t > 3", "minimum(x, t)"):
        with pytest.raises(DataError, match="days since a start") as caught:
            compute(code, data)
        assert caught.value.kind == "design_dtype"
    assert compute("isnan(t)", data).tolist() == [False, True]
    assert np.array_equal(compute("C(t)", data).data, data["t"], equal_nan=True)


def test_nonfinite_results_come_back_in_silence():
    data = {"x": np.array([-1.0, 0.0, 1.0])}
    assert np.array_equal(compute("np.log(x)", data), [np.nan, -np.inf, 0.0], equal_nan=True)
    assert np.array_equal(compute("1 / x", data), [-1.0, np.inf, 1.0])


def test_a_single_value_is_repeated_for_every_row():
    data = {"x": np.array([1.0, 2.0, 3.0])}
    assert compute("I(2)", data).tolist() == [2, 2, 2]
    assert compute("log(1)", data).tolist() == [0.0, 0.0, 0.0]
    assert compute("where(True, 1, x)", data).tolist() == [1.0, 1.0, 1.0]
    assert compute("f(x)", data, {"f": np.mean}).tolist() == [2.0, 2.0, 2.0]
    assert len(compute("x + 1", {"x": np.array([])})) == 0


def test_where_and_isnan_see_missing_values():
    data = {"x": np.array([1.0, np.nan]), "s": coerce("s", ["a", None]).value()}
    assert compute("where(isnan(x), 0, x)", data).tolist() == [1.0, 0.0]
    texts = compute("where(isnan(s), 'none', s)", data)
    assert list(texts) == ["a", "none"]
    assert list(texts.categories) == ["a", "none"]


def test_functions_of_the_user_get_plain_values():
    seen = []

    def note(*values, **named):
        seen.extend([*values, *named.values()])
        return values[0] * 2

    data = {
        "k": np.array([100, 2], dtype="int8"),
        "s": coerce("s", ["b", None]).value(),
        "flag": coerce("flag", np.array([True, False])).value(),
        "t": np.array(["2020-01-01", "2020-01-02"], dtype="M8[D]"),
    }
    result = compute("note(k, s, flag, t, 3, [1, 2], power='a')", data, {"note": note})
    assert result.tolist() == [200.0, 4.0]
    assert [type(value) for value in seen[:4]] == [np.ndarray] * 4
    assert seen[1].tolist() == ["b", None]
    assert seen[2].dtype == bool
    assert seen[4:] == [3, [1, 2], "a"]


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (lambda x: list(x), [1.0, 2.0]),
        (lambda x: pd.Series(x, index=[5, 3]), [1.0, 2.0]),
        (lambda x: pd.array([1, None], dtype="Int64"), [1.0, np.nan]),
        (lambda x: np.column_stack([x, x]), [[1.0, 1.0], [2.0, 2.0]]),
    ],
)
def test_functions_of_the_user_may_return_any_column(returned, expected):
    result = compute("f(x)", {"x": np.array([1.0, 2.0])}, {"f": returned})
    assert np.array_equal(result, expected, equal_nan=True)


def test_functions_of_the_user_cannot_change_the_data():
    def spoil(x):
        x[0] = 99.0
        return x

    data = {"x": np.array([1.0, 2.0])}
    with pytest.raises(ValueError, match="read-only"):
        compute("spoil(x)", data, {"spoil": spoil})
    assert data["x"].tolist() == [1.0, 2.0]
    assert data["x"].flags.writeable


def test_functions_of_the_user_must_return_a_value_for_each_row():
    with pytest.raises(FormulaError, match=r"f\(x\) returned 1 value for 2 rows"):
        compute("f(x)", {"x": np.array([1.0, 2.0])}, {"f": lambda x: x[:1]})
    texts = compute("f(x)", {"x": np.array([1.0, 2.0])}, {"f": lambda x: ["q", "p"]})
    assert list(texts) == ["q", "p"]


@pytest.mark.parametrize("code", ["center(x)", "standardize(x)", "bs(x, df=4)", "cr(x, df=4)",
                                  "cc(x, df=4)", "te(cr(x, df=3), x)"])  # fmt: skip
def test_missing_rows_stay_missing_and_teach_nothing(code):
    x = np.random.default_rng(3).normal(size=50)
    holes = np.insert(x, [0, 20, 50], np.nan)
    expression = parse(code, ["x"])
    whole, with_holes = learn(expression, {"x": x}), learn(expression, {"x": holes})
    assert state_to_plain(expression, whole) == state_to_plain(expression, with_holes)
    full = evaluate(expression, whole, {"x": x})
    result = evaluate(expression, whole, {"x": holes})
    lost = np.isnan(holes)
    assert np.array_equal(result[~lost], full)
    assert np.isnan(result[lost]).all()
    assert np.isnan(evaluate(expression, whole, {"x": np.array([np.nan])})).all()
    assert evaluate(expression, whole, {"x": np.array([])}).shape == (0, *full.shape[1:])


def test_inner_transforms_are_learnt_before_outer_ones():
    expression = parse("center(standardize(x) + bs(center(z), df=4))", ["x", "z"])
    assert [node.name for node in expression.transforms] == [
        "standardize", "center", "bs", "center",
    ]  # fmt: skip
    assert [node.number for node in expression.transforms] == [0, 0, 1, 2]
    assert expression.passes == 3


def test_b_splines_refuse_values_outside_their_knots():
    expression = parse("bs(x, df=4)", ["x"])
    state = learn(expression, {"x": np.linspace(0, 1, 20)})
    with pytest.raises(DataError, match=r"from 0 to 1.*2 values.*1\.5.*upper_bound") as caught:
        evaluate(expression, state, {"x": np.array([0.5, 1.5, -1.0])})
    assert caught.value.kind == "outside_knots"


@pytest.mark.parametrize(
    "code",
    ["bs(x)", "bs(x, df=1)", "bs(x, df=5.5)", "bs(x, df='a')", "bs(x, df=4, degree=30)",
     "cr(x, df=1)", "cr(x, knots=[99])", "bs(x, knots=[99])", "cr(bs(x, df=4), df=4)",
     "bs(x, df=-3)", "bs(x, df=4, degree=-1)", "standardize(x, ddof='a')"],
)  # fmt: skip
def test_what_a_transform_cannot_learn_is_a_formula_error(code):
    with pytest.raises(FormulaError) as caught:
        compute(code, {"x": np.linspace(0, 1, 20)})
    assert code.partition("(")[0] in str(caught.value)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40),
    st.integers(0, 40),
    st.sampled_from(["center(x)", "standardize(x)", "standardize(x, ddof=1)"]),
)
def test_running_sums_are_patsys_for_any_strips(values, cut, code):
    frame = pd.DataFrame({"x": values})
    chunks = [as_arrays(frame.iloc[:cut]), as_arrays(frame.iloc[cut:])]
    expression = parse(code, ["x"])
    state = learn(expression, *chunks)
    with np.errstate(all="ignore"):
        builder = patsy.incr_dbuilder(f"0 + {code}", lambda: iter(chunks))
        ignore = patsy.NAAction(NA_types=[])
        (reference,) = build_design_matrices([builder], as_arrays(frame), NA_action=ignore)
    ours = evaluate(expression, state, {"x": frame["x"].to_numpy()})
    reference = np.asarray(reference)[:, 0]
    if code == "center(x)":
        assert np.array_equal(ours, reference, equal_nan=True)
    else:
        near = 1e-14 * largest(reference)
        assert ours == pytest.approx(reference, rel=0.0, abs=near, nan_ok=True)


class TestSavedState:
    expression = parse("bs(center(x), df=4)", ["x"])

    def plain(self):
        state = learn(self.expression, {"x": np.linspace(0, 1, 20)})
        return json.loads(json.dumps(state_to_plain(self.expression, state)))

    def test_predictions_are_bit_equal(self):
        state = state_from_plain(self.expression, self.plain())
        data = {"x": np.linspace(0, 1, 20)}
        ours = evaluate(self.expression, state, data)
        assert np.array_equal(ours, evaluate(self.expression, learn(self.expression, data), data))

    @pytest.mark.parametrize("name", ["os.system", "builtins.eval", "patsy.bs", "te", None, 3, []])
    def test_other_names_are_refused(self, name):
        plain = self.plain()
        plain[1]["transform"] = name
        with pytest.raises(UnsafeFormulaError, match="saved state"):
            state_from_plain(self.expression, plain)

    @pytest.mark.parametrize("value", ["text", True, {"a": 1}, [[1], [2, 3]], ["x"], [{}]])
    def test_anything_but_numbers_is_refused(self, value):
        plain = self.plain()
        plain[1]["learnt"]["all_knots"] = value
        with pytest.raises(UnsafeFormulaError, match=r"no number|lengths"):
            state_from_plain(self.expression, plain)

    def test_fields_and_counts_must_fit(self):
        plain = self.plain()
        for broken in (plain[:1], None, {}, [1, 2], [*plain, plain[0]], plain[::-1]):
            with pytest.raises(UnsafeFormulaError, match="saved state"):
                state_from_plain(self.expression, broken)
        for change in ({"__class__": 1}, {"transform": 1}):
            plain = self.plain()
            plain[0]["learnt"] |= change
            with pytest.raises(UnsafeFormulaError, match="does not describe"):
                state_from_plain(self.expression, plain)
