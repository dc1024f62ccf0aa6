"""Clustered covariances: one way and several, with small-sample corrections.

With score sums s_g of the clusters and bread B the sandwich is B (sum_g s_g s_g') B (Liang & Zeger
1986, Biometrika 73), CR1 times G / (G - 1), CR1S times G (N - 1) / ((G - 1)(N - k)). Several ways
add and subtract the sandwiches of all their combinations (Cameron, Gelbach & Miller 2011, JBES 29,
eq. 2.13). CR2 and CR3 are in `leveraged`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import combinations, count
from typing import Any

import numpy as np

from glmcount.allowed import choice, refuse, shown, truth
from glmcount.design.spec import DesignSpec, Role
from glmcount.engine.gram import squared
from glmcount.errors import (
    CovarianceError,
    CovarianceWarning,
    GlmcountWarning,
    UsageError,
    outside,
    some,
)
from glmcount.families.base import Family
from glmcount.fitted import Fitted
from glmcount.front import public
from glmcount.inference.covariance.estimator import MAKERS, Covariance, Estimator, shown_name
from glmcount.inference.covariance.freedom import Forms, satterthwaite
from glmcount.inference.covariance.grouped import Groups, groups_of, refuse_one, score_sums
from glmcount.inference.covariance.leveraged import leveraged, plain_forms
from glmcount.inference.covariance.robust import between, filled
from glmcount.inference.intervals import OwnFreedom
from glmcount.inference.setting import Needs, Setting
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["FEW", "Clustered", "cluster"]

KINDS = ("CR0", "CR1", "CR1S", "CR2", "CR3")
LEVERAGED = ("CR2", "CR3")
FREEDOMS = ("z", "t", "satterthwaite")
PACKAGES = ("stata", "sandwich", "fixest")
# Clusters below which tests by the normal distribution reject far too often.
FEW = 50
# Columns of clusters at most: their combinations double with each.
WAYS = 6
# Of the largest eigenvalue: what below it is rounding.
ROUNDING = 1e-12
# Of arrays, so that none is taken for another.
_NUMBERS = count(1)


@dataclass(frozen=True, kw_only=True)
class Clustered:
    """What `cluster` was asked for."""

    columns: tuple[str, ...]
    kind: str
    df: str
    like: str | None
    psd: bool

    def __call__(self, setting: Setting, bread: Array) -> Covariance:
        """The covariance, and what is said of it."""
        if len(self.columns) > 1:
            return self._several(setting, bread)
        groups = groups_of(setting, (0,))
        label, forms = self.kind, None
        if self.kind in LEVERAGED:
            matrix, label, forms = leveraged(
                self.kind, setting, bread, groups, self.df == "satterthwaite"
            )
        else:
            matrix = between(bread, _meat(setting, groups))
            if self.df == "satterthwaite":
                forms = plain_forms(setting, bread, groups)
        matrix = filled(setting, matrix, bread)
        factor, told = self._factor(setting, [len(groups)])
        note = (
            f"Clustered by {shown_name(self.columns[0])}: {len(groups):,} clusters, {label}"
            f"{_times(factor, told)}, {self._law([len(groups)])}."
        )
        freedom = self._freedom(setting, [len(groups)], forms)
        # Scores add up to zero at the maximum; those that are corrected for leverage do not.
        rank = len(groups) - (self.kind not in LEVERAGED)
        return Covariance(matrix * factor, note, freedom, rank=rank)

    def _several(self, setting: Setting, bread: Array) -> Covariance:
        """Over all combinations of columns, those of an even number subtracted."""
        filling, told = np.zeros_like(bread), []
        whole = 1.0
        counts = []
        for size in range(1, len(self.columns) + 1):
            for places in combinations(range(len(self.columns)), size):
                groups = groups_of(setting, places)
                factor, _ = self._factor(setting, [len(groups)])
                own = 1.0 if self.like == "fixest" else factor
                filling += _meat(setting, groups) * own * (-1.0) ** (size + 1)
                names = " x ".join(shown_name(self.columns[place]) for place in places)
                told.append(f"{names} {len(groups):,}")
                if size == 1:
                    counts.append(len(groups))
        if self.like == "fixest":
            whole, _ = self._factor(setting, counts)
        matrix, said, rank = self._definite(setting, bread, filling * whole)
        # Sums by each column are sums of the last ones, by all columns, which add up to zero.
        rank = min(rank, len(groups) - 1)
        note = (
            f"Clustered by {self._names} ({some(told, 20)} clusters), {self.kind} "
            f"each{_times(whole, '')}, {self._law(counts)}.{said}"
        )
        return Covariance(matrix, note, self._freedom(setting, counts, None), rank=rank)

    def _definite(self, setting: Setting, bread: Array, filling: Array) -> tuple[Array, str, int]:
        """The sandwich, where need be mended; what is said of that; and dimensions that are left.

        With bread R R' its eigenvalues are those of R' filling R: variances as multiples of those
        of the bread, which neither units, nor centres, nor the coding of a factor change.
        """
        scale = np.sqrt(bread.diagonal())
        # That of an infinite coefficient is 0, and stays it.
        scale[scale == 0] = 1.0
        sizes, axes = np.linalg.eigh(bread / np.outer(scale, scale))
        root = scale[:, None] * axes * np.sqrt(np.maximum(sizes, 0.0))
        values, vectors = np.linalg.eigh(np.dot(np.dot(root.T, filling), root))
        matrix = between(bread, filling)
        if values[0] >= -ROUNDING * values[-1]:
            return matrix, "", len(values)
        if self.psd:
            sides = np.dot(root, vectors) * np.sqrt(np.maximum(values, 0.0))
            rank = int(np.sum(values > ROUNDING * values[-1]))
            return np.dot(sides, sides.T), " Negative eigenvalues were set to zero.", rank
        message = (
            f"The covariance clustered by {self._names} is not positive semidefinite: some "
            f"combination of coefficients has a negative variance, {values[0]:.2g} times that "
            "of the inverse information"
        )
        fit = setting.fit
        if np.any(fit.layout.unshifted(matrix, fit.kept).diagonal() < 0):
            raise CovarianceError(
                f"{message}, a coefficient by itself among them. Group by one of the columns, or "
                "set negative eigenvalues to zero with psd=True.",
                kind="not_semidefinite",
            )
        text = f"{message}. psd=True sets negative eigenvalues to zero."
        warnings.warn(CovarianceWarning(text, kind="not_semidefinite"), stacklevel=outside())
        return matrix, " Not positive semidefinite: psd=True mends that.", len(values)

    @property
    def _names(self) -> str:
        return " and ".join(map(shown_name, self.columns))

    def _factor(self, setting: Setting, counts: Sequence[int]) -> tuple[float, str]:
        """The small-sample factor, and how it is made."""
        fewest = min(counts)
        by_groups = fewest / (fewest - 1)
        if self.kind in ("CR0", *LEVERAGED):
            return 1.0, ""
        if self.kind == "CR1":
            return by_groups, f"{fewest:,}/{fewest - 1:,}"
        nobs, k = setting.nobs, setting.found.k_mean
        if nobs <= k:
            raise CovarianceError(
                f"CR1S divides by nobs - k, which is {nobs:g} - {k}; use kind='CR1'.",
                kind="saturated",
            )
        told = f"{fewest:,}/{fewest - 1:,} x {nobs - 1:,.6g}/{nobs - k:,.6g}"
        return by_groups * (nobs - 1) / (nobs - k), told

    def _law(self, counts: Sequence[int]) -> str:
        if self.df == "t":
            return f"Student's t with {min(counts) - 1:,} degrees of freedom"
        if self.df == "satterthwaite":
            return "Student's t with Satterthwaite's degrees of freedom"
        return "normal distribution"

    def _freedom(
        self, setting: Setting, counts: Sequence[int], forms: Forms | None
    ) -> float | OwnFreedom | None:
        if self.df == "t":
            return float(min(counts) - 1)
        return None if forms is None else satterthwaite(setting, forms)


def _times(factor: float, told: str) -> str:
    return "" if factor == 1.0 else f" times {told + ' = ' if told else ''}{factor:.6g}"


def _meat(setting: Setting, groups: Groups) -> Array:
    """sum_g s_g s_g' over the kept columns."""
    k = len(setting.fit.kept)
    total = np.zeros((k, k))
    for _, sums in score_sums(setting, groups):
        total += squared(sums.T)
    return total


