"""CR2 and CR3: clusters whose own leverage is corrected for.

With H_g what cluster g adds to the information H, and B = H^-1: CR3 sums d_g d_g' with
d_g = (H - H_g)^-1 s_g, the estimate without the cluster to first order (MacKinnon, Nielsen & Webb
2023, J. Applied Econometrics 38). CR2 of a model of one equation whose score is (y - mu) mu' / V
is that of Bell & McCaffrey as generalised by Pustejovsky & Tipton 2018 (JBES 36, eq. 10), residuals
adjusted by A_g = V^1/2 [V^1/2 (V - W_g B W_g') V^1/2]^-1/2 V^1/2; of other models, and of clusters
of more than a thousand rows, d_g = B (I - H_g B)^-1/2 s_g takes its place.
"""

from __future__ import annotations

import operator
from functools import partial

import numpy as np
import scipy

from glmcount.engine.spread import columns_of
from glmcount.engine.strip import Strip
from glmcount.errors import CovarianceError, MemoryLimitError, some
from glmcount.fitting.estimates import parameters
from glmcount.fitting.sums import mean_inverse, rows_of
from glmcount.inference.covariance.freedom import Forms
from glmcount.inference.covariance.grouped import (
    Codes,
    Groups,
    Roles,
    all_sums,
    informations,
    spans,
)
from glmcount.inference.setting import Setting
from glmcount.numerics import Array

__all__ = ["leveraged", "plain_forms"]

Part = tuple[Codes, Array]
# Rows of a cluster up to which the root is taken of a matrix of its rows.
ROWS = 1_000
# Shares of the information, below which there is rounding only.
NOTHING = 1e-9
# Norm of a cluster's share up to which all its eigenvalues are surely below one.
SAFE = 0.9


def leveraged(
    kind: str, setting: Setting, bread: Array, groups: Groups, forms: bool
) -> tuple[Array, str, Forms | None]:
    """Covariance, what it is called, and what its degrees of freedom are made of."""
    if kind == "CR2" and _linear(setting):
        sizes = _sizes(setting, groups)
        if sizes.max() <= ROWS:
            return _by_rows(setting, bread, groups, sizes, forms)
    k, total = len(bread), np.zeros_like(bread)
    kept = _room(setting, groups, forms)
    sums = all_sums(setting, groups)
    for first, last in spans(len(groups), k * k, setting):
        shares = informations(setting, groups, first, last)
        maps = _maps(kind, setting, bread, groups, first, shares)
        moves = np.matmul(maps, sums[first:last, :, None])[:, :, 0]
        total += np.dot(moves.T, moves)
        if kept is not None:
            kept.shared[first:last] = np.matmul(maps, shares)
            kept.own[first:last] = np.matmul(kept.shared[first:last], np.swapaxes(maps, 1, 2))
    if kept is not None:
        kept = Forms(kept.own, kept.shared, bread)
    return total, kind if kind == "CR3" else "CR2 (p x p)", kept


def plain_forms(setting: Setting, bread: Array, groups: Groups) -> Forms:
    """What the degrees of freedom of CR0 and CR1 are made of: T_g = B."""
    kept = _room(setting, groups, True)
    assert kept is not None
    for first, last in spans(len(groups), len(bread) ** 2, setting):
        shares = informations(setting, groups, first, last)
        _, _, inner = _relative(bread, shares)
        large = np.flatnonzero(np.linalg.norm(inner, axis=(1, 2)) >= SAFE)
        most = np.linalg.eigvalsh(inner[large])[:, -1]
        _refuse_more("Satterthwaite", setting, groups, first + large[most > 1.0 + NOTHING])
        kept.shared[first:last] = np.matmul(bread, shares)
        kept.own[first:last] = np.matmul(kept.shared[first:last], bread.T)
    return Forms(kept.own, kept.shared, bread)


def _room(setting: Setting, groups: Groups, forms: bool) -> Forms | None:
    """Room for the forms of all groups.

    Raises
    ------
    MemoryLimitError
        If that is more than may be used.
    """
    if not forms:
        return None
    count, k = len(groups), len(setting.fit.kept)
    if 16 * count * k * k > setting.control.memory:
        raise MemoryLimitError(
            f"Satterthwaite's degrees of freedom take {16 * count * k * k / 2**20:,.0f} MB for "
            f"{count:,} clusters and {k} coefficients, and Control(memory=) allows "
            f"{setting.control.memory / 2**20:,.0f}. With so many clusters df='z' says the same."
        )
    return Forms(np.empty((count, k, k)), np.empty((count, k, k)), np.zeros((k, k)))


