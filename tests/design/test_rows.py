"""The rows as a design sees them: folded, cut, held, turned, and looked at for changes."""

from __future__ import annotations

import numpy as np
import pytest

import glmcount as gc
from glmcount.design.layout import layout_of
from glmcount.design.rows import Cache
from glmcount.errors import DataChangedError
from glmcount.numerics.control import Control
from glmcount.sources import base
from tests.made import counts, design_of

DATA = counts(300)


@pytest.fixture
def strips(monkeypatch):
    """Rows of five strips, none of them kept."""
    monkeypatch.setattr(base, "STRIP_ROWS", 64)
    return design_of("y ~ x + g", DATA, weights="w", control=Control(memory=0))


def test_a_held_head_fits_as_its_rows_do():
    rng = np.random.default_rng(7)
    n = 70_000
    data = {"x": rng.normal(size=n), "g": rng.integers(0, 3, n).astype(str)}
    data["y"] = rng.poisson(np.exp(0.2 * data["x"]))
    r = gc.fit("y ~ x + g", data)
    second = r._state.rows.source.span(1)[0]
    rows = r._state.rows.head(50)
    assert (rows.n_used, rows.source.n_strips) == (100, 1)
    held = rows.fold(lambda strip: strip.y, lambda a, b: a + b)
    np.testing.assert_array_equal(held[0], np.r_[data["y"][:50], data["y"][second : second + 50]])


def test_strips_without_an_equation_are_those_encoded_anew():
    rng = np.random.default_rng(8)
    data = {"x": rng.normal(size=500), "z": rng.normal(size=500), "g": rng.integers(0, 3, 500)}
    data["y"] = rng.poisson(1.0, 500) * (rng.random(500) < 0.7)
    r = gc.fit("y ~ x + C(g)", data, inflate="z + C(g)")
    full = r._state.asked
    full.fold(lambda strip: [strip], lambda a, b: a + b)
    held = full.without((1,))
    assert held.cache.strips
    (kept,) = held.fold(lambda strip: [strip], lambda a, b: a + b)
    held.cache.strips.clear()
    (fresh,) = held.fold(lambda strip: [strip], lambda a, b: a + b)
    assert len(kept.blocks) == len(fresh.blocks) and len(kept.offsets) == 1
    for one, other in zip(kept.blocks, fresh.blocks, strict=True):
        assert one.codes is None or np.array_equal(one.codes, other.codes)
        for a, b in zip(one.rows, other.rows, strict=True):
            assert a is b is None or np.array_equal(a, b)


def test_folds_go_over_all_strips_in_order(strips):
    assert strips.source.n_strips == 5 and strips.cache.strips == {}
    numbers = strips.fold(lambda strip: [strip.number], lambda a, b: a + b, threads=2)
    assert numbers == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(strips.by_row(lambda strip: strip.y[0]), DATA["y"])
    total = strips.total(lambda strip: strip.y[0])
    assert total == pytest.approx(DATA["y"] @ DATA["w"], rel=1e-14)
    assert strips.total(lambda strip: np.ones(1)) == pytest.approx(DATA["w"].sum())


def test_strips_are_kept_as_far_as_memory_goes(strips):
    cost = 64 * 8 * 4
    strips.cache = Cache(cost)
    strips.fold(lambda strip: None, lambda a, b: None, threads=1)
    assert 0 < len(strips.cache.strips) < 5 and 0 <= strips.cache.left < cost
    held = strips.cache.strips[0]
    assert strips.strip(0) is held


def test_heads_and_rows_in_memory(strips):
    head = strips.head(10, parts=2)
    places = np.concatenate([np.arange(10) + 64 * k for k in range(5)])
    assert (head.n_used, head.source.n_strips) == (50, 2)
    np.testing.assert_array_equal(head.by_row(lambda s: s.blocks[0].rows[1]), DATA["x"][places])
    held = strips.holding(strips.strip(1))
    assert held.n_used == 64 and held.strip(0).where is None


def test_other_responses_weights_and_rows(strips):
    double = design_of("y ~ x + g", DATA, weights="w")
    double.strip(0)
    other = double.with_response(double.source, double.spec, DATA["y"] + 1)
    assert other.strip(0).y[0].tolist() == (DATA["y"] + 1)[:64].tolist()
    assert other.strip(0).blocks is double.strip(0).blocks
    heavy = strips.reweighted(3.0 * DATA["w"])
    np.testing.assert_array_equal(heavy.by_row(lambda s: s.weights), 3.0 * DATA["w"])
    mask = DATA["x"] > 0
    some = strips.keeping(mask)
    np.testing.assert_array_equal(some.by_row(lambda s: s.y[0]), DATA["y"][mask])
    assert some.n_used == mask.sum() < 300


def test_constants_and_single_rows(strips):
    spec = design_of("y ~ 1", DATA).spec
    strips.cache = Cache(10**9)
    strips.fold(lambda strip: None, lambda a, b: None)
    ones = strips.constants(spec)
    assert all(strip.blocks[0].rows == (None,) for strip in map(ones.strip, range(5)))
    assert strips.single is strips and strips.without(()) is strips


@pytest.mark.parametrize("column", ["y", "x", "w"])
def test_changed_columns_are_told_by_name_and_rows(monkeypatch, column):
    monkeypatch.setattr(base, "STRIP_ROWS", 64)
    data = {name: values.copy() for name, values in DATA.items()}
    rows = design_of("y ~ x + g", data, weights="w").gated()
    rows.check()
    data[column][130] += 1.0
    assert rows.strip(0).n == 64
    told = rf"column '{column}' has changed in the rows 128 to 191"
    with pytest.raises(DataChangedError, match=told):
        rows.strip(2)
    with pytest.raises(DataChangedError, match=told):
        rows.check()


def test_a_small_problem_is_spread_out_once():
    rows = design_of("y ~ x + g", DATA)
    layout = layout_of(rows.spec)
    small = rows.small(layout)
    assert small is not None and rows.small(layout) is small
    assert design_of("y ~ x", DATA, control=Control(memory=0)).small(layout) is None
