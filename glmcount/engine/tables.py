"""Factors in a pass: predictors by look-up, and sums by code, pair of codes and bundle of codes.

Blocks that share a code share its scatter. Codes of few levels are bundled into one, whose
sums give those of each and of each pair by adding up over the others. What is to be
scattered depends on the design alone, so it is planned once; a strip only carries it out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from itertools import combinations, product
from typing import Any

import numpy as np

from glmcount.design.blocks import Layout, Strip
from glmcount.engine.scatter import (
    Codes,
    Occurring,
    Place,
    Written,
    joined_code,
    scratch,
    sums_by_code,
    whole,
)
from glmcount.numerics import Array
from glmcount.records import dataclass, field

__all__ = ["Coding", "Raw", "Scatter", "add_coded", "coding_of", "table_sums"]

# Cells a bundle may have: its table stays in the nearest cache.
BUNDLE = 1_024

# Sums of a strip: by block, by pair of blocks, or still by the codes of a scatter.
Raw = dict[Any, Any]
Members = tuple[int, ...]


@dataclass(frozen=True)
class Structure:
    """Which blocks have codes, and how these are bundled.

    Parameters
    ----------
    of : tuple of int
        For each block the number of its code, -1 for none.
    levels : tuple of int
        Of each code.
    bundles : tuple of tuple of int
        Codes that are joined, the first slowest; every code is in one.
    """

    of: tuple[int, ...]
    levels: tuple[int, ...]
    bundles: tuple[Members, ...]

    def blocks(self, member: int) -> list[int]:
        """Blocks with that code."""
        return [i for i, number in enumerate(self.of) if number == member]

    def shape(self, members: Members) -> tuple[int, ...]:
        """Levels of some codes."""
        return tuple(self.levels[member] for member in members)


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


def coding_of(layout: Layout, strip: Strip) -> Coding:
    """Codes as a pass wants them: cast once, small ones bundled."""
    numbers: dict[int, int] = {}
    own: list[Codes] = []
    of: list[int] = []
    for rows in strip.blocks:
        codes = rows.codes
        if codes is not None and id(codes) not in numbers:
            numbers[id(codes)] = len(own)
            own.append(codes.astype(np.intp))
        of.append(-1 if codes is None else numbers[id(codes)])
    structure = _structure(layout, tuple(of))
    coding = Coding(structure, tuple(own), {})
    for bundle in structure.bundles:
        coding.joined[bundle] = coding.codes(bundle)
    return coding


def _structure(layout: Layout, of: tuple[int, ...]) -> Structure:
    found: Structure | None = layout.memo.get(of)
    if found is None:
        levels = [0] * (max(of, default=-1) + 1)
        for block, number in zip(layout.blocks, of, strict=True):
            if block.table is not None:
                levels[number] = block.table.levels
        found = layout.memo[of] = Structure(of, tuple(levels), _bundled(levels))
    return found


def _bundled(levels: list[int]) -> tuple[Members, ...]:
    """Codes in order of their levels, joined as long as the bundle stays small."""
    bundles: list[Members] = []
    cells = BUNDLE + 1
    for member in sorted(range(len(levels)), key=levels.__getitem__):
        if cells * levels[member] <= BUNDLE:
            cells *= levels[member]
            bundles[-1] = (*bundles[-1], member)
        else:
            cells = levels[member]
            bundles.append((member,))
    return tuple(bundles)


@dataclass(frozen=True)
class _LookUps:
    """What a design adds to one equation's predictor at given parameters.

    Parameters
    ----------
    tables : list of (members, table)
        Added as they are, by the joined code.
    slopes : list of (member, table, block, column)
        Multiplied by a numeric column.
    """

    tables: list[tuple[Members, Array]]
    slopes: list[tuple[int, Array, int, int]]


def _look_ups(layout: Layout, structure: Structure, equation: int, theta: Array) -> _LookUps:
    tables: list[tuple[Members, Array]] = []
    slopes: list[tuple[int, Array, int, int]] = []
    for bundle in structure.bundles:
        shape = structure.shape(bundle)
        total: Array | None = None
        for axis, member in enumerate(bundle):
            for i in structure.blocks(member):
                block = layout.blocks[i]
                if block.equation != equation:
                    continue
                beta = block.beta(theta)
                for k, numeric in enumerate(block.numeric):
                    own = np.ascontiguousarray(beta[:, k])
                    if numeric:
                        slopes.append((member, own, i, k))
                    else:
                        own = own.reshape([-1 if m == axis else 1 for m in range(len(shape))])
                        total = own if total is None else total + own
        if total is not None:
            tables.append((bundle, np.array(np.broadcast_to(total, shape)).reshape(-1)))
    return _LookUps(tables, slopes)


def add_coded(
    layout: Layout, strip: Strip, coding: Coding, equation: int, theta: Array, eta: Array
) -> None:
    """Add x_i' theta of an equation's coded blocks to `eta`, a bundle by one look-up."""
    key = (coding.structure.of, equation)
    held = layout.memo.get(key)
    # All strips of a pass share their parameters.
    if held is None or not np.array_equal(held[0], theta):
        found = _look_ups(layout, coding.structure, equation, theta)
        held = layout.memo[key] = (theta.copy(), found)
    for members, table in held[1].tables:
        eta += _looked_up(table, coding.codes(members))
    for member, table, i, k in held[1].slopes:
        column = strip.blocks[i].column(k, layout.blocks[i])
        assert column is not None
        column *= _looked_up(table, coding.own[member])
        eta += column


def _looked_up(table: Array, codes: Codes) -> Array:
    """table[codes], in a buffer that the next look-up takes over."""
    # The codes are those of learnt levels; mode="clip" spares a second check of them.
    return np.take(table, codes, out=scratch("look-up", codes.shape), mode="clip")


@dataclass(frozen=True)
class _Target:
    """Where one column of a scatter's sums goes: into entry (k, m) of a block or a pair."""

    key: tuple[Any, ...]
    members: Members
    k: int
    m: int


