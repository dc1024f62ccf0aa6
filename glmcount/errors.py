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
    |- MemoryLimitError                       `- ConvergenceWarning
    |- RankError
    |- SeparationError
    |- BoundaryError
    |- ConvergenceError
    |- NoLikelihoodError
    |- NotDefinedError
    |- CovarianceError
    |- DataChangedError
    `- MissingExtraError(ImportError)

A class names the group of a problem; ``kind`` names the problem itself, so that a
program can ask for it (``error.kind == "negative_response"``). Where one class serves
several problems, the raiser passes ``kind=``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "BoundaryError",
    "BoundaryWarning",
    "ConvergenceError",
    "ConvergenceWarning",
    "CovarianceError",
    "DataChangedError",
    "DataError",
    "DroppedColumnWarning",
    "FormulaError",
    "FormulaSyntaxError",
    "FormulaTooComplexError",
    "GlmcountError",
    "GlmcountWarning",
    "IllConditionedWarning",
    "MemoryLimitError",
    "MissingExtraError",
    "MissingRowsWarning",
    "NoLikelihoodError",
    "NonfiniteDesignError",
    "NotDefinedError",
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
    "some",
]


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
        super().__init__(message)
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
    """The model would need more memory than `Control.memory_limit` allows."""

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


class MissingExtraError(GlmcountError, ImportError):
    """An optional package is not installed."""

    kind = "missing_extra"


class GlmcountWarning(UserWarning):
    """Root of every warning of glmcount; parameters as `GlmcountError`."""

    kind = "warning"

    def __init__(self, message: str, *, kind: str | None = None) -> None:
        super().__init__(message)
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


class NotEstimableWarning(GlmcountWarning):
    """Of a new row the data tell nothing: it is not predicted."""

    kind = "not_estimable"


class ConvergenceWarning(GlmcountWarning):
    """The fit stopped before its stop rule was met."""

    kind = "convergence"


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


def some(items: Iterable[object], most: int = 5) -> str:
    """The first `most` items, comma separated, with a count of the rest.

    Examples
    --------
    >>> some(range(7))
    '0, 1, 2, 3, 4 (and 2 more)'
    """
    listed = [str(item) for item in items]
    shown = ", ".join(listed[:most])
    return shown if len(listed) <= most else f"{shown} (and {len(listed) - most} more)"
