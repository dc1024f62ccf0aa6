"""How effects are asked for, and with what of a result they are made."""

from __future__ import annotations

from typing import Any

from glmcount.allowed import plain, shown
from glmcount.errors import NotDefinedError, UsageError
from glmcount.fitted import Fitted
from glmcount.inference.intervals import Student
from glmcount.inference.setting import Needs
from glmcount.numerics import Array
from glmcount.prediction.quantities import QUANTILE, asked
from glmcount.records import dataclass

__all__ = ["Choices", "Margins", "groups_by", "points_of", "refuse_unconditional"]


@dataclass(frozen=True)
class Margins:
    """Of a result, what effects are made with.

    Parameters
    ----------
    state : Fitted
    covariance : ndarray, shape (k, k)
        Over the kept columns, as the user has these.
    law : Student
        By what estimates are judged.
    label : str
        Of the covariance.
    needs : Needs
        Of the covariance: its groups are clusters that are sampled whole.
    trusting : bool
        Whether it takes the model for true, so that rows and estimates do not vary together.
    scale : float
    """

    state: Fitted
    covariance: Array
    law: Student
    label: str
    needs: Needs
    trusting: bool
    scale: float


@dataclass(frozen=True)
class Choices:
    """How effects are asked for."""

    by: Any = True
    newdata: Any = None
    which: Any = "mean"
    at: Any = None
    hypothesis: Any = None
    unconditional: Any = False
    alpha: Any = 0.05


def points_of(options: Choices) -> list[float | None]:
    """What the quantity is asked at.

    Raises
    ------
    NotDefinedError
        For quantiles.
    """
    points = asked(options.which, options.at)
    if options.which == QUANTILE:
        raise NotDefinedError(
            "Effects have standard errors, and a quantile is a whole number, which has none by the "
            "delta method. Use which='cdf' with at=, or predict(which='quantile', at=...).",
            kind="no_standard_error",
        )
    return points


# Columns of a table of effects, which none of the data may stand for.
TAKEN = (
    *("term", "contrast", "rowid", "at", "estimate", "std_error"),
    *("statistic", "p_value", "conf_low", "conf_high"),
)


def groups_by(by: Any) -> tuple[tuple[str, ...], bool]:
    """Columns of groups, and whether effects are wanted row by row."""
    found = plain(by)
    if isinstance(found, bool):
        return (), not found
    several = found if isinstance(found, list | tuple) else (found,)
    taken = [name for name in several if isinstance(name, str) and name in TAKEN]
    if taken:
        raise UsageError(
            f"by={taken[0]!r} is the name of a column that the table of effects has itself. Rename "
            "the column of the data.",
            kind="by",
        )
    if isinstance(found, str):
        return (found,), False
    if isinstance(found, list | tuple) and found and all(isinstance(b, str) for b in found):
        return tuple(dict.fromkeys(found)), False
    raise UsageError(
        f"by must be True (averages over all rows), False (row by row), the name of a column or a "
        f"list of names (averages within groups); got {shown(by)}.",
        kind="by",
    )


def refuse_unconditional(margins: Margins, new: bool, each: bool) -> None:
    """Refuse to sample rows that are not the fitted ones, averaged, in no order of time.

    Raises
    ------
    UsageError, NotDefinedError
    """
    if new or each:
        told = "newdata= are rows that were chosen" if new else "by=False averages nothing"
        raise UsageError(
            f"unconditional=True adds the sampling of the fitted rows to their averages, and "
            f"{told}. Leave out unconditional=, or {'newdata=' if new else 'by=False'}.",
            kind="unconditional",
        )
    if margins.needs.order:
        raise NotDefinedError(
            f"unconditional=True is there for rows that are sampled one by one or by clusters, not "
            f"for the {margins.label} covariance, whose rows follow each other in time. Leave out "
            "unconditional=, or take r.with_cov({'cluster': ...}).",
            kind="unconditional",
        )