@dataclass(eq=False)
class Scatter:
    """Columns to add up by one code, each once, and what their sums are of.

    Parameters
    ----------
    members : tuple of int
        The codes that are joined.
    shape : tuple of int
        Levels of each.
    products : list of (name, places)
        Weights by name, times numeric columns (block, number).
    targets : list of (number of the product, _Target)
    """

    members: Members
    shape: tuple[int, ...]
    products: list[tuple[Any, tuple[Place, ...]]] = field(default_factory=list)
    targets: list[tuple[int, _Target]] = field(default_factory=list)

    def ask(self, name: Any, places: list[Place], target: _Target) -> None:
        """Ask for the sums of weights, by name, times numeric columns."""
        wanted = (name, tuple(sorted(places)))
        if wanted not in self.products:
            self.products.append(wanted)
        self.targets.append((self.products.index(wanted), target))

    def handed_out(self, layout: Layout, sums: Array | Occurring) -> Raw:
        """Sums by block and pair of blocks: see `table_sums`."""
        full = whole(sums).reshape(*self.shape, -1)
        margins: dict[Members, Array] = {}
        out: Raw = {}
        for number, target in self.targets:
            if target.members not in margins:
                margins[target.members] = self._margin(full, target.members)
            _place(layout, out, target, margins[target.members][..., number])
        return out

    def _margin(self, full: Array, members: Members) -> Array:
        """Sums over the levels of all other members, in the order asked for."""
        others = tuple(a for a, member in enumerate(self.members) if member not in members)
        left = full.sum(axis=others) if others else full
        order = [member for member in self.members if member in members]
        return left if tuple(order) == members else left.swapaxes(0, 1)


def _place(layout: Layout, out: Raw, target: _Target, column: Array) -> None:
    kind, *numbers = target.key
    blocks = [layout.blocks[i] for i in numbers]
    if kind == "g":
        shape: tuple[int, ...] = (len(column), blocks[0].v)
        out.setdefault(target.key, np.empty(shape))[:, target.k] = column
        return
    a, b = blocks
    if kind == "d":
        shape = (len(column), a.v, b.v)
        out.setdefault(("h", *numbers), np.empty(shape))[:, target.k, target.m] = column
        return
    levels = [1 if block.table is None else block.table.levels for block in blocks]
    pair = out.setdefault(target.key, np.empty((levels[0], a.v, levels[1], b.v)))
    pair[:, target.k, :, target.m] = column.reshape(levels)


