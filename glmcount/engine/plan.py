"""The plan of a pass: what it adds up by which codes, derived once from a design.

Blocks that share a code share its scatter. Codes of few levels are bundled into one, whose
sums give those of each and of each pair by adding up over the others. What is to be
scattered depends on the design alone; a strip only carries it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

import numpy as np

from glmcount.engine.block import Block
from glmcount.engine.scatter import Occurring, Place, whole
from glmcount.numerics import Array
from glmcount.records import dataclass, field

__all__ = ["LookUps", "Members", "PassPlan", "Raw", "Scatter", "Structure", "Wanted"]

# Cells a bundle may have: its table stays in the nearest cache.
BUNDLE = 1_024
# Plans kept: a family asks for one, or for one more where a strip has no zeros.
KEPT = 16

# Sums of a strip by plain tuples: ("s",) of scalars; ("g", i) and ("h", i, j) by block and pair of
# blocks; ("c", what was wanted, number) still by the codes of a scatter; ("u", number) the slopes
# of the rows of a strip.
Raw = dict[Any, Any]
Members = tuple[int, ...]
Blocks = tuple[Block, ...]
# Equations whose scores are added up, and pairs of equations whose products are.
Wanted = tuple[tuple[bool, ...], tuple[tuple[int, int], ...]]


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
    blocks : tuple of tuple of int
        Blocks with each code.
    """

    of: tuple[int, ...]
    levels: tuple[int, ...]
    bundles: tuple[Members, ...]
    blocks: tuple[tuple[int, ...], ...]

    @staticmethod
    def made(blocks: Sequence[Block]) -> Structure:
        """The codes of some blocks, in order of appearance."""
        numbers: dict[int, int] = {}
        levels: list[int] = []
        of: list[int] = []
        for block in blocks:
            if block.table is None:
                of.append(-1)
                continue
            if block.code not in numbers:
                numbers[block.code] = len(levels)
                levels.append(block.table.levels)
            of.append(numbers[block.code])
        own = [tuple([i for i, k in enumerate(of) if k == code]) for code in range(len(levels))]
        return Structure(tuple(of), tuple(levels), _bundled(levels), tuple(own))

    def shape(self, members: Members) -> tuple[int, ...]:
        """Levels of some codes."""
        return tuple(self.levels[member] for member in members)


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
class LookUps:
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


def _look_ups(blocks: Blocks, structure: Structure, equation: int, theta: Array) -> LookUps:
    tables: list[tuple[Members, Array]] = []
    slopes: list[tuple[int, Array, int, int]] = []
    for bundle in structure.bundles:
        shape = structure.shape(bundle)
        total: Array | None = None
        for axis, member in enumerate(bundle):
            for i in structure.blocks[member]:
                block = blocks[i]
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
    return LookUps(tables, slopes)


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

    def handed_out(self, blocks: Blocks, sums: Array | Occurring) -> Raw:
        """Sums by block and pair of blocks: see `table_sums`."""
        full = whole(sums).reshape(*self.shape, -1)
        margins: dict[Members, Array] = {}
        out: Raw = {}
        for number, target in self.targets:
            if target.members not in margins:
                margins[target.members] = self._margin(full, target.members)
            _place(blocks, out, target, margins[target.members][..., number])
        return out

    def _margin(self, full: Array, members: Members) -> Array:
        """Sums over the levels of all other members, in the order asked for."""
        others = tuple(a for a, member in enumerate(self.members) if member not in members)
        left = full.sum(axis=others) if others else full
        order = [member for member in self.members if member in members]
        return left if tuple(order) == members else left.swapaxes(0, 1)


def _place(blocks: Blocks, out: Raw, target: _Target, column: Array) -> None:
    kind, *numbers = target.key
    own = [blocks[i] for i in numbers]
    if kind == "g":
        shape: tuple[int, ...] = (len(column), own[0].v)
        out.setdefault(target.key, np.empty(shape))[:, target.k] = column
        return
    a, b = own
    if kind == "d":
        shape = (len(column), a.v, b.v)
        out.setdefault(("h", *numbers), np.empty(shape))[:, target.k, target.m] = column
        return
    levels = [1 if block.table is None else block.table.levels for block in own]
    pair = out.setdefault(target.key, np.empty((levels[0], a.v, levels[1], b.v)))
    pair[:, target.k, :, target.m] = column.reshape(levels)


