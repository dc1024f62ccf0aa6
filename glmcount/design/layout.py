"""Where each column of a design lies among the parameters, and what gives a constant."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from glmcount.design.spec import DesignSpec, EquationDesign
from glmcount.engine.block import Block, Index
from glmcount.engine.layout import Layout
from glmcount.engine.level_table import LevelTable
from glmcount.numerics import Array

__all__ = ["layout_of"]

# Entries of a table beyond which no solution is looked for that is not a row of ones.
LARGE = 250_000


def layout_of(spec: DesignSpec) -> Layout:
    """Layout of a design before anything is known of its numeric columns' sizes."""
    blocks: list[Block] = []
    slices, constants = [], []
    start = 0
    codes: dict[tuple[str, ...], int] = {}
    for number, equation in enumerate(spec.equations):
        dense, coded, end = _positions(spec, equation, number, start, codes)
        blocks += ([dense] if dense is not None else []) + coded
        slices.append(slice(start, end))
        constants.append(_constant(equation, start, coded))
        start = end
    full = [None if c is None else np.append(c, np.zeros(start - len(c))) for c in constants]
    return Layout(tuple(blocks), tuple(slices), tuple(full))


def _positions(
    spec: DesignSpec,
    equation: EquationDesign,
    number: int,
    start: int,
    codes: dict[tuple[str, ...], int],
) -> tuple[Block | None, list[Block], int]:
    dense: list[int] = []
    numeric: list[bool] = []
    coded = []
    for part in equation.parts:
        places = start + part.order
        varies = bool(part.numeric)
        if part.table is None:
            dense += places.tolist()
            numeric += [varies] * len(places)
        else:
            v = math.prod([spec.variables[code].width for code in part.numeric])
            code = codes.setdefault(part.categorical, len(codes))
            table = LevelTable.of(part.table)
            coded.append(_block(number, places, table, [varies] * v, code))
        start += len(part.names)
    block = _block(number, np.asarray(dense, dtype=np.intp), None, numeric) if dense else None
    return block, coded, start


def _block(
    number: int, places: Index, table: LevelTable | None, numeric: Sequence[bool], code: int = -1
) -> Block:
    v = len(numeric)
    return Block(
        equation=number,
        positions=places,
        table=table,
        shift=np.zeros(v),
        size=np.ones(v),
        numeric=tuple(numeric),
        code=code,
    )


def _constant(equation: EquationDesign, start: int, coded: list[Block]) -> Array | None:
    """a with X a = 1: the intercept's column, or the columns of a fully coded factor."""
    place = start
    plain = iter(coded)
    for part in equation.parts:
        end = place + len(part.names)
        vector = np.zeros(end)
        if part.table is None and not part.numeric:
            vector[place] = 1.0
            return vector
        if part.table is not None:
            block = next(plain)
            if not part.numeric:
                solution = _ones_from(part.table)
                if solution is not None:
                    vector[block.positions] = solution
                    return vector
        place = end
    return None


def _ones_from(table: Array) -> Array | None:
    """a with T a = 1, or None."""
    if np.all(table.sum(axis=1) == 1.0):
        return np.ones(table.shape[1])
    if table.size > LARGE:
        return None
    solution = np.linalg.lstsq(table, np.ones(len(table)), rcond=None)[0]
    found = np.allclose(np.dot(table, solution), 1.0, rtol=0, atol=1e-12)
    return np.asarray(solution, dtype=np.float64) if found else None
