"""Factors in a pass: predictors by look-up, and sums by code, pair of codes and bundle of codes.

Blocks that share a code share its scatter. Codes of few levels are bundled into one, whose
sums give those of each and of each pair by adding up over the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations, product
from typing import Any

import numpy as np

from glmcount.design.blocks import Layout, Strip
from glmcount.design.scatter import SCATTER_FROM, Codes, joined_code, scratch, sums_by_code
from glmcount.numerics import Array

__all__ = ["Coding", "add_coded", "coding_of", "table_sums"]

# Cells a bundle may have: its table stays in the nearest cache.
BUNDLE = 4_096

Raw = dict[tuple[object, ...], Array]
Place = tuple[int, int]
Members = tuple[int, ...]


@dataclass(frozen=True)
class Bundle:
    """One code for several, the first slowest.

    Parameters
    ----------
    codes : ndarray of int32, shape (n,)
    members : tuple of int
        Numbers of the codes it joins.
    shape : tuple of int
        Levels of each.
    """

    codes: Codes
    members: tuple[int, ...]
    shape: tuple[int, ...]

    def over(self, sums: Array, members: tuple[int, ...]) -> Array:
        """Sums by bundle code, (cells, columns), as those by some members' levels."""
        full = sums.reshape(*self.shape, -1)
        others = tuple(m for m, member in enumerate(self.members) if member not in members)
        return full.sum(axis=others) if others else full


@dataclass(frozen=True)
class Coding:
    """The codes of a strip.

    Parameters
    ----------
    own : tuple of ndarray of int32
        Each code once.
    levels : tuple of int
    of : mapping
        Code number of each block that has one.
    bundles : tuple of Bundle
        Every code is in one.
    """

    own: tuple[Codes, ...]
    levels: tuple[int, ...]
    of: Mapping[int, int]
    bundles: tuple[Bundle, ...]

    def blocks(self, member: int) -> list[int]:
        """Blocks with that code."""
        return [i for i, number in self.of.items() if number == member]


def coding_of(layout: Layout, strip: Strip) -> Coding:
    """Codes as a pass wants them: cast once, small ones bundled."""
    numbers: dict[int, int] = {}
    own: list[Codes] = []
    levels: list[int] = []
    of: dict[int, int] = {}
    for i, (block, rows) in enumerate(zip(layout.blocks, strip.blocks, strict=True)):
        if block.table is None or rows.codes is None:
            continue
        if id(rows.codes) not in numbers:
            numbers[id(rows.codes)] = len(own)
            own.append(rows.codes.astype(np.int32))
            levels.append(block.table.levels)
        of[i] = numbers[id(rows.codes)]
    return Coding(tuple(own), tuple(levels), of, _bundled(own, levels))


def _bundled(own: list[Codes], levels: list[int]) -> tuple[Bundle, ...]:
    """Codes in order of their levels, joined as long as the bundle stays small."""
    bundles: list[Bundle] = []
    for member in sorted(range(len(own)), key=levels.__getitem__):
        last = bundles[-1] if bundles else None
        cells = int(np.prod(last.shape)) * levels[member] if last else 0
        if last is not None and cells <= BUNDLE and len(own[member]) >= SCATTER_FROM:
            joined = joined_code(last.codes, own[member], levels[member])
            shape = (*last.shape, levels[member])
            bundles[-1] = Bundle(joined, (*last.members, member), shape)
        else:
            bundles.append(Bundle(own[member], (member,), (levels[member],)))
    return tuple(bundles)


def add_coded(
    layout: Layout, strip: Strip, coding: Coding, equation: int, theta: Array, eta: Array
) -> None:
    """Add x_i' theta of an equation's coded blocks to `eta`, a bundle by one look-up."""
    for bundle in coding.bundles:
        table: Array | None = None
        for axis, member in enumerate(bundle.members):
            shape = [1] * len(bundle.shape)
            shape[axis] = bundle.shape[axis]
            for i in coding.blocks(member):
                block = layout.blocks[i]
                if block.equation != equation:
                    continue
                beta = block.beta(theta)
                for k in range(block.v):
                    column = strip.blocks[i].column(k, block)
                    if column is None:
                        own = beta[:, k].reshape(shape)
                        table = own if table is None else table + own
                    else:
                        column *= looked_up(beta[:, k], coding.own[member])
                        eta += column
        if table is not None:
            eta += looked_up(np.broadcast_to(table, bundle.shape), bundle.codes)


def looked_up(table: Array, codes: Codes) -> Array:
    """table[codes], in a buffer that the next look-up takes over."""
    flat = np.ascontiguousarray(table).reshape(-1)
    # The codes are those of learnt levels; mode="clip" spares a second check of them.
    return np.take(flat, codes, out=scratch("look-up", codes.shape), mode="clip")