def _sizes(setting: Setting, groups: Groups) -> Codes:
    """Rows of each group."""

    def work(strip: Strip, roles: Roles) -> Codes:
        return np.bincount(groups.codes(roles), minlength=len(groups))

    return setting.runs(work, operator.add)


def _linear(setting: Setting) -> bool:
    """Whether a row's score is (y - mu) mu' / V of one predictor."""
    family = setting.fit.family
    return family.q == 1 and family.collapse != "value" and family.mean_equation


def _maps(
    kind: str, setting: Setting, bread: Array, groups: Groups, first: int, shares: Array
) -> Array:
    """T_g of some clusters: (H - H_g)^-1, or B (I - H_g B)^-1/2, (groups, k, k)."""
    own, root, inner = _relative(bread, shares)
    out = np.zeros((len(shares), len(bread), len(bread)))
    safe = np.linalg.norm(inner, axis=(1, 2)) < SAFE
    if kind == "CR3":
        plain = np.linalg.inv(np.eye(len(own)) - inner[safe])
        out[np.ix_(safe, own, own)] = np.matmul(root, np.matmul(plain, root.T))
        rest = np.flatnonzero(~safe)
    else:
        rest = np.arange(len(shares))
    if len(rest):
        values, vectors = np.linalg.eigh(inner[rest])
        left = 1.0 - values
        _refuse_beyond(kind, setting, groups, first + rest, left, root, vectors, own)
        power = -1.0 if kind == "CR3" else -0.5
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.where(left > NOTHING, np.abs(left) ** power, 0.0)
        half = np.matmul(vectors * scale[:, None, :], np.swapaxes(vectors, 1, 2))
        out[np.ix_(rest, own, own)] = np.matmul(root, np.matmul(half, root.T))
    return out


def _relative(bread: Array, shares: Array) -> tuple[Codes, Array, Array]:
    """Parameters that have a variance, R with R R' = B of these, and R' H_g R."""
    own = np.flatnonzero(bread.diagonal() > 0)
    root = np.asarray(np.linalg.cholesky(bread[np.ix_(own, own)]), dtype=np.float64)
    return own, root, np.matmul(root.T, np.matmul(shares[:, own[:, None], own], root))


def _refuse_beyond(
    kind: str,
    setting: Setting,
    groups: Groups,
    numbers: Codes,
    left: Array,
    root: Array,
    vectors: Array,
    own: Codes,
) -> None:
    """Refuse clusters that hold all of the information in some direction, or more than that.

    Raises
    ------
    CovarianceError
    """
    smallest = left[:, 0] if left.size and left[0, 0] <= left[0, -1] else left[:, -1]
    _refuse_more(kind, setting, groups, numbers[np.flatnonzero(smallest < -NOTHING)])
    alone = np.flatnonzero(smallest <= NOTHING)
    if kind != "CR3" or not len(alone):
        return
    fit = setting.fit
    names = parameters(fit.family, setting.found.spec).names
    # The direction of which the cluster has all the information, in the user's columns.
    way = np.zeros(fit.layout.size)
    way[fit.kept[own]] = np.dot(root, vectors[alone[0]][:, np.argmin(left[alone[0]])])
    share = np.abs(fit.layout.unshift(way)) * fit.layout.sizes
    held = [names[j] for j in np.flatnonzero(share > 1e-6 * share.max())]
    raise CovarianceError(
        f"CR3 leaves out one cluster at a time, and without "
        f"{some(_levels(setting, groups, numbers[alone]))} the coefficients {some(held)} are not "
        "identified: these clusters alone tell of them. Use kind='CR2', which projects such "
        "directions out, or kind='CR1'.",
        kind="cluster_alone",
    )


