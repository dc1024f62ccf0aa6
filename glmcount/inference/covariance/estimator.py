"""Covariances of the estimates: each estimator a value that says what it needs."""

from __future__ import annotations

import math
import numbers
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from glmcount.allowed import refuse, refuse_nameless, shown, takes
from glmcount.design.spec import DesignSpec
from glmcount.errors import CovarianceError, GlmcountWarning, UsageError, outside, some
from glmcount.families.base import Family
from glmcount.fitted import Fitted
from glmcount.fitting.sums import inverse_information
from glmcount.inference.intervals import OwnFreedom
from glmcount.inference.setting import NOTHING_MORE, Needs, Setting
from glmcount.numerics import Array
from glmcount.printed import Lines, Printed
from glmcount.records import dataclass, replace
from glmcount.spellings.lookup import instead, or_listed
from glmcount.spellings.models import COVARIANCES

__all__ = [
    "ESTIMATORS",
    "Covariance",
    "Estimator",
    "asked_elsewhere",
    "covariance",
    "estimator",
    "register_estimator",
    "shown_name",
    "warn_of",
    "with_arrays",
]

# Names that stand for a call, since they take more than a name; and what a dict may hold.
CALLS = {
    "hac": "glmcount.hac('time')",
    "cluster": "glmcount.cluster('g')",
    "driscoll_kraay": "glmcount.driscoll_kraay('time')",
    "jackknife": "glmcount.jackknife()",
    "bootstrap": "glmcount.bootstrap()",
}


# What a user may ask for: a name, ``{"cluster": columns}``, an estimator.
Cov = Any


@dataclass(frozen=True)
class Covariance:
    """A covariance over the kept columns, and what is to be said of it.

    Parameters
    ----------
    matrix : ndarray, shape (k, k)
    note : str
        A sentence for the summary: what was grouped, how many groups, the factor.
    freedom : float, OwnFreedom or None
        Degrees of freedom of Student's t; None for the normal distribution.
    draws : Draws or None
        Of refits, what each came to.
    rank : int or None
        Dimensions that it has at most, as one of few clusters has: of more hypotheses there is no
        joint test. None where it has all.

    Examples
    --------
    >>> import glmcount as gc
    >>> from glmcount.covariances import Covariance, Estimator
    >>> def half(setting, bread):
    ...     return Covariance(0.5 * bread, note="Half the variance.", freedom=3.0)
    >>> r = gc.fit("y ~ 1", {"y": [1, 3, 2, 6]}, cov=Estimator("half", "half the variance", half))
    >>> reach = r.conf_int()[1] - r.params  # Student's t with 3 degrees of freedom
    >>> "Half the variance." in str(r.summary()), round(float((reach / r.bse)["Intercept"]), 3)
    (True, 3.182)
    """

    matrix: Array
    note: str = ""
    freedom: float | OwnFreedom | None = None
    draws: Any = None
    rank: int | None = None