def _planned(blocks: Blocks, structure: Structure, wanted: Wanted) -> tuple[Scatter, ...]:
    """Scatters that give every sum that involves a code."""
    first, second = wanted[0], frozenset(wanted[1])
    scatters = []
    for bundle in structure.bundles:
        scatter = Scatter(bundle, structure.shape(bundle))
        for member in bundle:
            _ask_alone(scatter, blocks, structure, member, first, second)
        for members in combinations(bundle, 2):
            _ask_pair(scatter, blocks, structure, members, second)
        scatters.append(scatter)
    for one, other in combinations(structure.bundles, 2):
        for members in product(one, other):
            scatter = Scatter(members, structure.shape(members))
            _ask_pair(scatter, blocks, structure, members, second)
            scatters.append(scatter)
    return tuple(scatter for scatter in scatters if scatter.products)


def _places(blocks: Blocks, i: int, k: int) -> list[Place]:
    """Numeric column k of block i; nothing for a column of ones."""
    return [(i, k)] if blocks[i].numeric[k] else []


def _ask_alone(
    scatter: Scatter,
    blocks: Blocks,
    structure: Structure,
    member: int,
    first: tuple[bool, ...],
    second: frozenset[Any],
) -> None:
    """Scores of a code's blocks, and their products with each other and dense blocks."""
    mine = structure.blocks[member]
    for i in mine:
        block = blocks[i]
        if first[block.equation]:
            name = ("g", block.equation)
            for k in range(block.v):
                scatter.ask(name, _places(blocks, i, k), _Target(("g", i), (member,), k, 0))
        for j, other in enumerate(blocks):
            if other.table is None or (j in mine and j >= i):
                kind = "h" if other.table is None else "d"
                _ask_product(scatter, blocks, kind, (i, j), (member,), second)


def _ask_pair(
    scatter: Scatter,
    blocks: Blocks,
    structure: Structure,
    members: Members,
    second: frozenset[Any],
) -> None:
    """Products of the blocks of two codes."""
    for pair in product(*(structure.blocks[member] for member in members)):
        ordered = tuple(structure.of[i] for i in sorted(pair))
        _ask_product(scatter, blocks, "h", pair, ordered, second)


def _ask_product(
    scatter: Scatter,
    blocks: Blocks,
    kind: str,
    pair: tuple[int, ...],
    members: Members,
    second: frozenset[Any],
) -> None:
    a, b = sorted(pair)
    left, right = blocks[a], blocks[b]
    key = (left.equation, right.equation)
    if key not in second:
        return
    for k, m in product(range(left.v), range(right.v)):
        places = _places(blocks, a, k) + _places(blocks, b, m)
        scatter.ask(("h", *key), places, _Target((kind, a, b), members, k, m))


class PassPlan:
    """What a pass over some blocks adds up, and how it is scattered.

    It keeps the scatters of what was wanted last, and the look-ups of the last parameters, which
    all strips of a pass share; it travels without them.

    Parameters
    ----------
    blocks : tuple of Block
    structure : Structure
        Of these blocks.
    """

    def __init__(self, blocks: Blocks, structure: Structure) -> None:
        self.blocks, self.structure = blocks, structure
        self._scatters: dict[Wanted, tuple[Scatter, ...]] = {}
        self._look_ups: dict[int, tuple[Array, LookUps]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return PassPlan, (self.blocks, self.structure)

    def scatters(self, wanted: Wanted) -> tuple[Scatter, ...]:
        """The scatters that give every sum that involves a code."""
        found = self._scatters.get(wanted)
        if found is None:
            if len(self._scatters) >= KEPT:
                self._scatters.clear()
            found = self._scatters[wanted] = _planned(self.blocks, self.structure, wanted)
        return found

    def look_ups(self, equation: int, theta: Array) -> LookUps:
        """What the coded blocks add to an equation's predictor."""
        held = self._look_ups.get(equation)
        if held is None or not np.array_equal(held[0], theta):
            found = _look_ups(self.blocks, self.structure, equation, theta)
            held = self._look_ups[equation] = (theta.copy(), found)
        return held[1]

    def handed_out(self, key: tuple[Any, ...], sums: Array | Occurring) -> Raw:
        """The sums of one scatter by block and pair of blocks."""
        return self.scatters(key[1])[key[2]].handed_out(self.blocks, sums)
