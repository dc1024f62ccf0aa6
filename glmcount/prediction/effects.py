"""Averages of numbers of rows, by group, with their derivatives by the parameters; and row by row.

An average a = sum_i w_i h_i / sum_i w_i has the derivative sum_i w_i dh_i / sum_i w_i, and its
variance by the delta method is J V J' with the rows held fixed. The sampling of the rows adds, with
a_i = w_i (h_i - a) / W and b_i = J B s_i (s_i the row's score, B the inverse information), the
sums of a_i a_i' + a_i b_i' + b_i a_i', by clusters where the covariance has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.design.encode import Piece
from glmcount.design.rows import Rows
from glmcount.engine.scores import chunks, row_scores
from glmcount.engine.strip import Strip
from glmcount.errors import MemoryLimitError
from glmcount.fitting.run import Fit
from glmcount.fitting.sums import inverse_information
from glmcount.inference.covariance.grouped import Groups
from glmcount.inference.intervals import Student
from glmcount.numerics import Array
from glmcount.prediction.partition import Ask, Index, Key, Partition
from glmcount.prediction.pulls import gradients, sums
from glmcount.prediction.variables import OBSERVED, Effect, Version
from glmcount.records import dataclass, field, replace
from glmcount.sources.base import Columns

__all__ = ["Averages", "averages", "by_rows", "combined", "sampling"]


@dataclass
class Averages:
    """Sums of numbers of rows and of their derivatives, for one group or several.

    Parameters
    ----------
    groups : dict
        By the group's key: weight, sums (K,), derivatives (K, p), and of which numbers some row
        was lost, was a limit, and was none.
    exact : bool
        False where a derivative by a column is a central difference.
    left_out : int
        Rows without all columns.
    """

    groups: dict[Key, list[Any]] = field(default_factory=dict)
    exact: bool = True
    left_out: int = 0

    def __add__(self, other: Averages) -> Averages:
        for key, part in other.groups.items():
            own = self.groups.get(key)
            if own is None:
                self.groups[key] = part
            else:
                self.groups[key] = [
                    a | b if getattr(a, "dtype", None) == np.bool_ else a + b
                    for a, b in zip(own, part, strict=True)
                ]
        self.exact, self.left_out = self.exact and other.exact, self.left_out + other.left_out
        return self

    def estimates(self) -> tuple[Array, Array, NDArray[np.bool_], Index]:
        """Averages (G, K), their derivatives (G, K, p), which were lost, and which had limits.

        Of the last 1 is for some rows and 2 for all of them.
        """
        weight, total, slopes, lost, limit, none = zip(*self.groups.values(), strict=True)
        w = np.asarray(weight)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (
                np.stack(total) / w[:, None],
                np.stack(slopes) / w[:, None, None],
                np.stack(lost),
                np.stack(limit).astype(np.intp) * (2 - np.stack(none)),
            )


def averages(ask: Ask) -> Averages:
    """The sums of all numbers asked for over the rows, in one pass.

    Raises
    ------
    MemoryLimitError
        If there are so many groups that their derivatives take more than the limit.
    """

    def work(strip: Strip, piece: Piece, raw: Columns) -> Averages:
        part = Partition(ask, strip, piece, raw)
        groups, weights = part.groups(), part.weights()
        _check_memory(ask, len(groups))
        out = Averages({key: _nothing(ask) for key in groups}, True, piece.length - piece.used)
        for key, rows in groups.items():
            size = strip.n if rows is None else len(rows)
            own = weights if weights is None or rows is None else weights[rows]
            out.groups[key][0] = float(size if own is None else own.sum())
        for version, numbers in ask.parts():
            for first, run in part.runs(version):
                _add_run(ask, part, (version, numbers, first, run), weights, groups, out)
        return replace(out, exact=part.exact)

    found = ask.rows.fold_beside(ask.names, work, lambda a, b: a + b)
    _check_memory(ask, len(found.groups))
    return found


def _nothing(ask: Ask) -> list[Any]:
    k = ask.count
    none = np.zeros(k, dtype=bool)
    return [0.0, np.zeros(k), np.zeros((k, ask.fit.layout.size)), none, none.copy(), none.copy()]


def _add_run(
    ask: Ask,
    part: Partition,
    what: tuple[Version, Sequence[int], int, Strip],
    weights: Array | None,
    groups: Mapping[Key, Index | None],
    out: Averages,
) -> None:
    version, numbers, first, run = what
    last = first + run.n
    if not run.n:
        return
    own = None if weights is None else weights[first:last]
    chosen = {
        key: rows if rows is None else rows[(rows >= first) & (rows < last)] - first
        for key, rows in groups.items()
    }
    chosen = {key: rows for key, rows in chosen.items() if rows is None or len(rows)}
    places, pulls = zip(*part.pulls(version, numbers, first, run), strict=True)
    where = list(places)
    found = sums(ask.fit.layout, run, pulls, own, list(chosen.values()))
    for (key, rows), (values, slopes) in zip(chosen.items(), found, strict=True):
        total = out.groups[key]
        total[1][where] += values
        total[2][where] += slopes
        picked: Any = slice(None) if rows is None else rows
        for place, pull in zip(places, pulls, strict=True):
            total[3][place] |= pull.lost[picked].any()
            total[4][place] |= pull.limit[picked].any()
            total[5][place] |= not pull.limit[picked].all()


def _check_memory(ask: Ask, groups: int) -> None:
    size = 8 * groups * ask.count * ask.fit.layout.size
    if size > ask.limit:
        raise MemoryLimitError(
            f"The derivatives of {groups:,} groups of {ask.count:,} numbers by "
            f"{ask.fit.layout.size:,} parameters take {size / 2**30:,.1f} GiB; the limit is "
            f"{ask.limit / 2**30:,.1f} GiB. Ask for fewer variables or groups at a time, or raise "
            "control=glmcount.Control(memory_limit=...).",
            kind="memory_limit",
        )


# What is made of two numbers --------------------------------------------------------------


def combined(how: str, parts: Sequence[Array]) -> tuple[Array, tuple[Array, ...]]:
    """A number of one or two others, and its derivatives by them."""
    if how == "single":
        return parts[0], (np.ones_like(parts[0]),)
    low, high = parts
    with np.errstate(all="ignore"):
        if how == "difference":
            one = np.ones_like(low)
            return high - low, (-one, one)
        if how == "lnratio":
            return np.log(high / low), (-1.0 / low, 1.0 / high)
        ratio = high / low
        return (ratio if how == "ratio" else ratio - 1.0), (-ratio / low, 1.0 / low)


def by_rows(ask: Ask, matrix: Array, law: Student) -> tuple[list[Array], bool]:
    """For each contrast and point: values, errors, a note, degrees of freedom, over all rows.

    The note is 1 where there is no estimate and 2 where it is a limit without a standard error;
    degrees of freedom are NaN for the normal distribution.
    """
    contrasts = ask.wanted.contrasts
    rows = ask.rows.source.n_rows
    out = [np.full((4, rows), np.nan) for _ in range(len(contrasts) * len(ask.points))]

    def work(strip: Strip, piece: Piece, raw: Columns) -> bool:
        part = Partition(ask, strip, piece, raw)
        where = (np.arange(strip.n) if strip.where is None else strip.where) + strip.first
        for number, contrast in enumerate(contrasts):
            for first, found in _contrasted(ask, part, contrast, (matrix, law)):
                for a, values in enumerate(found):
                    place = where[first : first + values.shape[1]]
                    out[number * len(ask.points) + a][:, place] = values
        return part.exact

    return out, ask.rows.fold_beside(ask.names, work, lambda a, b: a and b)


def _contrasted(
    ask: Ask, part: Partition, contrast: Effect, by: tuple[Array, Student]
) -> Iterator[tuple[int, list[Array]]]:
    """What `by_rows` tells of one contrast, some rows at a time, at each point."""
    matrix, law = by
    own, layout = len(ask.wanted.versions), ask.fit.layout
    versions = [ask.wanted.versions[k] if k < own else OBSERVED for k in contrast.parts]
    runs = [list(part.runs(version)) for version in versions]
    for pieces in zip(*runs, strict=True):
        first, n = pieces[0][0], pieces[0][1].n
        pulls = [
            part.pulls(version, (k,), first, run)
            for version, k, (_, run) in zip(versions, contrast.parts, pieces, strict=True)
        ]
        found = []
        for a in range(len(ask.points)):
            chosen = [each[a][1] for each in pulls]
            value, factors = combined(
                contrast.how, [np.broadcast_to(p.value, (n,)) for p in chosen]
            )
            with np.errstate(all="ignore"):
                total = np.zeros((layout.size, n))
                for pull, factor, (_, run) in zip(chosen, factors, pieces, strict=True):
                    total += gradients(layout, run, pull) * factor
                error = np.sqrt(np.maximum(np.einsum("pn,pn->n", total, matrix @ total), 0.0))
            lost = np.logical_or.reduce([p.lost for p in chosen])
            limit = np.logical_or.reduce([p.limit for p in chosen])
            error = np.where(lost | limit, np.nan, error)
            note = np.where(lost, 1.0, np.where(limit, 2.0, 0.0))
            df = law.each(total.T)
            free = np.broadcast_to(np.asarray(np.nan if df is None else df), (n,))
            found.append(np.stack([np.where(lost, np.nan, value), error, note, free]))
        yield first, found


# The sampling of the rows -----------------------------------------------------------------


def sampling(
    ask: Ask,
    fitted: tuple[Rows, Callable[[Strip], Strip]],
    found: Averages,
    copies: bool,
    places: Sequence[int],
    clusters: Sequence[tuple[Groups, float]],
    cross: bool,
) -> Array:
    """What the sampling of the rows adds to the covariance of all averages, (GK, GK).

    Parameters
    ----------
    ask : Ask
        Of the fitted rows.
    fitted : (Rows, callable)
        These as they were fitted, whose scores those are, and what makes of a strip of them one
        of `ask`, which may leave out offsets.
    found : Averages
    copies : bool
        Whether weights are of copies, each a row of its own.
    places : sequence of int
        Of the clusters' columns among the roles of the rows.
    clusters : sequence of (Groups, float)
        With the sign of each; none where each row is its own.
    cross : bool
        Whether rows and estimates vary together; not where the model is taken for true.
    """
    average, slopes, _, _ = found.estimates()
    numbers = {key: g for g, key in enumerate(found.groups)}
    total = average.size
    fit, (whole, turn) = ask.fit, fitted
    bread = inverse_information(fit)
    assert bread is not None
    pulling = np.dot(slopes.reshape(total, -1)[:, fit.kept], bread)
    weight = [own[0] for own in found.groups.values()]

    def work(strip: Strip, piece: Piece, raw: Columns) -> list[Array]:
        part = Partition(ask, turn(strip), piece, raw)
        rows = np.zeros((total, strip.n))
        for key, chosen in part.groups().items():
            g = numbers[key]
            _fill(ask, part, average[g], (g, chosen, weight[g]), rows)
        scores = _projected(fit, strip, pulling)
        if not clusters:
            return _products(rows, scores, strip.weights if copies else None)
        roles = tuple([strip.roles[place] for place in places])
        tables = []
        for groups, _ in clusters:
            codes = groups.codes(roles)
            tables += [_by_cluster(each, codes, len(groups)) for each in (rows, scores)]
        return tables

    parts = whole.fold_beside(ask.names, work, _added)
    if clusters:
        pairs = zip(parts[::2], parts[1::2], strict=True)
        signed = list(zip(pairs, (sign for _, sign in clusters), strict=True))
        own = sum(sign * np.dot(a, a.T) for (a, _), sign in signed)
        mixed = sum(sign * np.dot(a, b.T) for (a, b), sign in signed)
    else:
        own, mixed = parts
    return np.asarray(own + mixed + mixed.T if cross else own)


def _projected(fit: Fit, strip: Strip, pulling: Array) -> Array:
    """What each row's score moves the averages by, (GK, n)."""
    out = np.empty((len(pulling), strip.n))
    first = 0
    for run in chunks(fit.layout, strip):
        own = row_scores(fit.layout, run, fit.theta, fit.family)[:, fit.kept]
        out[:, first : first + run.n] = np.dot(pulling, own.T)
        first += run.n
    return out


