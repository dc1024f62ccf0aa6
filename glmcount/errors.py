"""Every error and warning of glmcount, one tree each, every class with a `kind`.

::

    GlmcountError(ValueError)                 GlmcountWarning(UserWarning)
    |- UsageError                             |- MissingRowsWarning
    |- FormulaError                           |- ResponseWarning
    |  |- FormulaSyntaxError                  |- WeightsWarning
    |  |- UnsafeFormulaError                  |- SampleWarning
    |  |- FormulaTooComplexError              |- DroppedColumnWarning
    |  |- UnknownColumnError                  |- IllConditionedWarning
    |  `- NonfiniteDesignError                |- SeparationWarning
    |- DataError                              |- BoundaryWarning
    |- MemoryLimitError                       |- DesignWarning
    |- RankError                              |- NameWarning
    |- SeparationError                        |- PredictionWarning
    |- BoundaryError                          |- NotEstimableWarning
    |- ConvergenceError                       |- CovarianceWarning
    |- NoLikelihoodError                      |- IntervalWarning
    |- NotDefinedError                        `- ConvergenceWarning
    |- CovarianceError
    |- DataChangedError
    |- NoRowsError
    `- MissingExtraError(ImportError)

A class names the group of a problem; ``kind`` names the problem itself, so that a
program can ask for it (``error.kind == "negative_response"``). Where one class serves
several problems, the raiser passes ``kind=``.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable

__all__ = [
    "BoundaryError",
    "BoundaryWarning",
    "ConvergenceError",
    "ConvergenceWarning",
    "CovarianceError",
    "CovarianceWarning",
    "DataChangedError",
    "DataError",
    "DesignWarning",
    "DroppedColumnWarning",
    "FormulaError",
    "FormulaSyntaxError",
    "FormulaTooComplexError",
    "GlmcountError",
    "GlmcountWarning",
    "IllConditionedWarning",
    "IntervalWarning",
    "MemoryLimitError",
    "MissingExtraError",
    "MissingRowsWarning",
    "NameWarning",
    "NoLikelihoodError",
    "NoRowsError",
    "NonfiniteDesignError",
    "NotDefinedError",
    "NotEstimableWarning",
    "PredictionWarning",
    "RankError",
    "ResponseWarning",
    "SampleWarning",
    "SeparationError",
    "SeparationWarning",
    "UnknownColumnError",
    "UnsafeFormulaError",
    "UsageError",
    "WeightsWarning",
    "caret",
    "near",
    "outside",
    "some",
]


_GIVEN = re.compile(r"""(?P<before>\w+ )?(?P<quote>["']?)Q\((['"])<(?P<what>\w+)>\3\)(?P=quote)""")
_SCALAR = re.compile(
    r"np\.(?:(?:u?int|float)\d+\((-?[\w.+-]+)\)|str_\(('[^'\n]*')\)|(True|False)_)"
)


def plain(message: str) -> str:
    r"""A message in the user's words: no name by which an array goes inside, no type of numpy.

    Lines that show a formula stay as they are, since a caret points into them.

    Examples
    --------
    >>> plain("exposure Q('<exposure>') must be positive; got np.int64(-3).")
    'exposure (given as an array) must be positive; got -3.'
    """
    if "Q('<" not in message and "np." not in message:
        return message

    def given(found: re.Match[str]) -> str:
        before, what = found["before"] or "", found["what"]
        own = before if before.strip() == what else f"{before}{what} "
        return f"{own}(given as an array)"

    def scalar(found: re.Match[str]) -> str:
        return next(part for part in found.groups() if part is not None)

    lines = message.split("\n")
    shown = [
        line if line.startswith("    ") else _SCALAR.sub(scalar, _GIVEN.sub(given, line))
        for line in lines
    ]
    return "\n".join(shown)


class GlmcountError(ValueError):
    """Root of every error glmcount raises on purpose.

    Parameters
    ----------
    message : str
        What is wrong, where, what is allowed, what to do next.
    kind : str, optional
        Name of the problem; the class's own when absent.
    """

    kind = "error"

    def __init__(self, message: str, *, kind: str | None = None) -> None:
        super().__init__(plain(message))
        if kind is not None:
            self.kind = kind


class UsageError(GlmcountError):
    """A call whose options do not fit together or are unknown."""

    kind = "usage"


class FormulaError(GlmcountError):
    """Anything wrong with a formula; the message shows it with a caret."""

    kind = "formula"


class FormulaSyntaxError(FormulaError):
    """The formula cannot be parsed."""

    kind = "formula_syntax"


class UnsafeFormulaError(FormulaError):
    """The formula asks for something outside the formula language."""

    kind = "unsafe_formula"


class FormulaTooComplexError(FormulaError):
    """The formula would expand beyond any sensible number of terms."""

    kind = "formula_too_complex"


class UnknownColumnError(FormulaError):
    """A name is not a column of the data."""

    kind = "unknown_column"


class NonfiniteDesignError(FormulaError):
    """A formula expression made NaN or infinity out of finite data."""

    kind = "nonfinite_design"


class DataError(GlmcountError):
    """The data cannot be used as they are."""

    kind = "data"


class MemoryLimitError(GlmcountError):
    """The model would need more memory than `Control` allows."""

    kind = "memory_limit"


class RankError(GlmcountError):
    """Too few rows, or no column left, for the parameters asked for."""

    kind = "more_columns_than_rows"


class SeparationError(GlmcountError):
    """The maximum likelihood estimate does not exist: a coefficient is infinite."""

    kind = "separation"


class BoundaryError(GlmcountError):
    """The likelihood is largest on the edge of the parameter space."""

    kind = "mean_boundary"


class ConvergenceError(GlmcountError):
    """The fit could not go on."""

    kind = "convergence"


class NoLikelihoodError(GlmcountError):
    """A likelihood quantity was asked of a model that has no likelihood."""

    kind = "no_likelihood"


class NotDefinedError(GlmcountError):
    """The quantity is not defined for this model."""

    kind = "not_defined"


class CovarianceError(GlmcountError):
    """The covariance asked for cannot be computed."""

    kind = "covariance"


class DataChangedError(GlmcountError):
    """The data no longer are those that were fitted."""

    kind = "data_changed"


class NoRowsError(GlmcountError):
    """A result that came without its rows was asked for what takes them."""

    kind = "no_rows"


class MissingExtraError(GlmcountError, ImportError):
    """An optional package is not installed."""

    kind = "missing_extra"


class GlmcountWarning(UserWarning):
    """Root of every warning of glmcount; parameters as `GlmcountError`."""

    kind = "warning"

    def __init__(self, message: str, *, kind: str | None = None) -> None:
        super().__init__(plain(message))
        if kind is not None:
            self.kind = kind


class MissingRowsWarning(GlmcountWarning):
    """Rows with missing values were left out."""

    kind = "missing_rows"


class ResponseWarning(GlmcountWarning):
    """The response is unusual for a count."""

    kind = "noninteger_response"


class WeightsWarning(GlmcountWarning):
    """The weights are unusual for their type."""

    kind = "noninteger_weights"


class SampleWarning(GlmcountWarning):
    """As many parameters as rows, or nearly."""

    kind = "saturated"


class DroppedColumnWarning(GlmcountWarning):
    """A column that is a combination of others was left out."""

    kind = "column"


class IllConditionedWarning(GlmcountWarning):
    """The information matrix is so badly conditioned that digits are lost."""

    kind = "ill_conditioned"


class SeparationWarning(GlmcountWarning):
    """A coefficient is infinite: some rows are predicted to be zero without doubt."""

    kind = "separation"


class BoundaryWarning(GlmcountWarning):
    """The estimate lies on the edge of the parameter space."""

    kind = "alpha_boundary"


class NameWarning(GlmcountWarning):
    """Two parameters would have one name."""

    kind = "parameter_name"


class DesignWarning(GlmcountWarning):
    """The formula or the data may mean another model than the one that was meant."""

    kind = "design"


class PredictionWarning(GlmcountWarning):
    """Some rows have a prediction that is no number."""

    kind = "prediction"


class NotEstimableWarning(GlmcountWarning):
    """Of a new row the data tell nothing: it is not predicted."""

    kind = "not_estimable"


class IntervalWarning(GlmcountWarning):
    """An interval has no end on one side."""

    kind = "infinite_interval"


class ConvergenceWarning(GlmcountWarning):
    """The fit stopped before its stop rule was met."""

    kind = "convergence"


class CovarianceWarning(GlmcountWarning):
    """A covariance is less to be trusted than it looks."""

    kind = "covariance"


def outside() -> int:
    """Stack level of the caller of our own frames, however many lie between."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("glmcount"):
        frame, level = frame.f_back, level + 1
    return level