def _refuse_more(asked: str, setting: Setting, groups: Groups, numbers: Codes) -> None:
    """Refuse clusters that have more than all of the information in some direction.

    Raises
    ------
    CovarianceError
    """
    if not len(numbers):
        return
    why = f"{asked} divides by the information that the other clusters have"
    instead = "kind='CR1'"
    if asked == "Satterthwaite":
        why = "Satterthwaite's degrees of freedom are made of what each cluster adds to information"
        instead = "df='t'"
    raise CovarianceError(
        f"{why}, and of the clusters {some(_levels(setting, groups, numbers))} the observed "
        "information is larger than that of all together in some direction. Fit with "
        f"information='expected' where the family has it, or use {instead}.",
        kind="cluster_information",
    )


def _levels(setting: Setting, groups: Groups, numbers: Codes) -> list[object]:
    name = setting.needs.groups[groups.places[0]]
    (role,) = [r for r in setting.rows.spec.roles if r.name == name and r.what == "group"]
    assert role.levels is not None
    return [role.levels[int(number)] for number in numbers]


def _by_rows(
    setting: Setting, bread: Array, groups: Groups, sizes: Codes, forms: bool
) -> tuple[Array, str, Forms | None]:
    """CR2 by roots of matrices of the rows of each cluster."""
    inverse = mean_inverse(setting.rows, setting.fit)[np.ix_(setting.fit.kept, setting.fit.kept)]
    total, kept = np.zeros_like(bread), _room(setting, groups, forms)
    k = len(bread)
    ends = np.cumsum(sizes)
    first = 0
    while first < len(groups):
        # As many clusters at a time as have a million numbers together.
        room = (ends[first - 1] if first else 0) + max(2**20 // k, sizes[first])
        last = int(np.searchsorted(ends, room, side="right"))
        work = partial(_working, setting, groups, first, last)
        codes, working = setting.runs(work, _beside)
        order = np.argsort(codes, kind="stable")
        parts = np.split(working[:, order], np.cumsum(sizes[first:last])[:-1], axis=1)
        for number, part in enumerate(parts, start=first):
            map_rows = _adjusted(part, inverse)
            move = np.dot(bread, np.dot(map_rows, part[1]))
            total += np.outer(move, move)
            if kept is not None:
                mine = np.dot(bread, map_rows)
                kept.own[number] = np.dot(mine * part[0], mine.T)
                kept.shared[number] = np.dot(mine, part[2:].T)
        first = last
    if kept is not None:
        kept = Forms(kept.own, kept.shared, inverse)
    return total, "CR2", kept


def _beside(total: Part, part: Part) -> Part:
    return np.concatenate([total[0], part[0]]), np.concatenate([total[1], part[1]], axis=1)


def _working(
    setting: Setting, groups: Groups, first: int, last: int, strip: Strip, roles: Roles
) -> Part:
    """Of the rows of some clusters: variance, residual and columns times mu', (2 + k, rows)."""
    codes = groups.codes(roles)
    chosen = np.flatnonzero((codes >= first) & (codes < last))
    fit = setting.fit
    rows = rows_of(fit.layout, strip, fit.theta)
    mean, variance = fit.family.moments(rows.etas)
    slope = mean.d1[0]
    assert slope is not None
    columns = np.concatenate(columns_of(fit.layout, strip))[fit.kept]
    out = np.empty((2 + len(fit.kept), len(chosen)))
    out[0] = np.broadcast_to(variance.value, (strip.n,))[chosen]
    out[1] = (rows.y[0] - mean.value)[chosen]
    out[2:] = columns[:, chosen] * np.broadcast_to(slope, (strip.n,))[chosen]
    if rows.weights is not None:
        own = rows.weights[chosen]
        if setting.importance:
            out[0] /= own
        else:
            # Copies of a row lie in one direction of their common space.
            out[1:] *= np.sqrt(own)
    return codes[chosen], out


def _adjusted(part: Array, inverse: Array) -> Array:
    """W'V^-1 A_g, which takes a cluster's residuals to its score, (k, rows)."""
    variance, columns = part[0], part[2:]
    half = np.sqrt(variance)
    inside = -np.dot(columns.T, np.dot(inverse, columns)) * np.outer(half, half)
    inside[np.diag_indices(len(half))] += variance * variance
    values, vectors = scipy.linalg.eigh(inside, check_finite=False)
    kept = values > NOTHING * max(values[-1], 0.0)
    power = np.zeros_like(values)
    power[kept] = values[kept] ** -0.5
    root = np.dot(vectors * power, vectors.T)
    return np.dot(columns / half, root) * half
