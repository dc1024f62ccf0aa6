"""What numbers of which rows are asked for, and how a run of the data answers."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmcount.columns.column import Column
from glmcount.design.encode import Maker, Piece
from glmcount.design.measure import check_finite
from glmcount.design.rows import Rows
from glmcount.design.slopes import Motion, moves
from glmcount.design.values import coerced
from glmcount.engine.scores import chunks
from glmcount.engine.strip import Strip
from glmcount.errors import DataError, some
from glmcount.fitting.run import Fit
from glmcount.numerics import Array
from glmcount.prediction.estimable import reach_of
from glmcount.prediction.pulls import Pull, level, slope, span
from glmcount.prediction.quantities import Quantity
from glmcount.prediction.variables import OBSERVED, Version, Wanted
from glmcount.records import dataclass
from glmcount.sources.base import Columns

__all__ = ["Ask", "Index", "Key", "Partition"]

Key = tuple[Hashable, ...]
Index = NDArray[np.intp]


@dataclass(frozen=True)
class Ask:
    """What numbers of which rows.

    Parameters
    ----------
    rows : Rows
    fit : Fit
    quantity : Quantity
    points : tuple of (float or None)
        What the quantity is asked at.
    wanted : Wanted
    by : tuple of str
        Columns by which averages are grouped.
    each : bool
        Whether every row is a group of its own.
    weighed : bool
        Whether weights weigh the averages.
    beside : str or None
        Code of the weights of new rows.
    limit : int
        Bytes that derivatives may take.
    """

    rows: Rows
    fit: Fit
    quantity: Quantity
    points: tuple[float | None, ...]
    wanted: Wanted
    by: tuple[str, ...] = ()
    each: bool = False
    weighed: bool = False
    beside: str | None = None
    limit: float = 2**31

    @property
    def count(self) -> int:
        """How many numbers of a row are asked for."""
        return (len(self.wanted.versions) + len(self.wanted.slopes)) * len(self.points)

    @property
    def names(self) -> tuple[str, ...]:
        """Columns that are read beside those of the model."""
        weights = () if self.beside is None else self.rows.spec.columns((self.beside,))
        return (*self.wanted.columns, *self.by, *weights)

    def parts(self) -> tuple[tuple[Version, tuple[int, ...]], ...]:
        """Each version of the rows with the numbers, counted without points, that it takes."""
        out = {version: (k,) for k, version in enumerate(self.wanted.versions)}
        if self.wanted.slopes:
            first = len(self.wanted.versions)
            slopes = tuple(range(first, first + len(self.wanted.slopes)))
            out[OBSERVED] = (*out.get(OBSERVED, ()), *slopes)
        return tuple(out.items())


class Partition:
    """A run of the data, from which versions of its strip and derivatives are made."""

    def __init__(self, ask: Ask, strip: Strip, piece: Piece, raw: Columns) -> None:
        self.ask, self.strip = ask, strip
        self.maker = Maker(ask.rows.spec, piece, coerced(raw), False, {})
        self.exact = True
        self._strips: dict[Version, Strip] = {}
        self._moves: dict[str, tuple[Motion, Array]] = {}

    def of(self, version: Version) -> Strip:
        """The strip with a column changed; the last two are kept."""
        if version not in self._strips:
            if len(self._strips) > 1:
                self._strips.pop(next(iter(self._strips)))
            self._strips[version] = self._made(version)
        return self._strips[version]

    def _made(self, version: Version) -> Strip:
        if version.name is None:
            return self.strip
        column = version.of(self.maker.columns[version.name])
        try:
            return self.maker.changed(version.name, column).strip()
        except DataError as error:
            if error.kind != "outside_knots":
                raise
            raise DataError(
                f"{error} Here {version.told} takes it there: compare values inside instead, "
                f"r.comparisons({{{version.name!r}: (low, high)}}), or ask for slopes.",
                kind="outside_knots",
            ) from error

    def moves(self, name: str) -> tuple[Motion, Array]:
        """How the strip moves with a column, and the column itself."""
        if name not in self._moves:
            found = moves(self.maker, name)
            self.exact = self.exact and found.exact
            x = self.maker.kept(self.maker.columns[name].values)
            self._moves[name] = found, np.asarray(x, dtype=np.float64)
        return self._moves[name]

    def pulls(
        self, version: Version, numbers: Sequence[int], first: int, part: Strip
    ) -> list[tuple[int, Pull]]:
        """The numbers of some rows of a version, each with its place."""
        ask, fit = self.ask, self.ask.fit
        reach, count = reach_of(fit, part), len(ask.points)
        if not all(np.isfinite(eta).all() for eta in reach.etas):
            # Of the rows as they were fitted columns are finite; of others this says which is not.
            check_finite(ask.rows.spec, part)
        own = len(ask.wanted.versions)
        out = []
        with np.errstate(all="ignore"):
            for a, at in enumerate(ask.points):
                base = level(ask.quantity, fit.family, reach, at, part.n)
                for number in numbers:
                    if number < own:
                        pull = base.pull()
                    else:
                        name, kind = ask.wanted.slopes[number - own]
                        found, x = self.moves(name)
                        cut = span(found, first, first + part.n)
                        pull = slope(fit, base, cut, x[first : first + part.n], kind)
                    out.append((number * count + a, pull))
        return out

    def runs(self, version: Version) -> Iterator[tuple[int, Strip]]:
        """Runs of few rows of a version, each with the number of its first."""
        first = 0
        for part in chunks(self.ask.fit.layout, self.of(version)):
            yield first, part
            first += part.n

    def weights(self) -> Array | None:
        """By what the rows are weighed in averages; None for all alike."""
        ask = self.ask
        if ask.beside is None:
            return self.strip.weights if ask.weighed else None
        found = np.asarray(self.maker.values_of(ask.beside)[0], dtype=np.float64)
        bad = np.flatnonzero(~(found >= 0) | np.isinf(found))
        if len(bad):
            rows = self._rows(bad)
            raise DataError(
                f"The weights {ask.beside!r} of newdata must be finite and not negative: rows "
                f"(counted from 0) {some(rows)} hold {some(found[bad])}. Correct them, or leave "
                "that column out of newdata: its rows then count alike.",
                kind="negative_weights",
            )
        return found

    def _rows(self, used: Index) -> Index:
        where = self.strip.where
        return (used if where is None else where[used]) + self.strip.first

    def groups(self) -> dict[Key, Index | None]:
        """The rows of each group among those used."""
        if self.ask.each:
            rows = self._rows(np.arange(self.strip.n)).tolist()
            return {(row,): np.array([k]) for k, row in enumerate(rows)}
        if not self.ask.by:
            return {(): None} if self.strip.n else {}
        codes, levels = zip(*(self._coded(name) for name in self.ask.by), strict=True)
        joint, places = np.unique(np.stack(codes), axis=1, return_inverse=True)
        order = np.argsort(places, kind="stable")
        ends = np.cumsum(np.bincount(places, minlength=joint.shape[1]))
        keys = [
            tuple(own[code] for own, code in zip(levels, column, strict=True))
            for column in joint.T.tolist()
        ]
        return dict(zip(keys, np.split(order, ends[:-1]), strict=True))

    def _coded(self, name: str) -> tuple[Index, list[Any]]:
        column: Column = self.maker.columns[name]
        values = self.maker.kept(column.values if column.whole is None else column.whole)
        missing = column.missing_mask()
        rows = np.flatnonzero(self.maker.kept(missing)) if missing is not None else np.zeros(0)
        if len(rows):
            raise DataError(
                f"by={name!r} is missing in rows (counted from 0) "
                f"{some(self._rows(rows.astype(np.intp)))}, which are therefore in no group. Give "
                "them a value, or leave them out by newdata=.",
                kind="missing_group",
            )
        seen, codes = np.unique(values, return_inverse=True)
        if column.levels is not None:
            return codes, [column.levels[code] for code in seen]
        # numpy makes whole numbers of times.
        return codes, list(pd.Index(seen)) if column.kind == "datetime" else seen.tolist()
