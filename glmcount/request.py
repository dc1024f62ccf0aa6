"""Every option of a fit, once: its name, its default, what it may be, and what it is for."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, TypedDict

import numpy as np

from glmcount.allowed import choice, refuse, shown
from glmcount.errors import CovarianceWarning, UsageError, counted, outside, some
from glmcount.families.base import Family, resolve
from glmcount.families.combine.links import Link, links
from glmcount.families.combine.truncated import never_seen
from glmcount.fitting.solvers import SOLVERS
from glmcount.inference.covariance import Estimator, estimator
from glmcount.inference.covariance.estimator import asked_elsewhere
from glmcount.numerics import Array
from glmcount.numerics.control import USUAL, Control
from glmcount.records import dataclass, field
from glmcount.spellings.lookup import instead, or_listed
from glmcount.spellings.models import LINKS
from glmcount.spellings.options import OPTIONS as ELSEWHERE

__all__ = [
    "COLUMNS",
    "GONE",
    "OPTIONS",
    "PARTS",
    "TOLD",
    "Options",
    "Request",
    "check_options",
    "chosen_estimator",
    "information_of",
    "start_of",
    "warn_of_size",
]

Check = Callable[[str, Any], Any]


class Gone(Enum):
    """In the place of arrays that did not come along to another process."""

    GONE = "gone"


GONE = Gone.GONE
COLUMNS = ("offset", "exposure", "weights", "censored")
PARTS = ("inflate", "hurdle", "dispersion")
OF_FORMULAS = ("env",)


def _anything(name: str, value: Any) -> Any:
    """What only the data can judge: a column, an expression, an array; a part of a model."""
    return value


def _family(name: str, value: Any) -> Any:
    resolve(value)
    return value


def _link(name: str, value: Any) -> Any:
    if not isinstance(value, str | Link):
        title = getattr(value, "__name__", type(value).__name__)
        advice = instead(LINKS, title, list(links)).strip() or "None takes the family's own."
        told = title.lower() in links
        refuse(
            name,
            value,
            "a name, such as 'log', or a Link",
            "unknown_link",
            f"Write link={title.lower()!r}." if told else advice,
        )
    return value


def _zero(name: str, value: Any) -> Any:
    if not isinstance(value, str | Family):
        refuse(name, value, "a name, such as 'logit', or a family", "unknown_zero")
    return value


def _cov(name: str, value: Any) -> Any:
    estimator(value, "nonrobust")
    return value


def _one_of(*allowed: Any) -> Check:
    return lambda name, value: choice(name, value, allowed, f"unknown_{name}")


def _method(name: str, value: Any) -> Any:
    return choice(name, value, SOLVERS, "unknown_method")


def _start(name: str, value: Any) -> Array:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        refuse(
            name,
            value,
            "a list of finite numbers, one for each parameter in order",
            "start",
            "Ancillary parameters are given as logarithms.",
        )


def _env(name: str, value: Any) -> Any:
    if not (isinstance(value, Mapping) and all(isinstance(key, str) for key in value)):
        refuse(
            name,
            value,
            "a dict of functions by name",
            "env",
            "Write env={'f': f} for a formula that calls f(x).",
        )
    return value


def _control(name: str, value: Any) -> Any:
    if not isinstance(value, Control):
        refuse(
            name,
            value,
            "a glmcount.Control or None",
            "control",
            "Write control=glmcount.Control(maxiter=50).",
        )
    return value


def option(default: Any, check: Check, told: tuple[str, str] | None = None) -> Any:
    """A field of a request.

    Parameters
    ----------
    default : object
    check : callable
        ``(name, value) -> value`` as it is used; refuses what is not allowed.
    told : (str, str), optional
        What the command line calls its value, and its help there.
    """
    return field(default=default, metadata={"check": check, "told": told})


@dataclass(frozen=True, kw_only=True)
class Request:
    """Every option of a fit.

    Parameters
    ----------
    **options
        As `glmcount.fit` describes them; each is checked where a request is made, as far as
        that takes no data.

    Raises
    ------
    UsageError
        For a value of another type or range, of a `kind` that names the option.

    Examples
    --------
    >>> Request(cov="HC1").method
    'newton'
    """

    family: str | Family = option("poisson", _family)
    link: str | Link | None = option(
        None, _link, ("NAME", "link of the mean; the family's own by default")
    )
    offset: Any = option(None, _anything, ("EXPR", 'column or expression, as "log(days)"'))
    exposure: Any = option(
        None, _anything, ("EXPR", "column or expression whose log is the offset")
    )
    weights: Any = option(None, _anything, ("EXPR", "column or expression"))
    weights_type: str = option(
        "frequency",
        _one_of("frequency", "importance", "probability"),
        ("TYPE", "frequency (default), importance, probability"),
    )
    inflate: str | None = option(
        None,
        _anything,
        ("TERMS", 'zero-inflated: terms of P(structural zero), as "z1 + z2" or "1"'),
    )
    hurdle: str | None = option(None, _anything, ("TERMS", "hurdle: terms of P(y > 0)"))
    zero: str | Family | None = option(
        None,
        _zero,
        (
            "NAME",
            "link of that part: logit (default), probit, cloglog; of a hurdle also"
            " poisson, negbin, geometric",
        ),
    )
    truncated: int | None = option(
        None, never_seen, ("K", "counts up to K are never seen; 0 is zero-truncated")
    )
    censored: Any = option(
        None,
        _anything,
        ("LIMIT", 'number, column or expression at which a count says "or more"'),
    )
    dispersion: str | None = option(
        None, _anything, ("TERMS", "terms of a regression for the log of the dispersion")
    )
    cov: str | Mapping[str, Any] | Estimator | None = option(
        None, _cov, ("TYPE", "nonrobust, opg, HC0, HC1, HC2 or HC3")
    )
    information: str | None = option(
        None, _one_of(None, "expected", "observed"), ("NAME", "expected or observed")
    )
    method: str = option("newton", _method, ("NAME", "newton (default), irls, lbfgs or gradient"))
    start: Sequence[float] | None = option(None, _start)
    missing: str = option(
        "drop",
        _one_of("drop", "raise"),
        ("NAME", "what to do with rows that have missing values (default: drop)"),
    )
    separation: str = option(
        "warn",
        _one_of("warn", "raise", "ignore"),
        ("NAME", "warn (default), raise or ignore"),
    )
    compress: str | bool = option("auto", _one_of("auto", True, False))
    env: Mapping[str, Callable[..., Any]] | None = option(None, _env)
    control: Control | None = option(None, _control)

    def __post_init__(self) -> None:
        held = self.__dict__
        for name, default, check in _CHECKS:
            value = held[name]
            if value is not default:
                held[name] = check(name, value)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, **dict.fromkeys(self.arrays, GONE)}

    @property
    def arrays(self) -> tuple[str, ...]:
        """Options that were given as arrays."""
        held = self.__dict__
        return tuple(
            name
            for name in (*COLUMNS, *PARTS)
            if not isinstance(held[name], str | int | float | None)
        )

    @property
    def knobs(self) -> Control:
        """The numerical knobs, those of every fit where none were given."""
        return USUAL if self.control is None else self.control


def chosen_estimator(cov: Any, weights_type: str) -> Estimator:
    """The covariance of that name: robust under sampling weights where none is given.

    Raises
    ------
    UsageError
    """
    return estimator(cov, "HC1" if weights_type == "probability" else "nonrobust")


def information_of(request: Request, family: Family) -> str:
    """Which information matrix is asked for, or usual for a family.

    Raises
    ------
    UsageError
        If the family has no such one.
    """
    given = request.information
    if given == "expected" and family.expected is None:
        raise UsageError(
            f"information='expected' has no closed form for {family.label}; leave it out for the "
            "observed information.",
            kind="no_expected_information",
        )
    return given or ("expected" if family.q == 1 and family.expected else "observed")


def start_of(given: Sequence[float], size: int) -> Array:
    """Where a fit of so many parameters begins.

    Raises
    ------
    UsageError
        If these are not so many finite numbers.
    """
    start = np.asarray(given)
    if start.shape != (size,) or not np.all(np.isfinite(start)):
        raise UsageError(
            f"start must hold {counted(size, 'finite number')}, one for each parameter in order "
            f"(ancillary ones as logarithms); got {shown(start)}.",
            kind="start",
        )
    return start


def warn_of_size(chosen: Estimator, family: Family) -> None:
    """Warn of a covariance of a fit under probability weights that goes by their size.

    That of a quasi-likelihood is free of it: its scale goes with the weights.
    """
    if not chosen.trusting or (family.scale == "pearson" and chosen.scaled):
        return
    text = (
        f"cov={chosen.name!r} takes probability weights for numbers of observations: standard "
        "errors, tests and intervals go by the size of the weights, and ten times the weights "
        "would make them sharper. Those of cov='HC1', which is taken where none is given, and of "
        "clusters do not."
    )
    warnings.warn(CovarianceWarning(text, kind="sampling_weights"), stacklevel=outside())


class Options(TypedDict, total=False):
    """Options by name, for calls that pass them on."""

    family: str | Family
    link: str | Link | None
    offset: Any
    exposure: Any
    weights: Any
    weights_type: str
    inflate: Any
    hurdle: Any
    zero: str | Family | None
    truncated: int | None
    censored: Any
    dispersion: Any
    cov: str | Mapping[str, Any] | Estimator | None
    information: str | None
    method: str
    start: Sequence[float] | None
    missing: str
    separation: str
    compress: str | bool
    env: Mapping[str, Callable[..., Any]] | None
    control: Control | None


_FIELDS = Request.__dataclass_fields__
OPTIONS = tuple(_FIELDS)
# What the command line takes as well: of each option what its value is called, and its help.
TOLD: dict[str, tuple[str, str]] = {
    name: one.metadata["told"] for name, one in _FIELDS.items() if one.metadata["told"] is not None
}
_CHECKS = [(name, one.default, one.metadata["check"]) for name, one in _FIELDS.items()]

# Options of other packages whose value is a covariance of ours, or of theirs.
COVARIANCE_OPTIONS = ("vcov", "vce", "cov_type", "se", "cov_est", "covtype")


def _meant(name: str, value: Any, options: Sequence[str]) -> str:
    """What to write for an option of another package, with the value it was given."""
    if name in COVARIANCE_OPTIONS and (told := asked_elsewhere(value)):
        return told
    return instead(ELSEWHERE, name, options, repr(value) if isinstance(value, str) else "")


def check_options(names: Iterable[str], function: str = "fit", more: Sequence[str] = ()) -> None:
    """Refuse keywords that are no options, naming what to use.

    Parameters
    ----------
    names : iterable of str
        Or a mapping that has their values.
    function : {"fit", "fit_arrays"}
        Whose options are meant.
    more : sequence of str
        What may be given besides.

    Raises
    ------
    UsageError
    """
    options = [*more, *(each for each in OPTIONS if function == "fit" or each not in OF_FORMULAS)]
    for name in names:
        if name in options:
            continue
        listed = f" Options: {some(options, 30)}."
        value = names[name] if isinstance(names, Mapping) else None
        hint = _meant(name, value, options)
        if name in OF_FORMULAS:
            hint = " It is for formulas, which fit() takes."
        elif name == "data":
            hint = " glmcount.fit(formula, data) takes a table."
        raise UsageError(
            f"{function}() has no option {name!r}.{or_listed(hint, listed)}",
            kind="unknown_option",
        )