@dataclass(frozen=True)
class OneCluster:
    """That one cluster is none, as the design tells."""

    columns: tuple[str, ...]

    def __call__(self, family: Family, spec: DesignSpec) -> None:
        """Refuse it."""
        refuse_one(self.columns, spec)


@dataclass(frozen=True)
class FewClusters:
    """What is doubtful about few clusters."""

    columns: tuple[str, ...]
    leveraged: bool = False
    by_t: bool = False

    def __call__(self, found: Fitted) -> list[GlmcountWarning]:
        """A warning where the smallest number of clusters is small."""
        roles = {r.name: r for r in found.rows.spec.roles if r.what == "group"}
        sizes = {name: _count(roles[name]) for name in self.columns}
        name = min(sizes, key=lambda each: sizes[each])
        fewest, k = sizes[name], len(found.fit.kept)
        # One cluster is refused.
        if fewest < 2 or (fewest >= FEW and fewest >= k):
            return []
        fewer = f", fewer than the {k} coefficients" if fewest < k else ""
        what = "" if self.leveraged else "a clustered covariance is too small, and "
        nearer = "df='satterthwaite'" if self.leveraged else "kind='CR2', df='satterthwaite'"
        if len(self.columns) > 1:
            alone = f"glmcount.cluster({name!r}, 'CR2', df='satterthwaite'), of that column alone,"
            nearer = alone if self.by_t else "df='t'"
        return [
            CovarianceWarning(
                f"{shown_name(name)} has {fewest} clusters{fewer}: with fewer than {FEW} {what}"
                f"tests reject too often. {nearer} comes nearer to their level, as does "
                "r.score_bootstrap('x = 0') of the coefficient x.",
                kind="few_clusters",
            )
        ]


