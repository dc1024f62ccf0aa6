"""Formulas: missing values in conditions, look-alike names, codings, and what cannot be read."""

from __future__ import annotations

import random
import time
import warnings

import mpmath
import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount import errors

Y = [1, 2, 3, 4, 5, 7, 2, 3]
X = [0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 1.0, 0.5]
Z = [5.0, 3.0, np.nan, 5.0, 1.0, 6.0, np.nan, 2.0]
H = ["a", "b", None, "a", "b", "a", None, "c"]
B = pd.array([True, False, None, True, False, True, None, False], dtype="boolean")
DATA = {"y": Y, "x": X, "z": Z, "h": H, "b": B}


def quiet(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", errors.GlmcountWarning)
        return gc.fit(formula, data, **options)


def told(formula, data, **options):
    """The kinds of the warnings of a fit, each with its message."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gc.fit(formula, data, **options)
    return [(w.message.kind, str(w.message)) for w in caught]


def refused(formula, data, **options):
    with pytest.raises(errors.GlmcountError) as caught:
        quiet(formula, data, **options)
    return caught.value


# Missing values in conditions --------------------------------------------------------------

KLEENE = {
    # formula: what each row is, None where it is not known
    "where(z > 4, 1, 0)": [1, 0, None, 1, 0, 1, None, 0],
    "where(z != 3, 1, 0)": [1, 0, None, 1, 1, 1, None, 1],
    "where(h == 'a', 1, 0)": [1, 0, None, 1, 0, 1, None, 0],
    "where(h != 'a', 1, 0)": [0, 1, None, 0, 1, 0, None, 1],
    "where(b, 1, 0)": [1, 0, None, 1, 0, 1, None, 0],
    "where(~(z > 4), 1, 0)": [0, 1, None, 0, 1, 0, None, 1],
    "where((z > 4) & (x > 1), 1, 0)": [0, 0, None, 0, 0, 1, 0, 0],
    "where((z > 4) | (x > 1), 1, 0)": [1, 0, 1, 1, 0, 1, None, 0],
    "where(isnan(z) | (z > 4), 1, 0)": [1, 0, 1, 1, 0, 1, 1, 0],
    "where(isnan(z), 9, where(z > 4, 1, 0))": [1, 0, 9, 1, 0, 1, 9, 0],
    "where(x > 1, z, 0)": [0, 0, None, 0, 0, 6, 0, 0],
    "I(where(isnan(x), 0, 1) * (z > 4))": [1, 0, None, 1, 0, 1, None, 0],
    "where(isnan(x), 0, z**0 + x)": [1, 2, None, 1, 2, 3, None, 1.5],
    "minimum(where(isnan(x), 0, z), 4)": [4, 3, None, 4, 1, 4, None, 2],
    "sign(where(isnan(x), 0, z) - 3)": [1, 0, None, 1, -1, 1, None, -1],
    "where(isnan(z > 4), 1, 0)": [0, 0, 1, 0, 0, 0, 1, 0],
}


@pytest.mark.parametrize("formula", KLEENE)
def test_a_condition_that_is_missing_is_neither_true_nor_false(formula):
    expected = np.array(KLEENE[formula], dtype=float)
    used = ~np.isnan(expected)
    r = quiet(f"y ~ {formula}", DATA)
    by_hand = quiet("y ~ v", {"y": np.array(Y)[used], "v": expected[used]})
    assert r.nobs == used.sum()
    assert r.llf == pytest.approx(by_hand.llf, rel=1e-12)
    assert list(r.params) == pytest.approx(list(by_hand.params), rel=1e-9)
    assert sum(r.dropped.values()) == (~used).sum()


@pytest.mark.parametrize(
    "formula, expected",
    [
        ("where(z > 4, 'hi', 'lo')", [1, 0, None, 1, 0, 1, None, 0]),
        ("where(x > 0, z > 4, x > 5)", [0, 0, None, 0, 0, 1, None, 0]),
        ("I(isnan(z) | (z > 4))", [1, 0, 1, 1, 0, 1, 1, 0]),
        ("I((z > 4) & ~isnan(z))", [1, 0, 0, 1, 0, 1, 0, 0]),
    ],
)
def test_conditions_as_factors_leave_out_what_is_missing(formula, expected):
    value = np.array(expected, dtype=float)
    used = ~np.isnan(value)
    r = quiet(f"y ~ {formula}", DATA)
    by_hand = quiet("y ~ v", {"y": np.array(Y)[used], "v": value[used]})
    assert r.nobs == used.sum()
    assert r.llf == pytest.approx(by_hand.llf, rel=1e-12)


def test_rows_lost_by_a_condition_are_counted_and_told():
    assert [kind for kind, _ in told("y ~ where(z > 4, 1, 0)", DATA)] == ["missing_rows"]
    r = quiet("y ~ where(isnan(z), 0, 1) * (z > 4)", DATA)
    assert r.dropped == {"z missing": 2}
    assert quiet("y ~ where(isnan(z), 0, z)", DATA, missing="raise").nobs == 8
    assert refused("y ~ where(z > 4, 1, 0)", DATA, missing="raise").kind == "missing_values"


def test_a_condition_on_what_is_not_defined_is_no_false():
    error = refused("y ~ I(log(x - 1) > 0)", DATA)
    assert error.kind == "nonfinite_design"
    assert "log(x - 1)" in str(error) and "0, 3, 7" in str(error)


def test_new_rows_with_a_missing_condition_predict_nothing():
    r = quiet("y ~ where(z > 4, 1, 0)", DATA)
    predicted = np.asarray(r.predict({"z": [5.0, np.nan, 1.0]}), dtype=float)
    assert np.isnan(predicted).tolist() == [False, True, False]


# Names that look alike ---------------------------------------------------------------------

WIDE = "\uff58"  # full-width x, which Python's parser reads as x
MICRO, MU = "\u00b5", "\u03bc"  # the micro sign, which it reads as the Greek letter


@pytest.mark.parametrize("first, second", [("x", WIDE), (MICRO, MU), ("\u00aa", "a")])
@pytest.mark.parametrize("wrap", ["{}", "np.log({} + 2)", "center({})", "I({} > 1)"])
def test_the_column_that_was_written_is_used(first, second, wrap):
    data = {"y": Y, first: X, second: [1.0, 0.0, 3.0, 1.0, 2.0, 0.0, 5.0, 2.0]}
    for name in (first, second):
        r = quiet(f"y ~ {wrap.format(name)}", data)
        plain = quiet(f"y ~ {wrap.format('v')}", {"y": Y, "v": data[name]})
        assert r.llf == pytest.approx(plain.llf, rel=1e-12), name
    both = quiet(f"y ~ {first} + {second}", data)
    plain = quiet("y ~ v + w", {"y": Y, "v": data[first], "w": data[second]})
    assert list(both.params) == pytest.approx(list(plain.params), rel=1e-9)


def test_look_alike_offsets_and_weights_are_the_written_ones():
    data = {"y": Y, "x": X, WIDE: [1.0, 2.0, 1.0, 3.0, 1.0, 2.0, 1.0, 1.0]}
    for role in ("weights", "exposure", "offset"):
        r = quiet("y ~ 1", data, **{role: WIDE})
        plain = quiet("y ~ 1", data, **{role: np.array(data[WIDE])})
        assert r.llf == pytest.approx(plain.llf, rel=1e-12)


def test_a_name_that_only_looks_like_columns_is_used_where_it_is_one_and_else_refused():
    one = quiet(f"y ~ {WIDE}", {"y": Y, "x": X})
    assert one.llf == pytest.approx(quiet("y ~ x", {"y": Y, "x": X}).llf, rel=1e-12)
    bold, script = "\U0001d431", "\U0001d4cd"  # mathematical x, bold and script
    error = refused(f"y ~ {WIDE}", {"y": Y, bold: X, script: X})
    assert error.kind == "ambiguous_column"
    assert "^" in str(error)


def test_the_function_that_was_written_is_called():
    given = {"f": lambda v: v, "\uff46": lambda v: v**2}
    data = {"y": Y, "x": X}
    assert quiet("y ~ \uff46(x)", data, env=given).llf == pytest.approx(
        quiet("y ~ I(x**2)", data).llf, rel=1e-12
    )


# Codings -----------------------------------------------------------------------------------

G = list("abcabcab")
CODED = {"y": Y, "g": G, "x": X, "n": [1, 2, 3, 1, 2, 3, 1, 2]}


@pytest.mark.parametrize(
    "term, kind, told",
    [
        ("C(g, Treatment('zz'))", "unknown_level", "'zz'"),
        ("C(g, Treatment('A'))", "unknown_level", "Levels: 'a', 'b', 'c'"),
        ("C(g, Treatment(7))", "unknown_level", "7"),
        ("C(g, Treatment(-4))", "unknown_level", "-4"),
        ("C(g, Treatment([1]))", "unknown_level", "[1]"),
        ("C(n, Treatment(9))", "unknown_level", "9"),
        ("C(g, Sum('zz'))", "unknown_level", "'zz'"),
        ("C(g, Sum(3))", "unknown_level", "3"),
        ("x:C(g, Treatment('zz'))", "unknown_level", "'zz'"),
        ("C(g, [[1], [2]])", "contrast_size", "2 rows"),
        ("C(g, [[1], [2], [3], [4]])", "contrast_size", "4 rows"),
        ("C(g, Poly([1, 2]))", "contrast_size", "2 scores"),
        ("C(g, Poly(['a', 'b', 'c']))", "unsafe_formula", "numbers"),
        ("C(g, levels=[])", "unsafe_formula", "at least one"),
        ("C(g, levels=['a', 'b', 'c', 'a'])", "unsafe_formula", "each once"),
        ("C(g, levels=['a', None])", "unsafe_formula", "constants"),
    ],
)
def test_codings_that_do_not_fit_are_named_with_a_caret(term, kind, told):
    error = refused(f"y ~ {term}", CODED)
    assert isinstance(error, errors.FormulaError)
    assert error.kind == kind
    assert told in str(error)
    assert "^" in str(error)
    for part in ("inflate", "hurdle"):
        assert refused("y ~ 1", CODED, **{part: term}).kind == kind


def test_levels_that_no_row_has_are_named():
    assert refused("y ~ C(g, levels=[1, 2])", CODED).kind == "unseen_level"
    assert refused("y ~ C(g, levels=['a'])", CODED).kind == "unseen_level"


@pytest.mark.parametrize("asked", ["'b'", "1", "-2"])
def test_references_may_be_levels_or_places(asked):
    r = quiet(f"y ~ C(g, Treatment({asked}))", CODED)
    code = f"C(g, Treatment({asked}))"
    assert list(r.params.index) == ["Intercept", f"{code}[T.a]", f"{code}[T.c]"]


LEFT_OUT = {**CODED, "w": [0, 1, 1, 0, 1, 1, 0, 1], "z": [np.nan if g == "a" else 1.0 for g in G]}
DECLARED = {**CODED, "g": pd.Categorical(list("bcbcbcbc"), categories=list("abc"))}


@pytest.mark.parametrize(
    "formula, data, options, gone, instead",
    [
        ("y ~ g", DECLARED, {}, "a", "b"),
        ("y ~ C(g)", DECLARED, {}, "a", "b"),
        ("y ~ g", LEFT_OUT, {"weights": "w"}, "a", "b"),
        ("y ~ g + offset(z)", LEFT_OUT, {}, "a", "b"),
        ("y ~ C(g, Treatment('a'))", LEFT_OUT, {"weights": "w"}, "a", "b"),
        ("y ~ C(g, Treatment(0))", LEFT_OUT, {"weights": "w"}, "a", "b"),
        ("y ~ C(g, Sum('a'))", LEFT_OUT, {"weights": "w"}, "a", "c"),
        ("y ~ g*x", LEFT_OUT, {"weights": "w"}, "a", "b"),
        ("y ~ C(g, levels=['q', 'a', 'b', 'c'])", CODED, {}, "q", "a"),
    ],
)
def test_a_reference_without_a_row_is_named_with_what_takes_its_place(
    formula, data, options, gone, instead
):
    found = [text for kind, text in told(formula, data, **options) if kind == "unused_reference"]
    assert len(found) == 1
    assert repr(gone) in found[0]
    assert repr(instead) in found[0]


@pytest.mark.parametrize(
    "formula, data, options",
    [
        ("y ~ g", CODED, {}),
        ("y ~ 0 + g", LEFT_OUT, {"weights": "w"}),
        ("y ~ C(g, Treatment('b'))", LEFT_OUT, {"weights": "w"}),
        ("y ~ C(g, Treatment(1))", LEFT_OUT, {"weights": "w"}),
    ],
)
def test_a_reference_that_rows_have_needs_no_word(formula, data, options):
    assert "unused_reference" not in dict(told(formula, data, **options))


def test_places_of_references_are_those_of_all_levels():
    r = quiet("y ~ C(g, Treatment(1))", LEFT_OUT, weights="w")
    assert list(r.params.index) == ["Intercept", "C(g, Treatment(1))[T.c]"]


@pytest.mark.parametrize("coding", ["Sum", "Helmert", "Diff", "Treatment(3)", "Sum(3)"])
def test_every_coding_of_many_levels_is_the_same_model(coding):
    rng = np.random.default_rng(11)
    g = np.repeat([f"l{i:03}" for i in range(120)], 3)
    y, x = rng.poisson(4.0, 360) + 1, rng.normal(size=360)
    data = {"y": y, "g": g, "x": x}
    usual = quiet("y ~ C(g)*x", data)
    r = quiet(f"y ~ C(g, {coding})*x", data)
    assert r.llf == pytest.approx(usual.llf, rel=1e-10)
    assert list(r.fittedvalues) == pytest.approx(list(usual.fittedvalues), rel=1e-7)
    if coding == "Sum":
        means = np.log(y.reshape(-1, 3).mean(axis=1))
        alone = quiet("y ~ C(g, Sum)", data)
        assert alone.params["Intercept"] == pytest.approx(means.mean(), rel=1e-9)
        first = alone.params["C(g, Sum)[S.l000]"]
        assert first == pytest.approx(means[0] - means.mean(), rel=1e-8)


def polynomials(scores):
    """Orthonormal polynomials at the scores, one a column, at 80 digits."""
    with mpmath.workdps(80):
        middle = mpmath.fsum(scores) / len(scores)
        columns = []
        for degree in range(len(scores)):
            values = [(mpmath.mpf(score) - middle) ** degree for score in scores]
            for column in columns * 2:
                share = mpmath.fdot(values, column)
                values = [v - share * c for v, c in zip(values, column, strict=True)]
            length = mpmath.sqrt(mpmath.fdot(values, values))
            columns.append([v / length for v in values])
        return np.array(columns, dtype=float).T


@pytest.mark.parametrize("many, given", [(8, False), (40, False), (40, True)])
def test_polynomials_of_many_levels_keep_their_digits(many, given):
    scores = [float(i) for i in range(many)]
    coding = f"Poly({[3.5 * s for s in scores]})" if given else "Poly"
    rng = np.random.default_rng(4)
    y = rng.poisson(5.0, 3 * many) + 1
    data = {"y": y, "g": np.repeat([f"l{i:03}" for i in range(many)], 3)}
    r = quiet(f"y ~ C(g, {coding})", data)
    means = np.log(y.reshape(-1, 3).mean(axis=1))
    expected = polynomials(scores).T @ means
    assert r.params.to_numpy()[1:] == pytest.approx(expected[1:], abs=1e-10)
    assert r.params.index[1] == f"C(g, {coding}).Linear"


def test_polynomials_of_very_many_levels_are_made_or_refused_in_time():
    g = np.repeat([f"l{i:04}" for i in range(200)], 2)
    data = {"y": np.arange(400) % 7 + 1, "g": g}
    begin = time.process_time()
    r = quiet("y ~ C(g, Poly)", data)
    assert r.llf == pytest.approx(quiet("y ~ C(g)", data).llf, rel=1e-10)
    assert time.process_time() - begin < 10
    error = refused("y ~ C(g, Poly([1, 2, 2]))", CODED)
    assert error.kind == "contrast_size"


@pytest.mark.parametrize("coding", ["Sum", "Helmert", "Diff"])
def test_codings_of_many_levels_take_no_longer_than_others_by_much(coding):
    g = np.repeat([f"l{i:03}" for i in range(500)], 2)
    data = {"y": np.arange(1000) % 7 + 1, "g": g}
    times = {}
    for code in ("Treatment", coding):
        quiet(f"y ~ C(g, {code})", data)
        begin = time.process_time()
        quiet(f"y ~ C(g, {code})", data)
        times[code] = time.process_time() - begin
    assert times[coding] < 5 * times["Treatment"] + 0.5


def test_many_columns_left_out_take_no_time_and_one_warning():
    data = {"y": [1, 2, 3, 4, 5, 6, 7, 8], "x": np.arange(8.0)}
    begin = time.process_time()
    found = [kind for kind, _ in told("y ~ bs(x, df=999)", data)]
    assert time.process_time() - begin < 4
    assert found.count("column") == 1


# What cannot be read -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "formula", ["y ~ %timeit", "y ~ <offset>", "y ~ x %in% g", "%y ~ x", "y ~ =x"]
)
def test_signs_that_formulas_do_not_have_are_a_syntax_error(formula):
    error = refused(formula, CODED)
    assert isinstance(error, errors.FormulaSyntaxError)
    assert "^" in str(error)


TOKENS = [
    *"yxg~+-*/:()[]{},102%@!?<>=#$`^&|;_\\\n\t", "**", "==", "'a'", '"b', "'", "offset(", "C(",
    "I(", "np.", "log(", "bs(", "center(", "Q('x')", "Q(", "Treatment", "Sum", "Poly", "True",
    "None",
    "lambda", "if", "else", "not", "in", "is", "and", "or", "...", ":=", "->", "é", "x.y", "x[0]",
    "f'{x}'", "b'x'", "1e400", "0x", "1j", "__class__", "%timeit", "<offset>", "0777", "levels=",
    "\u00a0", "\ufeff", "\x00", "'''", "y ~ x", "where(", "isnan(", "offset(x)",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_no_text_at_all_escapes_as_another_error(seed):
    rng = random.Random(seed)
    for _ in range(600):
        tokens = [rng.choice(TOKENS) for _ in range(rng.randint(1, 7))]
        text = rng.choice(["y ~ ", "y ~ x + ", ""]) + rng.choice(["", " "]).join(tokens)
        try:
            quiet(text, CODED)
        except errors.GlmcountError as error:
            assert error.kind
            assert str(error)


@pytest.mark.parametrize(
    "formula, under",
    [
        ("y ~ x - offset(x)", "offset(x)"),
        ("y ~ 0 - offset(x) + x", "offset(x)"),
        ("y ~ x - (x + offset(log(n)))", "offset(log(n))"),
        ("y ~ x + offset(x) - offset(x)", "offset(x)"),
        ("y ~ x*offset(n)", "offset(n)"),
        ("y ~ x:offset(n)", "offset(n)"),
        ("y ~ x/offset(n)", "offset(n)"),
        ("y ~ (x + offset(n))**2", "offset(n)"),
        ("y ~ offset(n)**2", "offset(n)"),
        ("y ~ offset(n):offset(n)", "offset(n)"),
    ],
)
def test_offsets_are_neither_taken_away_nor_crossed(formula, under):
    error = refused(formula, CODED)
    assert error.kind == "offset_term"
    line, carets = str(error).splitlines()[-2:]
    assert carets.count("^") == len(under)
    assert line[carets.index("^") :].startswith(under)
    part = formula.split("~")[1]
    assert refused("y ~ 1", CODED, inflate=part).kind == "offset_term"


def test_offsets_may_stand_left_of_a_minus():
    r = quiet("y ~ x + offset(log(n)) - 1", CODED)
    expected = quiet("y ~ 0 + x", CODED, offset="log(n)")
    assert r.llf == pytest.approx(expected.llf, rel=1e-12)
    error = refused("y ~ g:y", CODED)
    line, carets = str(error).splitlines()[-2:]
    assert line[carets.index("^")] == "y"


# What is hardly meant ----------------------------------------------------------------------

POPULATION = {**CODED, "pop": [5, 9, 2, 4, 3, 8, 6, 7]}


@pytest.mark.parametrize(
    "formula, options",
    [
        ("y ~ x", {"offset": "log(pop)", "exposure": "pop"}),
        ("y ~ x", {"offset": "np.log(pop)", "exposure": "pop"}),
        ("y ~ x", {"offset": "log(pop / 1000)", "exposure": "pop"}),
        ("y ~ x", {"offset": np.log(POPULATION["pop"]), "exposure": POPULATION["pop"]}),
        ("y ~ x + offset(log(pop))", {"exposure": "pop"}),
        ("y ~ x + offset(log(pop))", {"offset": "log(pop)"}),
        ("y ~ x + offset(log(pop)) + offset(np.log(pop))", {}),
    ],
)
def test_an_exposure_that_counts_twice_is_told(formula, options):
    assert "double_offset" in dict(told(formula, POPULATION, **options))


@pytest.mark.parametrize("written", ["log(pop)", "np.log(pop)", "log1p(pop)", "log10(pop)"])
def test_an_exposure_that_is_a_logarithm_is_told(written):
    text = dict(told("y ~ x", POPULATION, exposure=written))["logged_exposure"]
    assert "Write exposure='pop'." in text


@pytest.mark.parametrize("written", ["pop", "pop / 1000", "exp(log(pop))", "pop * log(pop)"])
def test_an_exposure_that_is_none_needs_no_word(written):
    assert "logged_exposure" not in dict(told("y ~ x", POPULATION, exposure=written))


def test_logarithms_that_are_not_positive_point_at_what_they_are_of():
    with pytest.raises(errors.DataError, match=r"must be positive.*Write exposure='pop / 9'\.$"):
        gc.fit("y ~ x", POPULATION, exposure="log(pop / 9)")
    with pytest.raises(errors.DataError, match=r"Leave these rows out, or correct them\.$"):
        gc.fit("y ~ x", POPULATION, exposure="pop - 5")


@pytest.mark.parametrize(
    "options",
    [{"offset": "x", "exposure": "pop"}, {"offset": "1", "exposure": "pop"}, {"exposure": "pop"}],
)
def test_offsets_that_differ_need_no_word(options):
    assert "double_offset" not in dict(told("y ~ g", POPULATION, **options))


def test_a_double_exposure_of_arrays_is_told():
    pop = np.array(POPULATION["pop"], dtype=float)
    with pytest.warns(errors.DesignWarning, match="counts twice"):
        gc.fit_arrays(np.array(Y), np.ones((8, 1)), offset=np.log(pop), exposure=pop)


@pytest.mark.parametrize(
    "terms, piece",
    [
        ("x + x**2", "x**2"),
        ("x + x ** 3", "x**3"),
        ("g + (x)**2", "x**2"),
        ("x*x", "x*x"),
        ("x + x:x", "x**2"),
        ("x/x", "x**2"),
        ("log(n)**2", "log(n)**2"),
        ("Q('n') ** 2", "Q('n')**2"),
    ],
)
def test_squares_that_are_none_are_told(terms, piece):
    found = dict(told(f"y ~ {terms}", CODED))
    assert "power_of_column" in found
    assert f"I({piece})" in found["power_of_column"]
    assert "I(x:x)" not in found["power_of_column"]
    assert "power_of_column" in dict(told("y ~ 1", CODED, hurdle=terms))


@pytest.mark.parametrize("terms", ["x + I(x**2)", "(x + n)**2", "x*n", "g**2", "g*x", "x:g"])
def test_crossings_that_are_some_need_no_word(terms):
    assert "power_of_column" not in dict(told(f"y ~ {terms}", CODED))


@pytest.mark.parametrize(
    "values, kind, named",
    [
        (["1", "2.5", "3", "4", "5", "6", "7", "8"], "numbers_as_text", "'v'"),
        (["1,5", "2,5", "-3", "+4", "5e3", "6", "7", "8"], "numbers_as_text", "'v'"),
        (["10%", "20%", "30 %", "40%", "10%", "20%", "30 %", "40%"], "numbers_as_text", "'v'"),
        (["1", ".", "3", "4", "5", "6", "7", "8"], "text_among_numbers", "'.'"),
        (["1", "2", "missing", "NA", "1", "2", "3", "4"], "text_among_numbers", "'missing'"),
        (["1", "2", "3", "4", "5", "6", "7", "8o"], "text_among_numbers", "'8o'"),
    ],
)
@pytest.mark.parametrize("dtype", [object, "string"])
def test_numbers_written_as_text_are_told(values, kind, named, dtype):
    data = pd.DataFrame({"y": Y, "v": pd.Series(values, dtype=dtype)})
    found = dict(told("y ~ v", data))
    assert kind in found
    assert named in found[kind]
    assert kind not in dict(told("y ~ C(v)", data))
    assert kind not in dict(told("y ~ v", data.astype({"v": "category"})))


@pytest.mark.parametrize(
    "values",
    [list("abcabcab"), ["a1", "b2", "c3", "12a"] * 2, ["1", "2"] * 4, ["1", "x", "2", "y"] * 2],
)
def test_text_that_is_text_needs_no_word(values):
    assert not {"numbers_as_text", "text_among_numbers"} & set(
        dict(told("y ~ v", {"y": Y, "v": values}))
    )
