"""Factors in a pass: predictors by look-up, and sums by code, pair of codes and bundle of codes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from glmcount.engine.plan import Members, PassPlan, Raw, Structure
from glmcount.engine.scatter import Codes, Written, joined_code, scratch, sums_by_code
from glmcount.engine.strip import Strip
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Coding", "add_coded", "coding_of", "table_sums"]


@dataclass(frozen=True)
class Coding:
    """The codes of a strip, each once, and joined as a pass wants them."""

    structure: Structure
    own: tuple[Codes, ...]
    joined: dict[Members, Codes]

    def codes(self, members: Members) -> Codes:
        """One code for some members."""
        found = self.joined.get(members)
        if found is None:
            found = self.own[members[0]]
            for member in members[1:]:
                levels = self.structure.levels[member]
                found = joined_code(found, self.own[member], levels)
        return found


def coding_of(plan: PassPlan, strip: Strip) -> Coding:
    """Codes as a pass wants them: cast once, small ones bundled."""
    own: list[Codes] = []
    for number, rows in zip(plan.structure.of, strip.blocks, strict=True):
        if number == len(own):
            assert rows.codes is not None
            own.append(rows.codes.astype(np.intp))
    coding = Coding(plan.structure, tuple(own), {})
    for bundle in plan.structure.bundles:
        coding.joined[bundle] = coding.codes(bundle)
    return coding


def add_coded(
    plan: PassPlan, strip: Strip, coding: Coding, equation: int, theta: Array, eta: Array
) -> None:
    """Add x_i' theta of an equation's coded blocks to `eta`, a bundle by one look-up."""
    found = plan.look_ups(equation, theta)
    for members, table in found.tables:
        eta += _looked_up(table, coding.codes(members))
    for member, table, i, k in found.slopes:
        column = strip.blocks[i].column(k, plan.blocks[i])
        assert column is not None
        column *= _looked_up(table, coding.own[member])
        eta += column


def _looked_up(table: Array, codes: Codes) -> Array:
    """table[codes], in a buffer that the next look-up takes over."""
    # The codes are those of learnt levels; mode="clip" spares a second check of them.
    return np.take(table, codes, out=scratch("look-up", codes.shape), mode="clip")


def table_sums(
    plan: PassPlan,
    strip: Strip,
    coding: Coding,
    column: Callable[[int, int], Array],
    first: tuple[Array | None, ...],
    second: Mapping[tuple[int, int], Array | None],
) -> Raw:
    """Sums of score and information that involve a code, each by its scatter.

    Handed out, ``"g", i`` holds sum first x_i by level, (levels, v); ``"h", i, j`` holds sum
    second x_i x_j', (levels of i, v of i, levels of j, v of j), or where both share a code
    the diagonal of it, (levels, v of i, v of j). ``column(i, k)`` is a numeric column.
    """
    present = tuple(sorted(key for key, values in second.items() if values is not None))
    wanted = tuple(values is not None for values in first), present
    named: dict[Any, Any] = {("g", k): values for k, values in enumerate(first)}
    named |= {("h", *jk): values for jk, values in second.items()}
    raw: Raw = {}
    sums = Written(named, column)
    for number, scatter in enumerate(plan.scatters(wanted)):
        codes, levels = coding.codes(scatter.members), math.prod(scatter.shape)
        table = partial(sums.table, scatter.products)
        raw["c", wanted, number] = sums_by_code(codes, levels, table)
    return raw