def _count(role: Role) -> int:
    return 0 if role.levels is None else len(role.levels)


@public
def cluster(
    groups: Any,
    kind: str | None = None,
    df: str = "z",
    *,
    like: str | None = None,
    psd: bool = False,
) -> Estimator:
    """A covariance clustered by columns of the data.

    V = c B (sum_g s_g s_g') B, s_g the score of cluster g and B the inverse information; over
    several columns V_a + V_b - V_ab, and so on.

    Parameters
    ----------
    groups : str, array, or list of these
        Columns of the data, or arrays with one value for each of its rows. ``fit(cov=...)``
        leaves out rows that miss one, and counts them; `with_cov` refuses them, since the rows
        of a fit stay.
    kind : {"CR1", "CR0", "CR1S", "CR2", "CR3"}
        CR0 takes c = 1, CR1 (the default) G / (G - 1), CR1S G (N - 1) / ((G - 1)(N - k)) with
        the k coefficients of the mean. CR2 corrects the residuals for the leverage of their
        cluster (Bell & McCaffrey 2002), or, where a cluster has more than 1,000 rows and in models
        of several parts, the scores (the summary says CR2 (p x p)); CR3 is the jackknife over
        clusters, linearised (MacKinnon, Nielsen & Webb 2023). CR2 and CR3 take one column.
    df : {"z", "t", "satterthwaite"}
        Tests and intervals by the normal distribution, by Student's t with G - 1 degrees of
        freedom (of the column with fewest clusters), or with those that fit the variance's own
        distribution (Pustejovsky & Tipton 2018), one column only: effects, rates, contrasts and
        predictions have each their own, by their derivatives, and `wald_test` is their HTZ.
    like : {"stata", "sandwich", "fixest"}, optional
        The kind and factor of that package instead: CR1 for Stata (one column) and for R's
        sandwich, CR1S for fixest, which multiplies the whole sum by the factor of the column
        with fewest clusters.
    psd : bool
        Whether negative eigenvalues, which several columns may give, are set to zero: those in
        units of the inverse information, so that neither the units of a column nor the coding of
        a factor matter. (R's sandwich takes those of the matrix itself, on which they do.)

    Returns
    -------
    Estimator
        For ``cov=`` and ``r.with_cov()``; ``{"cluster": groups}`` there means the same.

    Raises
    ------
    UsageError
        For combinations that are not defined.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6, 4, 5], "x": [0, 1, 0, 1, 0, 1], "g": list("aabbcc")}
    >>> r = gc.fit("y ~ x", data)
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # three clusters are few
    ...     round(float(r.with_cov(gc.cluster("g")).bse["x"]), 4)
    0.3273
    """
    columns, arrays = named("groups", groups)
    choice("like", like, (None, *PACKAGES), "cluster_like")
    choice("kind", kind, (None, *KINDS), "cluster_kind")
    choice("df", df, FREEDOMS, "cluster_df")
    truth("psd", psd)
    usual = "CR1S" if like == "fixest" else "CR1"
    if like is not None and kind not in (None, usual):
        raise UsageError(
            f"like={like!r} is kind={usual!r}; leave out kind={kind!r} or like=.",
            kind="cluster_like",
        )
    if like == "stata" and len(columns) > 1:
        raise UsageError(
            "Stata's count models cluster by one variable; like='stata' takes one column. Use "
            "like='sandwich' or like='fixest' for several.",
            kind="cluster_like",
        )
    chosen = usual if kind is None else kind
    if len(columns) > 1 and (chosen in LEVERAGED or df == "satterthwaite"):
        what = f"kind={chosen!r}" if chosen in LEVERAGED else "df='satterthwaite'"
        raise UsageError(
            f"{what} is defined for one column of clusters, and {len(columns)} are given. Use "
            "kind='CR1' with df='t', or one column.",
            kind="several_clusters",
        )
    made = Clustered(columns=columns, kind=chosen, df=df, like=like, psd=psd)
    needs = Needs(scores=True, groups=columns, given=arrays)
    # What is made for few clusters is not warned of.
    meant = chosen in LEVERAGED and df == "satterthwaite"
    doubts = None if meant else FewClusters(columns, chosen in LEVERAGED, df == "t")
    return Estimator(
        "cluster", f"cluster ({chosen})", made, needs, doubts, refuses=OneCluster(columns)
    )


