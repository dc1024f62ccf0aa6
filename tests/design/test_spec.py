"""The learnt design as records: where its parts lie, which rows a plan uses."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmcount.design.spec import Account, Plan
from tests.made import counts, design_of

MASKS = st.lists(st.lists(st.booleans(), min_size=1, max_size=12), min_size=1, max_size=4)


def plan_of(strips):
    keep = tuple(None if all(s) else np.packbits(np.array(s)) for s in strips)
    dropped = sum(not each for s in strips for each in s)
    return Plan(
        keep, Account(sum(map(len, strips)), dropped, {"x missing": dropped} if dropped else {})
    )


@given(MASKS, st.integers(0, 2**32 - 1))
def test_plans_keep_one_bit_a_row(strips, seed):
    plan = plan_of(strips)
    for number, own in enumerate(strips):
        where = plan.where(number, len(own))
        used = np.arange(len(own)) if where is None else where
        assert used.tolist() == np.flatnonzero(own).tolist()
    ends = np.r_[0, np.cumsum([len(s) for s in strips])].tolist()
    mask = np.random.default_rng(seed).random(ends[-1]) < 0.6
    spans = list(itertools.pairwise(ends))
    left = plan.keeping(spans, mask)
    for number, (own, (a, b)) in enumerate(zip(strips, spans, strict=True)):
        both = np.array(own) & mask[a:b]
        where = left.where(number, len(own))
        assert (np.arange(len(own)) if where is None else where).tolist() == np.flatnonzero(
            both
        ).tolist()
    every = np.concatenate([np.array(s, bool) for s in strips])
    assert left.account.n_dropped == int((~(every & mask)).sum())
    assert left.account.reasons.get("masked", 0) == int((every & ~mask).sum())


def test_reasons_are_told():
    assert Account(9, 2, {"x missing": 1_000, "w zero": 1}).told() == "x missing 1,000, w zero 1"


@pytest.fixture(scope="module")
def spec():
    return design_of(
        "y ~ x*g + bs(z, df=4) + offset(z)",
        counts(),
        [("inflate", "g + offset(log(t))"), None],
        exposure="t",
        weights="w",
    ).spec


def test_parts_lie_in_blocks(spec):
    places = [(block, first, part.term) for block, first, part in spec.places()]
    assert places == [
        (0, 0, "Intercept"),
        (0, 1, "x"),
        (1, 0, "g"),
        (2, 0, "x:g"),
        (0, 2, "bs(z, df=4)"),
        (3, 0, "Intercept"),
        (4, 0, "g"),
        (5, 0, "Intercept"),
    ]
    assert spec.block_equations == (0, 0, 0, 1, 1, 2)
    assert spec.equations[1].names == ("Intercept", "g[T.b]", "g[T.c]")
    assert spec.equations[0].terms == ("Intercept", "x", "g", "x:g", "bs(z, df=4)")


def test_what_it_reads(spec):
    assert spec.predictors == ("x", "g", "bs(z, df=4)", "z", "log(t)", "t")
    assert spec.columns(("log(t)", "bs(z, df=4)", "t")) == ("t", "z")
    assert spec.single_levels == ()
    less = spec.without([1])
    assert [e.names for e in less.equations] == [spec.equations[0].names, ("Intercept",)]


def test_factors_of_one_level():
    data = counts() | {"one": ["a"] * 60}
    assert design_of("y ~ x + one", data).spec.single_levels == ("one",)