def _planned(
    layout: Layout, structure: Structure, first: tuple[bool, ...], second: frozenset[Any]
) -> list[Scatter]:
    """Scatters that give every sum that involves a code."""
    scatters = []
    for bundle in structure.bundles:
        scatter = Scatter(bundle, structure.shape(bundle))
        for member in bundle:
            _ask_alone(scatter, layout, structure, member, first, second)
        for members in combinations(bundle, 2):
            _ask_pair(scatter, layout, structure, members, second)
        scatters.append(scatter)
    for one, other in combinations(structure.bundles, 2):
        for members in product(one, other):
            scatter = Scatter(members, structure.shape(members))
            _ask_pair(scatter, layout, structure, members, second)
            scatters.append(scatter)
    return [scatter for scatter in scatters if scatter.products]


def _places(layout: Layout, i: int, k: int) -> list[Place]:
    """Numeric column k of block i; nothing for a column of ones."""
    return [(i, k)] if layout.blocks[i].numeric[k] else []


def _ask_alone(
    scatter: Scatter,
    layout: Layout,
    structure: Structure,
    member: int,
    first: tuple[bool, ...],
    second: frozenset[Any],
) -> None:
    """Scores of a code's blocks, and their products with each other and dense blocks."""
    mine = structure.blocks(member)
    for i in mine:
        block = layout.blocks[i]
        if first[block.equation]:
            name = ("g", block.equation)
            for k in range(block.v):
                scatter.ask(name, _places(layout, i, k), _Target(("g", i), (member,), k, 0))
        for j, other in enumerate(layout.blocks):
            if other.table is None or (j in mine and j >= i):
                kind = "h" if other.table is None else "d"
                _ask_product(scatter, layout, kind, (i, j), (member,), second)


def _ask_pair(
    scatter: Scatter,
    layout: Layout,
    structure: Structure,
    members: Members,
    second: frozenset[Any],
) -> None:
    """Products of the blocks of two codes."""
    for pair in product(*(structure.blocks(member) for member in members)):
        ordered = tuple(structure.of[i] for i in sorted(pair))
        _ask_product(scatter, layout, "h", pair, ordered, second)


def _ask_product(
    scatter: Scatter,
    layout: Layout,
    kind: str,
    pair: tuple[int, ...],
    members: Members,
    second: frozenset[Any],
) -> None:
    a, b = sorted(pair)
    left, right = layout.blocks[a], layout.blocks[b]
    key = (left.equation, right.equation)
    if key not in second:
        return
    for k, m in product(range(left.v), range(right.v)):
        places = _places(layout, a, k) + _places(layout, b, m)
        scatter.ask(("h", *key), places, _Target((kind, a, b), members, k, m))


def table_sums(
    layout: Layout,
    strip: Strip,
    coding: Coding,
    column: Callable[[int, int], Array],
    first: tuple[Array | None, ...],
    second: Mapping[tuple[int, int], Array | None],
) -> Raw:
    """Sums of score and information that involve a code, each under its `Scatter`.

    Handed out, ``"g", i`` holds sum first x_i by level, (levels, v); ``"h", i, j`` holds sum
    second x_i x_j', (levels of i, v of i, levels of j, v of j), or where both share a code
    the diagonal of it, (levels, v of i, v of j). ``column(i, k)`` is a numeric column.
    """
    present = frozenset(key for key, values in second.items() if values is not None)
    key = (coding.structure.of, tuple(values is not None for values in first), present)
    plan = layout.memo.get(key)
    if plan is None:
        # Two threads may both plan: what the first has kept is what both use.
        plan = layout.memo.setdefault(key, _planned(layout, coding.structure, *key[1:]))
    named: dict[Any, Any] = {("g", k): values for k, values in enumerate(first)}
    named |= {("h", *jk): values for jk, values in second.items()}
    raw: Raw = {}
    sums = Written(named, column)
    for scatter in plan:
        codes, levels = coding.codes(scatter.members), math.prod(scatter.shape)
        raw[scatter] = sums_by_code(codes, levels, partial(sums.table, scatter.products))
    return raw