@dataclass
class _Asked:
    """Columns to add up by one code, each once, and where their sums go."""

    column: Callable[[int, int], Array]
    places: dict[tuple[Any, ...], int] = field(default_factory=dict)
    makers: list[Callable[[Array], None]] = field(default_factory=list)
    targets: list[tuple[tuple[int, ...], int, Array]] = field(default_factory=list)

    def ask(
        self, weights: tuple[Any, Array], columns: list[Place], members: Members, target: Array
    ) -> None:
        """The sums of weights times columns over the levels of some members, into `target`."""
        name, values = weights
        key = (name, *sorted(columns))
        if key not in self.places:
            self.places[key] = len(self.makers)
            self.makers.append(partial(self._product, values, columns))
        self.targets.append((members, self.places[key], target))

    def _product(self, values: Array, columns: list[Place], out: Array) -> None:
        if not columns:
            out[...] = values
            return
        for i, k in columns[:-1]:
            values = values * self.column(i, k)
        np.multiply(values, self.column(*columns[-1]), out=out)

    def answer(self, bundle: Bundle) -> None:
        """Add up, and hand out."""
        if not self.makers:
            return
        sums = sums_by_code(bundle.codes, int(np.prod(bundle.shape)), self.makers)
        margins: dict[Members, Array] = {}
        for members, place, target in self.targets:
            if members not in margins:
                margins[members] = bundle.over(sums, members)
            target[...] = margins[members][..., place]


@dataclass(frozen=True)
class _Tables:
    """What the tables of a strip are made of."""

    layout: Layout
    strip: Strip
    coding: Coding
    column: Callable[[int, int], Array]
    first: tuple[Array | None, ...]
    second: Mapping[tuple[int, int], Array | None]
    raw: Raw = field(default_factory=dict)

    def places(self, i: int, k: int) -> list[Place]:
        """Numeric column k of block i; nothing for a column of ones."""
        return [] if self.strip.blocks[i].rows[k] is None else [(i, k)]

    def weights(self, i: int, j: int) -> tuple[Any, Array] | None:
        """Weights of a pair of blocks, the first of them earlier, with their name."""
        key = (self.layout.blocks[i].equation, self.layout.blocks[j].equation)
        values = self.second.get(key)
        return None if values is None else (("h", *key), values)

    def alone(self, asked: _Asked, member: int) -> None:
        """Scores of a code's blocks, and their products with each other and dense blocks."""
        mine, levels = self.coding.blocks(member), self.coding.levels[member]
        for i in mine:
            block = self.layout.blocks[i]
            slope = self.first[block.equation]
            if slope is not None:
                out = self.raw["g", i] = np.empty((levels, block.v))
                for k in range(block.v):
                    weights = (("g", block.equation), slope)
                    asked.ask(weights, self.places(i, k), (member,), out[:, k])
            for j, other in enumerate(self.layout.blocks):
                if other.table is None or (j in mine and j >= i):
                    self._beside(asked, member, i, j)

    def _beside(self, asked: _Asked, member: int, i: int, j: int) -> None:
        a, b = min(i, j), max(i, j)
        weights = self.weights(a, b)
        if weights is None:
            return
        left, right = self.layout.blocks[a], self.layout.blocks[b]
        levels = self.coding.levels[member]
        if j in self.coding.of:
            out = np.empty((levels, left.v, right.v))
            views = out
        elif i < j:
            out = np.empty((levels, left.v, 1, right.v))
            views = out[:, :, 0, :]
        else:
            out = np.empty((1, left.v, levels, right.v))
            views = out[0].transpose(1, 0, 2)
        self.raw["h", a, b] = out
        for k, m in product(range(left.v), range(right.v)):
            columns = self.places(a, k) + self.places(b, m)
            asked.ask(weights, columns, (member,), views[:, k, m])

    def pair(self, asked: _Asked, members: tuple[int, int]) -> None:
        """Products of the blocks of two codes."""
        for i, j in product(*(self.coding.blocks(member) for member in members)):
            a, b = min(i, j), max(i, j)
            weights = self.weights(a, b)
            if weights is None:
                continue
            left, right = self.layout.blocks[a], self.layout.blocks[b]
            assert left.table is not None and right.table is not None
            out = np.empty((left.table.levels, left.v, right.table.levels, right.v))
            self.raw["h", a, b] = out
            for k, m in product(range(left.v), range(right.v)):
                columns = self.places(a, k) + self.places(b, m)
                view = out[:, k, :, m]
                asked.ask(weights, columns, members, view if i < j else view.T)


def table_sums(
    layout: Layout,
    strip: Strip,
    coding: Coding,
    column: Callable[[int, int], Array],
    first: tuple[Array | None, ...],
    second: Mapping[tuple[int, int], Array | None],
) -> Raw:
    """Sums of score and information that involve a code, by block and pair of blocks.

    ``"g", i`` holds sum first x_i by level, (levels, v); ``"h", i, j`` holds sum second
    x_i x_j', (levels of i, v of i, levels of j, v of j), or where both share a code the
    diagonal of it, (levels, v of i, v of j). ``column(i, k)`` is a numeric column of a block.
    """
    tables = _Tables(layout, strip, coding, column, first, second)
    for bundle in coding.bundles:
        asked = _Asked(column)
        for member in bundle.members:
            tables.alone(asked, member)
        for members in combinations(bundle.members, 2):
            tables.pair(asked, members)
        asked.answer(bundle)
    for one, other in combinations(coding.bundles, 2):
        for members in product(one.members, other.members):
            asked = _Asked(column)
            tables.pair(asked, members)
            if asked.makers:
                asked.answer(_together(coding, members))
    return tables.raw


def _together(coding: Coding, members: tuple[int, int]) -> Bundle:
    left, right = (coding.own[member] for member in members)
    shape = (coding.levels[members[0]], coding.levels[members[1]])
    return Bundle(joined_code(left, right, shape[1]), members, shape)