def caret(text: str, start: int, end: int | None = None) -> str:
    """`text` on one line, and under it carets at ``start:end``.

    Examples
    --------
    >>> print(caret("y ~ zzz", 4, 7))
        y ~ zzz
            ^^^
    """
    stop = max(start + 1, end if end is not None else start + 1)
    return f"    {text}\n    {' ' * start}{'^' * (stop - start)}"


def near(name: str, choices: Iterable[str]) -> str:
    """Return " Did you mean ...?" with the names nearest to `name`, or an empty string.

    Examples
    --------
    >>> near("incme", ["income", "age"])
    " Did you mean 'income'?"
    """
    found = difflib.get_close_matches(str(name), [str(c) for c in choices], n=3)
    return f" Did you mean {' or '.join(repr(f) for f in found)}?" if found else ""


def some(items: Iterable[object], most: int = 5, total: int | None = None) -> str:
    """The first `most` items, comma separated, with a count of the rest.

    `total` says how many there are where `items` are only the first of them.

    Examples
    --------
    >>> some(range(7))
    '0, 1, 2, 3, 4 (and 2 more)'
    """
    listed = [str(item) for item in items]
    shown = ", ".join(listed[:most])
    rest = (len(listed) if total is None else total) - min(most, len(listed))
    return f"{shown} (and {rest:,} more)" if rest > 0 else shown