def _by_cluster(table: Array, codes: NDArray[Any], count: int) -> Array:
    return np.stack([np.bincount(codes, each, minlength=count) for each in table])


def _added(a: list[Array], b: list[Array]) -> list[Array]:
    return [x + y for x, y in zip(a, b, strict=True)]


def _fill(
    ask: Ask,
    part: Partition,
    average: Array,
    group: tuple[int, Index | None, float],
    out: Array,
) -> None:
    """The share of each row of a group in its averages: w (h - a) / W."""
    number, chosen, weight = group
    weights = part.weights()
    for version, numbers in ask.parts():
        for first, run in part.runs(version):
            last = first + run.n
            member = np.ones(run.n, dtype=bool)
            if chosen is not None:
                member = np.isin(np.arange(first, last), chosen)
            own = member / weight if weights is None else member * weights[first:last] / weight
            for place, pull in part.pulls(version, numbers, first, run):
                out[number * ask.count + place, first:last] = own * (pull.value - average[place])


def _products(rows: Array, scores: Array, copies: Array | None) -> list[Array]:
    if copies is not None:
        # A weight stands for so many rows, each with its share.
        rows, scores = rows / np.sqrt(copies), scores / np.sqrt(copies)
    return [np.dot(rows, rows.T), np.dot(rows, scores.T)]