@dataclass(frozen=True, repr=False)
class Estimator(Printed):
    """A covariance estimator.

    Parameters
    ----------
    name, label : str
    compute : callable
        ``(setting, bread) -> matrix`` over the kept, shifted columns, symmetric; or a
        `Covariance` of such a matrix.
    needs : Needs
        What `Setting.fold` hands it of each row; columns among it are read beside the fit.
    doubts : callable or None
        ``(Fitted) -> warnings`` of what is doubtful about it for a fit whose rows are at hand.
    trusting : bool
        Whether it takes the model for true: likelihood ratios and profiles then go with it, and
        of effects rows and estimates do not vary together.
    refuses : callable or None
        ``(family, design)``, which raises where either tells, before anything is computed, that
        there is no such covariance.
    scaled : bool
        Whether it goes with `Setting.scale`, so that of a quasi-likelihood it is free of the size
        of probability weights.
    outer : bool
        Whether it is the inverse of the outer product of the scores: score tests then take that for
        the information.

    Examples
    --------
    >>> import glmcount as gc
    >>> from glmcount.covariances import Estimator
    >>> twice = Estimator("twice", "twice the variance", lambda setting, bread: 2.0 * bread)
    >>> r = gc.fit("y ~ 1", {"y": [1, 3, 2, 6]})
    >>> round(float(r.with_cov(twice).bse["Intercept"] / r.bse["Intercept"]), 6)
    1.414214
    """

    name: str
    label: str
    compute: Callable[[Setting, Array], Array | Covariance]
    needs: Needs = NOTHING_MORE
    doubts: Callable[[Fitted], list[GlmcountWarning]] | None = None
    trusting: bool = False
    refuses: Callable[[Family, DesignSpec], None] | None = None
    scaled: bool = False
    outer: bool = False

    def __post_init__(self) -> None:
        for what in ("name", "label"):
            value = getattr(self, what)
            if not (isinstance(value, str) and value):
                refuse(f"{what} of an Estimator", value, "a text", "own_covariance")
        takes(f"compute of the covariance {self.name!r}", self.compute, 2, "own_covariance")
        if not isinstance(self.needs, Needs):
            refuse(f"needs of the covariance {self.name!r}", self.needs, "Needs", "own_covariance")

    def _lines(self) -> Lines:
        """What it was asked for, where a record computes it."""
        held = getattr(self.compute, "__dict__", {})
        # No lags are an answer; no draws or groups are none.
        told = {
            name: held[name] for name in held if name in ASKED and (held[name] or name == "lags")
        }
        facts = [(ASKED[name], _in_words(value)) for name, value in told.items()]
        return Lines(f"Covariance {self.label}", facts)

    def __reduce__(self) -> tuple[Any, ...]:
        if ESTIMATORS.get(self.name) is self and self.name in BUILT_IN:
            return estimator, (self.name, self.name)
        refuse_nameless(f"compute of the covariance {self.name!r}", self.compute)
        return Estimator, tuple([getattr(self, name) for name in self.__dataclass_fields__])


def _in_words(value: object) -> object:
    """What was asked, as it is printed: columns by their names."""
    if isinstance(value, tuple):
        return ", ".join(map(shown_name, value))
    return shown_name(value) if isinstance(value, str) else value


def shown_name(name: str) -> str:
    """What a column is called in a sentence."""
    return "an array" if name.startswith("<") else name


# What the makers of covariances are asked for, by the fields of the records they make.
ASKED = {
    "columns": "clusters",
    "kind": "kind",
    "df": "degrees of freedom",
    "like": "like",
    "psd": "made positive semidefinite",
    "time": "time",
    "panel": "panel",
    "lags": "lags",
    "bandwidth": "bandwidth",
    "kernel": "kernel",
    "prewhiten": "prewhitening of order",
    "adjust": "times n / (n - k)",
    "groups": "groups",
    "reps": "draws",
    "seed": "seed",
    "studentised": "studentised",
}
ESTIMATORS: dict[str, Estimator] = {}
# By what ``cov={name: columns}`` is called, what makes it.
MAKERS: dict[str, Callable[[Any], Estimator]] = {}
PACKAGE = __name__.partition(".")[0]
BUILT_IN = ("nonrobust", "opg", "HC0", "HC1", "HC2", "HC3")


def register_estimator(estimator: Estimator) -> Estimator:
    """Make an estimator known by its name; returns it.

    Parameters
    ----------
    estimator : Estimator

    Returns
    -------
    Estimator
        The same one.

    Raises
    ------
    UsageError
        If it is no estimator, or one of ours has its name.

    Examples
    --------
    >>> import glmcount as gc
    >>> from glmcount.covariances import Estimator, register_estimator
    >>> from glmcount.inference.covariance.estimator import ESTIMATORS
    >>> twice = Estimator("twice", "twice the variance", lambda setting, bread: 2.0 * bread)
    >>> register_estimator(twice) is twice
    True
    >>> gc.fit("y ~ 1", {"y": [1, 3, 2, 6]}, cov="twice").cov_type
    'twice'
    >>> _ = ESTIMATORS.pop("twice")
    """
    if not isinstance(estimator, Estimator):
        refuse("estimator", estimator, "a value made by Estimator(...)", "own_covariance")
    if estimator.name in BUILT_IN and estimator.name in ESTIMATORS:
        raise UsageError(
            f"A covariance named {estimator.name!r} comes with glmcount; choose another name.",
            kind="covariance_taken",
        )
    ESTIMATORS[estimator.name] = estimator
    return estimator


