"""Which codes are bundled, what is scattered by them, and look-ups."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmcount.engine import plan
from glmcount.engine.block import Block
from glmcount.engine.level_table import LevelTable
from glmcount.engine.plan import PassPlan, Structure
from glmcount.engine.scatter import Written
from tests.engine.test_tables import drawn


def factors(*levels):
    ends = np.r_[0, np.cumsum(levels)]
    return tuple(
        Block(
            0,
            np.arange(a, b),
            LevelTable.of(np.eye(b - a)),
            np.zeros(1),
            np.ones(1),
            None,
            (False,),
            k,
        )
        for k, (a, b) in enumerate(itertools.pairwise(ends))
    )


@given(st.lists(st.integers(1, 400), max_size=6))
def test_bundles_hold_every_code_once_and_stay_small(levels):
    structure = Structure.made(factors(*levels))
    members = [member for bundle in structure.bundles for member in bundle]
    assert sorted(members) == list(range(len(levels)))
    for bundle in structure.bundles:
        assert len(bundle) == 1 or np.prod(structure.shape(bundle)) <= plan.BUNDLE
        assert structure.shape(bundle) == tuple(levels[member] for member in bundle)


def test_blocks_that_share_a_code_share_its_number():
    layout, _, _, _ = drawn(3)
    structure = layout.plan.structure
    assert structure.of == (-1, 0, 1, 2, 3, -1, 1, 0)
    assert structure.levels == (4, 5, 70, 90)
    assert structure.blocks[0] == (1, 7)
    assert structure.bundles == ((0, 1), (2,), (3,))


def test_every_column_is_scattered_once():
    layout, _, _, _ = drawn(3)
    wanted = ((True, True), ((0, 0), (0, 1), (1, 1)))
    scatters = layout.plan.scatters(wanted)
    assert layout.plan.scatters(wanted) is scatters
    for scatter in scatters:
        assert len(set(scatter.products)) == len(scatter.products)
        assert {number for number, _ in scatter.targets} == set(range(len(scatter.products)))
    alone = layout.plan.scatters(((True, False), ()))
    names = {name for scatter in alone for name, _ in scatter.products}
    assert names == {("g", 0)}


@pytest.mark.parametrize("equation", [0, 1])
def test_look_ups_are_the_predictor_by_code(equation):
    layout, strip, design, rng = drawn(200)
    theta = rng.normal(size=layout.size)
    found = layout.plan.look_ups(equation, theta)
    structure = layout.plan.structure
    codes = {structure.of[i]: strip.blocks[i].codes.astype(int) for i in (1, 2, 3, 4)}
    total = np.zeros(200)
    for members, table in found.tables:
        joint = np.ravel_multi_index([codes[m] for m in members], structure.shape(members))
        total += table[joint]
    for member, table, i, k in found.slopes:
        total += table[codes[member]] * (strip.blocks[i].rows[k] - layout.blocks[i].shift[k])
    coded = np.concatenate(
        [b.positions for b in layout.blocks if b.table and b.equation == equation]
    )
    np.testing.assert_allclose(total, design[:, coded] @ theta[coded], rtol=0, atol=1e-12)
    assert layout.plan.look_ups(equation, theta.copy()) is found
    assert layout.plan.look_ups(equation, theta + 1.0) is not found


def test_it_travels_by_its_blocks_and_forgets_what_many_asked_for():
    own = PassPlan(factors(3, 4), Structure.made(factors(3, 4)))
    assert pickle.loads(pickle.dumps(own)).structure == own.structure  # noqa: S301
    wanted = [((True,), ((0, 0),) * k) for k in range(plan.KEPT + 1)]
    first = own.scatters(wanted[0])
    for each in wanted[1:]:
        own.scatters(each)
    assert own.scatters(wanted[0]) is not first


def test_sums_are_handed_out_by_block_and_pair():
    layout, strip, _, rng = drawn(300)
    wanted = ((True, False), ((0, 0),))
    slopes, bends = rng.integers(-5, 6, (2, 300)).astype(float)
    named = {("g", 0): slopes, ("h", 0, 0): bends}
    written = Written(named, lambda i, k: strip.blocks[i].column(k, layout.blocks[i]))
    structure, found = layout.plan.structure, {}
    codes = {structure.of[i]: strip.blocks[i].codes.astype(int) for i in (1, 2, 3, 4)}
    for number, scatter in enumerate(layout.plan.scatters(wanted)):
        joint = np.ravel_multi_index([codes[m] for m in scatter.members], scatter.shape)
        sums = written.table(scatter.products, joint, int(np.prod(scatter.shape)))
        found |= layout.plan.handed_out(("c", wanted, number), sums)
    # A factor alone, and its pairs with factors of other bundles.
    expected = np.bincount(codes[0], slopes, 4)
    np.testing.assert_array_equal(found["g", 1][:, 0], expected)
    for i, j, levels in ((1, 4, (4, 90)), (3, 4, (70, 90))):
        pair = np.zeros(levels)
        np.add.at(pair, (codes[structure.of[i]], codes[structure.of[j]]), bends)
        np.testing.assert_array_equal(found["h", i, j][:, 0, :, 0], pair)
    # A pair within one bundle, of which one factor multiplies numbers.
    times = np.bincount(codes[0], bends * strip.blocks[2].column(0, layout.blocks[2]), 4)
    np.testing.assert_allclose(found["h", 1, 2][:, 0, :, 0].sum(axis=1), times, atol=1e-11)
