"""Marks tell changed columns: another value, another order, another place of what is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmcount.columns.coerce import coerce
from glmcount.columns.column import Column
from glmcount.design.marks import changed, marks_of

VALUES = st.lists(st.integers(-50, 50).map(float), min_size=2, max_size=50)


@given(VALUES, st.data())
def test_a_changed_value_and_a_changed_order_show(values, data):
    x = np.array(values)
    marks = marks_of({"x": x})
    assert changed(marks, {"x": x.copy()}) is None
    other = x.copy()
    place = data.draw(st.integers(0, len(x) - 1))
    other[place] += data.draw(st.sampled_from([1.0, -1e-6, np.nan]))
    assert changed(marks, {"x": other}) == "x"
    order = data.draw(st.permutations(range(len(x))))
    same = np.array_equal(x, x[order])
    assert (changed(marks, {"x": x[order]}) is None) == same


@pytest.mark.parametrize("pair", [(1.0, -1.0), (1.0, 2.0), (1.0, 1.5), (0, 1), (0, -1)])
def test_every_exchange_of_two_values_shows(pair):
    """Also where they differ in their first bit alone, or in few."""
    x = np.tile(pair, 1000)
    marks = marks_of({"x": x})
    for place in range(0, len(x) - 1):
        other = x.copy()
        other[[place, place + 1]] = other[[place + 1, place]]
        assert changed(marks, {"x": other}) == "x"


def _orders(n):
    """Orders that data are brought into: turned, shifted, sorted, halves and neighbours changed."""
    rows = np.arange(n)
    half = n // 2
    return {
        "turned": rows[::-1],
        "shifted": np.roll(rows, 1),
        "by a thousand": np.roll(rows, 1000),
        "by a power of 2": np.roll(rows, 1024),
        "halves": np.roll(rows, half),
        "neighbours": rows[: 2 * half].reshape(-1, 2)[:, ::-1].reshape(-1),
        "by a remainder": np.argsort(rows % 7, kind="stable"),
        "at random": np.random.default_rng(n).permutation(n),
    }


COLUMNS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "counts": lambda rng, n: rng.poisson(2.0, n),
    "doubles of counts": lambda rng, n: rng.poisson(2.0, n).astype(float),
    "large whole numbers": lambda rng, n: rng.integers(0, 2**62, n),
    "dummy": lambda rng, n: (rng.random(n) < 0.3).astype(float),
    "rare dummy": lambda rng, n: (np.arange(n) % 9_973 == 5).astype(float),
    "missing": lambda rng, n: np.where(rng.random(n) < 0.5, np.nan, 1.0),
    "factorial design": lambda rng, n: (np.arange(n) >> 3 & 1).astype(float),
    "its product": lambda rng, n: ((np.arange(n) ^ (np.arange(n) >> 10)) & 1).astype(float),
    "codes": lambda rng, n: rng.integers(0, 5, n).astype(np.int8),
}


@pytest.mark.parametrize("n", [16 * 65_536])
@pytest.mark.parametrize("column", COLUMNS)
def test_long_columns_in_another_order_show(column, n):
    """Also in orders that designs may be brought into."""
    x = COLUMNS[column](np.random.default_rng(n), n)
    marks = marks_of({"x": x})
    for name, order in _orders(n).items():
        other = np.append(x[order], x[len(order) :])
        same = np.array_equal(x, other, equal_nan=x.dtype.kind == "f")
        assert (changed(marks, {"x": other}) is None) == same, name


@pytest.mark.parametrize("column", COLUMNS)
def test_one_value_or_two_exchanged_of_a_long_column_show(column):
    rng = np.random.default_rng(1)
    n = 65_536
    x = COLUMNS[column](rng, n)
    marks = marks_of({"x": x})
    for place, to in rng.integers(0, n, (200, 2)):
        other = x.copy()
        other[place] = other[place] + 1 if other[place] == other[place] else 3.0
        assert changed(marks, {"x": other}) == "x"
        other = x.copy()
        other[[place, to]] = other[[to, place]]
        same = np.array_equal(x, other, equal_nan=x.dtype.kind == "f")
        assert (changed(marks, {"x": other}) is None) == same


def test_columns_of_every_kind():
    columns = {
        "whole": np.array([1, 2, 3], np.int16),
        "missing": np.array([1.0, np.nan, 2.0]),
        "time": np.array(["2020-01-01", "NaT", "2020-01-03"], "M8[D]"),
        "text": np.array(["a", "b", "a"], object),
        "series": pd.array([1, None, 3], "Int64"),
        "codes": coerce("codes", ["a", "b", "a"]),
    }
    marks = marks_of(columns)
    assert set(marks) == set(columns)
    assert changed(marks, columns) is None
    moved = {
        "whole": np.array([1, 2, 4], np.int16),
        "missing": np.array([np.nan, 1.0, 2.0]),
        "time": np.array(["2020-01-01", "2020-01-02", "2020-01-03"], "M8[D]"),
        "text": np.array(["a", "b", "c"], object),
        "series": pd.array([1, 2, 3], "Int64"),
        "codes": coerce("codes", ["b", "a", "a"]),
    }
    for name, values in moved.items():
        assert changed(marks, columns | {name: values}) == name


def test_what_stays_encoded_is_looked_at_only_where_it_is_the_user_s_memory():
    columns = {"x": np.array([1.0, 2.0]), "text": np.array(["a", "b"], object), "s": [1, 2]}
    columns["k"] = pd.array([1, 2], "Int64")
    marks = marks_of(columns)
    assert set(marks) == {"x", "text", "s", "k"}
    others = {"x": np.array([1.0, 3.0]), "text": np.array(["a", "c"], object), "s": [1, 3]}
    others["k"] = pd.array([1, 3], "Int64")
    for name, values in others.items():
        assert changed(marks, columns | {name: values}) == name
        seen = changed(marks, columns | {name: values}, kept=True)
        assert seen == (name if name in ("x", "k") else None)


def test_a_column_is_marked_alike_whatever_holds_it():
    texts, marked = ["b", "a", None, "b"], set()
    for values in (
        texts,
        np.array(texts, object),
        pd.array(texts, "string"),
        coerce("g", texts),
    ):
        marked.add(marks_of({"g": values})["g"])
    assert len(marked) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["a", "b", "a"], ["a", "c", "a"]),
        (["1", "2"], ["01", "2"]),
        (pd.Categorical(["a", "b"]), pd.Categorical(["a", "b"]).rename_categories(["a", "c"])),
        (pd.array([2**62, None], "Int64"), pd.array([2**62 + 1, None], "Int64")),
        ([2**70, 1], [2**70 + 1, 1]),
        ([2**70, 1], [2**70 + 2**64, 1]),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), np.ma.array([1.0, 2.0], mask=[1, 0])),
    ],
    ids=["text", "alike", "categories", "whole", "large", "larger", "masked"],
)
def test_what_codes_and_doubles_do_not_tell_shows_too(before, after):
    marks = marks_of({"g": before})
    assert changed(marks, {"g": before}) is None
    assert changed(marks, {"g": after}) == "g"


def test_a_change_beside_an_infinity_shows():
    x = np.array([1.0, np.inf, 3.0, np.nan, -np.inf])
    marks = marks_of({"x": x})
    assert changed(marks, {"x": x.copy()}) is None
    for place in (0, 1, 2, 3, 4):
        other = x.copy()
        other[place] = 7.0
        assert changed(marks, {"x": other * 1.0}) == "x", place


@pytest.mark.parametrize("large", [1e17, 1e300, np.inf, np.nan])
def test_a_small_value_beside_one_that_dwarfs_it_shows(large):
    x = np.array([1e-12, 1.0, 2.0, large])
    marks = marks_of({"x": x})
    assert changed(marks, {"x": x.copy()}) is None
    x[0] = np.nextafter(x[0], 1.0)
    assert changed(marks, {"x": x}) == "x"


def test_large_whole_numbers_and_floats_of_every_kind():
    k = np.array([2**62, 0, 1, 2])
    for column in (k, k.astype(np.float32), k.astype(">f8"), k[::-1], np.asfortranarray(k)):
        marks = marks_of({"k": column})
        assert changed(marks, {"k": column.copy()}) is None
        other = column.copy()
        other[2] += 1
        assert changed(marks, {"k": other}) == "k"


@pytest.mark.parametrize("n", [5, 129, 1000, 1003, 65_536, 140_000])
def test_small_whole_numbers_have_one_mark_whatever_their_type(n):
    rng = np.random.default_rng(n)
    x = rng.integers(0, 100, n)
    marks = marks_of({"x": x})
    for kind in (np.int8, np.uint8, np.int16, np.uint32, np.int64):
        assert changed(marks, {"x": x.astype(kind)}) is None
    for place in {0, n // 3, n // 2, n - 1}:
        for value in (x[place] + 1, 255, 256, 70_000, -1):
            other = x.copy()
            other[place] = value
            assert (changed(marks, {"x": other}) == "x") == (value != x[place])
    turned = x.copy()
    turned[[0, n - 1]] = turned[[n - 1, 0]]
    assert (changed(marks, {"x": turned}) is None) == (x[0] == x[n - 1])
    negative = marks_of({"x": x - 50})
    assert changed(negative, {"x": (x - 50).astype(np.int8)}) is None
    assert changed(negative, {"x": x}) == "x"


@pytest.mark.parametrize("n", [300, 301])
def test_codes_have_one_mark_whatever_their_type(n):
    codes = np.random.default_rng(n).integers(0, 5_000, n)
    levels = tuple(range(5_000))
    made = [Column("categorical", codes.astype(t), levels) for t in (np.int16, np.int32, np.int64)]
    made.append(coerce("g", pd.Categorical.from_codes(codes, list(levels))))
    first, *others = [marks_of({"g": each})["g"] for each in made]
    assert others == [first] * 3
    other = codes.copy()
    other[[3, 4]] = other[[4, 3]] + [1, -1]
    assert marks_of({"g": Column("categorical", other.astype(np.int32), levels)})["g"] != first