def estimator(cov: Cov, default: str) -> Estimator:
    """The estimator of that name.

    Raises
    ------
    UsageError
        With the names there are, or the call to write.
    """
    if isinstance(cov, Estimator):
        return cov
    if isinstance(cov, Mapping) and len(cov) == 1 and (made := _made(*next(iter(cov.items())))):
        return made
    name = default if cov is None else cov.strip() if isinstance(cov, str) else cov
    if isinstance(name, str) and name in ESTIMATORS:
        return ESTIMATORS[name]
    known = {key.lower(): key for key in ESTIMATORS}
    if not isinstance(name, str) or name.lower() not in known:
        listed = f" cov takes: {some(ESTIMATORS, 20)}; {some(CALLS.values(), 9)}."
        raise UsageError(
            f"There is no covariance {_quoted(name)}.{or_listed(_instead(name), listed)}",
            kind="unknown_covariance",
        )
    return ESTIMATORS[known[name.lower()]]


def with_arrays(known: Estimator, given: Any) -> Estimator:
    """The covariance of a fit that came without its arrays, with those of one that is like it.

    Raises
    ------
    UsageError
        If it was given none, or the other is of another kind.
    """
    names = _arrays(known)
    if not names:
        raise UsageError(
            "with_data takes as cov= a covariance whose arrays did not come along, and that of the "
            "fit was given none. Leave cov= out; r.with_data(...).with_cov(cov) takes another.",
            kind="with_data",
        )
    found = estimator(given, known.name)
    own = [found.needs.given[name] for name in _arrays(found)]
    if len(own) != len(names) or found._lines() != known._lines():
        raise UsageError(
            "with_data takes as cov= the covariance that the fit was given, with the same arrays: "
            f"{_in_short(known)}; got {_in_short(found)}. r.with_data(...).with_cov(cov) takes "
            "another.",
            kind="with_data",
        )
    arrays = dict(zip(names, own, strict=True))
    return replace(known, needs=replace(known.needs, given=arrays))


def _arrays(chosen: Estimator) -> list[str]:
    """Names of what a covariance was given as arrays."""
    needs = chosen.needs
    return [name for name in (*needs.groups, *needs.order) if name.startswith("<")]


def _in_short(chosen: Estimator) -> str:
    lines = chosen._lines()
    return ", ".join([lines.title, *(f"{name} {value}" for name, value in lines.shown())])


def warn_of(doubts: Iterable[GlmcountWarning]) -> None:
    """Warn of what is doubtful about a covariance of a fit."""
    for note in doubts:
        warnings.warn(note, stacklevel=outside())


def _made(name: Any, of: Any) -> Estimator | None:
    """The estimator that ``{name: of}`` asks for."""
    return MAKERS[name](of) if isinstance(name, str) and name in MAKERS else None


def asked_elsewhere(value: Any) -> str:
    """What to write for the value of another package's option of the covariance."""
    if isinstance(value, str) and (found := {k.lower(): k for k in ESTIMATORS}.get(value.lower())):
        return f" Write cov={found!r}."
    return _instead(value)


def _quoted(name: Any) -> str:
    """What was asked for, in short."""
    if isinstance(name, Mapping):
        return f"of the names {some(map(repr, name), 5)}"
    return shown(getattr(name, "__name__", name))


