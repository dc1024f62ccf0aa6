"""Keys tell rows apart, and sums of cells are those of their rows."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from glmcount.cells import group as cells
from glmcount.cells import key as keys
from glmcount.cells.group import group
from glmcount.cells.key import Key, Unsuited
from tests.cells.test_key import fields, state_of
from tests.laws.problems import small_strips
from tests.laws.test_cells import agree, both, repeated_data


def grouped(formula, data, **options):
    """Cells by a plain table of the data, and as they are grouped."""
    state = state_of(formula, data)
    key = Key(fields(formula, data))
    return group(state.rows, key, lambda s: ((None, s.y[0]), float(s.y.sum())), len(data))


@pytest.mark.parametrize("strip", [20, 65_536])
@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize(
    "columns", [["g"], ["g", "h", "k"], ["f"], ["g", "f", "k"], ["f", "t", "v2"]]
)
def test_sums_are_those_of_a_table(monkeypatch, columns, strip, dense):
    data = repeated_data(1)
    data["v2"] = data["v"].round(1) * np.where(data["v"] < 1, -1, 1)
    if not dense:
        monkeypatch.setattr(cells, "DENSE", 0)
    small_strips(monkeypatch, strip)
    found = grouped("y ~ " + " + ".join(columns), data)
    table = data.groupby(columns, observed=True)["y"].agg(["size", "sum"])
    assert found.n_cells == len(table)
    own = data.loc[first_rows(found, strip), [*columns, "y"]].set_index(columns).index
    np.testing.assert_array_equal(found.sums[0], table.loc[own, "size"])
    np.testing.assert_array_equal(found.sums[1], table.loc[own, "sum"])
    assert found.constant == data["y"].sum()
    assert np.array_equal(np.sort(found.first), found.first[np.argsort(found.first)])
    again = found.totals(lambda s, place: (None, s.y[0]))
    np.testing.assert_array_equal(again, found.sums)


def first_rows(found, strip):
    return (found.first >> 32) * strip + (found.first & (2**32 - 1))


def test_the_first_row_of_a_cell_stands_for_it():
    data = repeated_data(2)
    found = grouped("y ~ g + f", data)
    expected = data.reset_index().groupby(["g", "f"])["index"].min()
    assert sorted(found.first) == sorted(expected)


def test_both_zeros_are_one_value():
    data = pd.DataFrame({"y": [1, 2, 3, 4], "x": [0.0, -0.0, 0.5, 0.5]})
    assert grouped("y ~ x", data).n_cells == 2


def test_more_levels_than_a_number_holds():
    """Each digit fits, their product does not: the key is a hash of several numbers."""
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 50_000, size=(5, 80))
    codes[:, 40:] = codes[:, :40]
    data = pd.DataFrame({f"c{j}": column for j, column in enumerate(codes)}).assign(y=1)
    data.loc[0] = 0
    data.loc[1] = 50_000
    data.loc[[40, 41]] = data.loc[[0, 1]].to_numpy()
    key = Key(fields("y ~ c0 + c1 + c2 + c3 + c4", data))
    assert min(each.levels for each in key.fields) == 50_001
    assert key.space == 0
    assert grouped("y ~ c0 + c1 + c2 + c3 + c4", data).n_cells == 40


@pytest.mark.parametrize("weak", [1, 3])
def test_hashes_that_clash_are_noticed(monkeypatch, weak):
    """With one multiplier that clashes another one serves; with none the rows are fitted."""
    plain = keys.hashed
    small_strips(monkeypatch, 64)

    def clashing(words, salt):
        return plain(words, salt) % np.uint64(5) if salt < weak else plain(words, salt)

    monkeypatch.setattr(keys, "hashed", clashing)
    data = repeated_data(4)
    with pytest.raises(Unsuited):
        grouped("y ~ g + f + v", data)
    rows, found = both(data, "y ~ g + f + t")
    if weak == 1:
        agree(rows, found)
    else:
        assert found.n_cells is None


@pytest.mark.parametrize("bins", ["table", "sorted"])
def test_sums_keep_their_digits(bins):
    """Many addends of one cell, to the last place."""
    rng = np.random.default_rng(5)
    values = rng.choice([0.1, 0.7, 1.0 / 3.0, 1e-3], 60_000) * 1e9
    codes = np.zeros(len(values), dtype=np.intp)
    made = cells._table(codes, 1) if bins == "table" else cells._sorted(codes, [])
    found = cells._summed(made, values, len(values))
    assert found == pytest.approx([math.fsum(values)], rel=2.3e-16)
    naive = np.bincount(codes, values)[0]
    assert abs(naive / math.fsum(values) - 1) > 1e-15, "else this shows nothing"
    assert cells._summed(made, np.zeros(len(values)), len(values)) == [0.0]


@pytest.mark.parametrize("n", [0, 1, 2, 50])
def test_bins_by_a_table_and_by_order_are_the_same(n):
    keys = np.random.default_rng(n).integers(0, 9, n)
    values = np.arange(n) + 0.5
    a, b = cells._table(keys, 9), cells._sorted(keys, [2 * keys])
    for found in (a, b):
        np.testing.assert_array_equal(found.ids, np.unique(keys))
        expected = [np.flatnonzero(keys == key)[0] for key in found.ids]
        np.testing.assert_array_equal(found.first, expected)
        np.testing.assert_array_equal(found.add(None), [(keys == key).sum() for key in found.ids])
        sums = [values[keys == key].sum() for key in found.ids]
        np.testing.assert_array_equal(found.add(values), sums)


def test_cells_come_as_strips():
    """Cells cut in strips are read like rows; the order of cells is not that of the data."""
    data = repeated_data(6)
    whole = both(data, "y ~ g + h + k + f")[1]
    with pytest.MonkeyPatch.context() as patch:
        small_strips(patch, 32)
        rows, found = both(data, "y ~ g + h + k + f")
        agree(rows, found, tolerance=2e-10)
        held = found._state.cells.rows
        assert held.source.n_strips == -(-found.n_cells // 32)
        assert held.single is found._state.asked
        assert held.without(()).single is held.single
    assert found.n_cells == whole.n_cells
    first = found._state.cells.grouping.first
    assert not np.array_equal(first, np.sort(first))
