"""Contrasts: patsy's matrices and names, and polynomials of any number of levels."""

import pickle
import string

import mpmath
import numpy as np
import patsy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glmcount as gc
from glmcount.errors import FormulaError
from glmcount.language.contrasts import CODINGS, MATRIX, Contrast, contrast, rows_of

LEVELS = st.one_of(
    st.lists(st.sampled_from(string.ascii_letters), min_size=1, max_size=12, unique=True),
    st.lists(st.integers(-9, 9), min_size=1, max_size=12, unique=True),
    st.sampled_from([[False, True], [0.5, 2.0, -1.0], [b"a", b"\xff"], ["a", 1, None]]),
).map(tuple)


def patsys(name, levels, full, *setting):
    coding = getattr(patsy, name)(*setting)
    way = coding.code_with_intercept if full else coding.code_without_intercept
    made = way(levels)
    return made.matrix, tuple(made.column_suffixes)


@settings(deadline=None, max_examples=200)
@given(
    LEVELS, st.sampled_from(["Treatment", "Sum", "Helmert", "Diff"]), st.booleans(), st.data()
)  # fmt: skip
def test_matrices_and_names_are_patsys_bit_for_bit(levels, name, full, data):
    setting = ()
    if name in ("Treatment", "Sum"):
        by_place = st.integers(-len(levels), len(levels) - 1)
        setting = data.draw(st.tuples(by_place | st.sampled_from(levels)) | st.just(()))
    key = {"Treatment": "reference", "Sum": "omit"}.get(name)
    ours = contrast(name, **dict.fromkeys([key], *setting)) if setting else contrast(name)
    matrix, suffixes = patsys(name, levels, full, *setting)
    assert np.array_equal(ours.matrix(levels, full), matrix)
    assert ours.suffixes(levels, full) == suffixes


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("count", range(1, 15))
def test_polynomials_of_few_levels_are_patsys(count, full):
    levels = tuple(range(count))
    matrix, suffixes = patsys("Poly", levels, full)
    ours = contrast("Poly")
    assert ours.suffixes(levels, full) == suffixes
    close(ours.matrix(levels, full), matrix)


def close(found, expected):
    assert found.shape == expected.shape
    largest = np.abs(expected).max(axis=0, initial=0.0)
    assert (np.abs(found - expected) <= 1e-12 * largest).all()


def by_recurrence(count):
    """Orthonormal polynomials at equally spaced levels, with digits that outlast the recurrence."""
    with mpmath.workdps(max(50, 2 * count)):
        x = [mpmath.mpf(2 * i - count + 1) / 2 for i in range(count)]
        before, now = [mpmath.mpf(0)] * count, [mpmath.mpf(1)] * count
        columns = []
        for k in range(count):
            length = mpmath.sqrt(mpmath.fdot(now, now))
            columns.append([value / length for value in now])
            share = mpmath.mpf(k * k * (count**2 - k * k)) / (4 * (4 * k * k - 1)) if k else 0
            following = [a * b - share * c for a, b, c in zip(x, now, before, strict=True)]
            before, now = now, following
        return np.array(columns, dtype=float).T


@pytest.mark.parametrize("count", [2, 15, 21, 40, 80, 200])
def test_polynomials_keep_their_digits_at_any_number_of_levels(count):
    expected = by_recurrence(count)
    expected[:, 0] = 1.0
    close(contrast("Poly").matrix(tuple(range(count)), full=True), expected)


@pytest.mark.parametrize("count", [3, 12, 25, 40])
@pytest.mark.parametrize("ratio", [None, 1.25])
def test_polynomials_at_scores_keep_their_digits(count, ratio):
    rng = np.random.default_rng(count)
    scores = np.sort(rng.uniform(-3, 5, count)) if ratio is None else ratio ** np.arange(count)
    with mpmath.workdps(50 + 2 * count):
        exact = [mpmath.mpf(float(score)) for score in scores]
        middle = mpmath.fsum(exact) / count
        columns = [[mpmath.mpf(1) / mpmath.sqrt(count)] * count]
        for _ in range(1, count):
            made = [(s - middle) * v for s, v in zip(exact, columns[-1], strict=True)]
            for column in columns:
                share = mpmath.fdot(made, column)
                made = [m - share * c for m, c in zip(made, column, strict=True)]
            length = mpmath.sqrt(mpmath.fdot(made, made))
            columns.append([value / length for value in made])
        expected = np.array(columns, dtype=float).T[:, 1:]
    close(contrast("Poly", scores=scores.tolist()).matrix(tuple(range(count)), False), expected)


def test_a_matrix_is_itself():
    rows = [[1, 0], [0, 1], [-1, -1]]
    coding = rows_of(rows)
    for full in (True, False):
        assert coding.matrix(("a", "b", "c"), full).tolist() == rows
        assert coding.suffixes(("a", "b", "c"), full) == ("[custom0]", "[custom1]")


def test_contrasts_are_values():
    levels = ("a", "b", "c", "d")
    scores = contrast("Poly", scores=[1, 2, 10, 11])
    assert scores == contrast("Poly", scores=(1.0, 2.0, 10.0, 11.0))
    assert scores != contrast("Poly")
    for name in CODINGS:
        coding = rows_of(np.eye(4)[:, :2]) if name == MATRIX else Contrast(name)
        again = pickle.loads(pickle.dumps(coding))  # noqa: S301
        assert again == coding
        assert hash(again) == hash(coding)
        assert np.array_equal(again.matrix(levels, True), coding.matrix(levels, True))


@pytest.mark.parametrize("name, asked", [("Treatment", "z"), ("Sum", 7), ("Sum", 0.5)])
def test_a_level_that_is_not_there_is_refused(name, asked):
    setting = {"Treatment": "reference", "Sum": "omit"}[name]
    coding = contrast(name, **{setting: asked})
    with pytest.raises(FormulaError, match=r"is no level\. Levels: 'a', 'b'") as caught:
        coding.matrix(("a", "b"), full=False)
    assert caught.value.kind == "unknown_level"


@pytest.mark.parametrize("scores", ["Poly([1, 2])", "Poly(3)", "Poly([1, 1, 2])"])
def test_scores_that_do_not_fit_are_refused(scores):
    data = {"y": [1, 2, 3, 4, 5, 6], "g": ["a", "b", "c"] * 2}
    with pytest.raises(FormulaError, match=r"scores") as caught:
        gc.fit(f"y ~ C(g, {scores})", data)
    assert caught.value.kind == "contrast_size"
    assert "^" * len(scores) in str(caught.value)