def _instead(name: Any) -> str:
    """What to write for a covariance of another package."""
    if isinstance(name, Mapping):
        return next(filter(None, (_for_clusters(key, of) for key, of in name.items())), "")
    if isinstance(name, list | tuple) and all(isinstance(each, str) for each in name):
        return asked_elsewhere(" ".join(name))
    if hasattr(name, "ndim"):
        return f"{instead(COVARIANCES, 'cluster')[:-1]} for rows in clusters."
    text = getattr(name, "__name__", name)
    if not isinstance(text, str):
        return ""
    plain = re.sub(r"[()'\"]+", " ", text).strip().removeprefix("vce ")
    head, _, column = plain.partition(" ")
    if column.strip().isidentifier():
        return _for_clusters(head, column.strip())
    return instead(COVARIANCES, plain, list(ESTIMATORS))


def _for_clusters(key: Any, of: Any) -> str:
    """What to write where a column, or several, came with a name."""
    columns = isinstance(of, str) or (
        isinstance(of, list | tuple) and all(isinstance(each, str) for each in of)
    )
    return instead(COVARIANCES, key, (), repr(of) if columns else "")


def covariance(chosen: Estimator, setting: Setting) -> Covariance:
    """The covariance over the kept columns, as the user has these.

    Raises
    ------
    CovarianceError
        Where the information is not positive definite, or a row has leverage 1.
    """
    with setting.found.solving():
        return _covariance(chosen, setting.told(chosen.needs))


def _covariance(chosen: Estimator, setting: Setting) -> Covariance:
    fit = setting.fit
    bread = inverse_information(fit)
    if bread is None:
        raise CovarianceError(
            "The information matrix is not positive definite at the estimate, so it has no "
            "covariance. Look at r.certificate and r.history; drop columns that nearly repeat "
            "others, or bring columns to similar sizes.",
            kind="singular_information",
        )
    found = chosen.compute(setting, bread)
    found = found if isinstance(found, Covariance) else Covariance(found)
    if str(getattr(chosen.compute, "__module__", "")).partition(".")[0] != PACKAGE:
        _refuse_none(chosen, found, len(bread))
    matrix = fit.layout.unshifted(found.matrix, fit.kept)
    if not (math.isfinite(np.vdot(matrix, matrix)) or np.isfinite(matrix).all()):
        raise CovarianceError(
            "A variance is too large for a floating-point number: some column is so small that "
            "its coefficient is beyond 1e150. Bring the column to a usual size in the data.",
            kind="column_scale",
        )
    return replace(found, matrix=matrix)


def _refuse_none(chosen: Estimator, found: Covariance, k: int) -> None:
    """Refuse what is no covariance, and degrees of freedom that are none.

    Raises
    ------
    CovarianceError
    """
    # Of a user's making: of any type.
    matrix: Any = found.matrix
    freedom: Any = found.freedom
    kind, told = getattr(getattr(matrix, "dtype", None), "kind", ""), ""
    if kind not in ("i", "u", "f") or np.shape(matrix) != (k, k):
        told = shown(matrix)
    elif np.isnan(matrix).any():
        told = "one with NaN in it"
    elif np.isinf(matrix).any():
        told = "one with infinite numbers in it"
    elif (matrix.diagonal() < 0).any():
        told = "one with a negative variance"
    elif not np.allclose(matrix, matrix.T, rtol=1e-6, atol=1e-9 * np.abs(matrix).max(initial=0.0)):
        told = "one that is not symmetric"
    what = f"a matrix of {k} x {k} numbers, symmetric, with no negative variance"
    if not told and not (freedom is None or isinstance(freedom, OwnFreedom)):
        number = isinstance(freedom, numbers.Real) and not isinstance(freedom, bool)
        if not number or not freedom > 0:
            what, told = "as freedom a number above 0, or None", shown(freedom)
    if told:
        raise CovarianceError(
            f"compute of the covariance {chosen.name!r} must give {what}; it gave {told}.",
            kind="own_covariance",
        )