def named(what: str, given: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Names of columns, and by name those that were given as arrays.

    Raises
    ------
    UsageError
        For anything else.
    """
    several = isinstance(given, list | tuple) and all(map(_is_column, given))
    names, arrays = [], {}
    for each in given if several else [given]:
        if isinstance(each, str):
            names.append(each)
            continue
        if not _is_column(each):
            more = ", or a list of these" if what == "groups" else ""
            allowed = f"the name of a column, or an array with one value a row{more}"
            refuse(what, given, allowed, "cluster_groups")
        names.append(f"<{what}_{next(_NUMBERS)}>")
        arrays[names[-1]] = each
    if len(names) > WAYS:
        raise UsageError(
            f"{what}= names {len(names)} columns, and at most {WAYS} are taken, since all of their "
            "combinations are added up. Group by those within which rows depend on each other "
            "most. Values, one a row, go as an array.",
            kind="cluster_groups",
        )
    if not names or len(set(names)) < len(names):
        raise UsageError(
            f"{what}={shown(given)} names a column twice, or none; name each once. Values, one a "
            "row, go as an array.",
            kind="cluster_groups",
        )
    return tuple(names), arrays


def _is_column(given: Any) -> bool:
    # Columns of pyarrow have a length, and no shape.
    arrow = type(given).__module__.partition(".")[0] == "pyarrow" and hasattr(given, "to_numpy")
    return isinstance(given, str) or arrow or len(getattr(given, "shape", ())) == 1


MAKERS["cluster"] = cluster
