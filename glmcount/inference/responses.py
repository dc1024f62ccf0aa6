"""Responses that a fitted model draws, for refits to them.

A row with a whole frequency weight w stands for w counts: so many are drawn, and equal counts of a
row are taken together again. A censored count is drawn as the count that it would be, and cut at
the limit of its row.
"""

from __future__ import annotations

import operator

import numpy as np
from numpy.typing import NDArray

from glmcount.design.rows import Rows
from glmcount.engine.strip import Strip
from glmcount.errors import MemoryLimitError, NotDefinedError, some
from glmcount.families.base import Family
from glmcount.fitted import Fitted
from glmcount.fitting.run import Fit
from glmcount.fitting.sums import rows_of
from glmcount.numerics import Array
from glmcount.numerics.control import Control
from glmcount.records import dataclass, replace

__all__ = ["Counted", "Responses", "check_finite", "responses"]

# Arrays of the length of all copies that a draw takes.
ARRAYS = 8


@dataclass(frozen=True)
class Counted:
    """Drawn counts of rows, equal ones of a row as one.

    Parameters
    ----------
    places : ndarray of int, shape (c,)
        Rows of the counts among the used ones.
    values, weights : ndarray, shape (c,)
        The counts, and how often each was drawn.
    """

    places: NDArray[np.intp]
    values: Array
    weights: Array

    def of(self, whole: Strip) -> Strip:
        """Used rows, all of them in one strip, with these counts in the place of their own."""
        own = whole.taken(self.places)
        y = np.concatenate([self.values[None], own.y[1:]])
        return replace(own, y=y, weights=self.weights)


@dataclass(frozen=True)
class Responses:
    """What draws responses of a fit.

    Parameters
    ----------
    fit : Fit
    rows : Rows
        As the fit's own family sees them.
    copies : ndarray of int, shape (c,), or None
        Under frequency weights the row, among the used ones, of each count that is drawn.
    limit : ndarray, shape (c,), or None
        Where each count that is drawn is cut.
    """

    fit: Fit
    rows: Rows
    copies: NDArray[np.intp] | None
    limit: Array | None

    def drawn(self, rng: np.random.Generator) -> Array:
        """A count for each used row, or for each copy of one.

        Raises
        ------
        NotDefinedError
            Where a mean is beyond the range of numbers.
        """
        fit = self.fit

        def look(strip: Strip) -> list[list[Array]]:
            etas = rows_of(fit.layout, strip, fit.theta).etas
            return [[np.broadcast_to(eta, (strip.n,)) for eta in etas]]

        with np.errstate(all="ignore"):
            # Drawn one strip after the other, so that threads change nothing.
            strips = self.rows.fold(look, operator.add)
            if self.copies is not None:
                joined = [np.concatenate(parts)[self.copies] for parts in zip(*strips, strict=True)]
                strips = [joined]
            drawn = np.concatenate([fit.family.sample(rng, etas) for etas in strips])
        check_finite(drawn, fit.family, self.copies)
        return drawn if self.limit is None else np.minimum(drawn, self.limit)

    def counted(self, rng: np.random.Generator) -> Counted:
        """A count for each copy of a row, equal ones of a row as one."""
        assert self.copies is not None
        rows, drawn = self.copies, self.drawn(rng)
        order = np.lexsort((drawn, rows))
        places, values = rows[order], drawn[order]
        new = np.append(True, (np.diff(places) != 0) | (np.diff(values) != 0))
        starts = np.flatnonzero(new)
        weights = np.diff(np.append(starts, len(places))).astype(np.float64)
        return Counted(places[starts], values[starts], weights)


def responses(found: Fitted, rows: Rows) -> Responses:
    """What draws responses of a fit to rows, which its own family sees.

    One count is drawn for each row, under frequency weights one for each copy of it.

    Raises
    ------
    NotDefinedError
        Without a law, where frequency weights are no numbers of copies, and where limits of
        censoring are known only of the counts that reached them.
    MemoryLimitError
        If there are too many copies.
    """
    family = found.fit.family
    if not family.likelihood:
        raise NotDefinedError(
            f"{family.label} has a mean and a variance but no distribution to draw from. Fit "
            "family='poisson' or 'negbin'; a covariance by draws that need no distribution is "
            "cov=glmcount.bootstrap(kind='pairs').",
            kind="no_likelihood",
        )
    copies = None
    if found.spec.weights is not None and not found.importance:
        copies = _copies(rows, found.options.control)
    limit = _limits(rows) if family.columns else None
    if limit is not None and copies is not None:
        limit = limit[copies]
    return Responses(found.fit, rows, copies, limit)


def _limits(rows: Rows) -> Array:
    """The limit of each used row."""
    y = np.concatenate(rows.fold(lambda strip: [strip.y], operator.add), axis=1)
    known = np.isfinite(y[1])
    if not known.all() and (y[0][known] >= y[1][known]).all():
        raise NotDefinedError(
            "A bootstrap draws counts and cuts them at the limit of their row, and here only rows "
            "that reached a limit have one: censored= is infinite in all others. Give each row "
            "the limit at which its count would have been cut. Without these limits compare "
            "models by aic, and take cov=glmcount.bootstrap(kind='pairs').",
            kind="censored_bootstrap",
        )
    return np.ceil(y[1])


def _copies(rows: Rows, control: Control) -> NDArray[np.intp]:
    """The row of each count that frequency weights stand for."""
    weights = np.concatenate(rows.fold(lambda strip: [strip.weights], operator.add))
    if np.any(weights != np.rint(weights)):
        raise NotDefinedError(
            "A bootstrap draws the counts that rows stand for, and these frequency weights are no "
            "whole numbers, so that no number of counts is known to draw. Fit without weights, "
            "or with whole numbers of copies.",
            kind="weighted_bootstrap",
        )
    size, limit = 8 * ARRAYS * float(weights.sum()), control.memory_limit
    if size > limit:
        raise MemoryLimitError(
            f"The weights add up to {weights.sum():,.0f} counts, and to draw each takes some "
            f"{size / 2**30:,.1f} GiB; the limit is {limit / 2**30:,.1f} GiB. Raise "
            "control=glmcount.Control(memory_limit=...).",
            kind="memory_limit",
        )
    return np.repeat(np.arange(len(weights)), weights.astype(np.intp))


def check_finite(drawn: Array, family: Family, copies: NDArray[np.intp] | None = None) -> None:
    """Refuse draws of rows whose mean is beyond the range of numbers.

    Parameters
    ----------
    drawn : ndarray, shape (c,)
        A count for each used row; with `copies` for each of these, which are numbers of rows.
    family : Family
    copies : ndarray of int, shape (c,), optional

    Raises
    ------
    NotDefinedError
    """
    lost = np.flatnonzero(~np.isfinite(drawn))
    lost = lost if copies is None else np.unique(copies[lost])
    if len(lost):
        raise NotDefinedError(
            f"Nothing can be drawn for the used rows {some(lost)} (counted from 0): their mean "
            f"lies where {family.inside} counts cannot be had as numbers. Look at "
            "r.fittedvalues.",
            kind="simulate_range",
        )
