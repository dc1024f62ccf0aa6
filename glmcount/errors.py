"""Every error and warning of glmcount, one tree each, every class with a `kind`.

::

    GlmcountError(ValueError)                 GlmcountWarning(UserWarning)
    |- UsageError                             |- MissingRowsWarning
    |  |- UnknownArgumentError(TypeError)     |
    |  `- UnknownNameError(AttributeError)    |
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
import unicodedata
from collections.abc import Iterable
from types import TracebackType

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
    "UnknownArgumentError",
    "UnknownColumnError",
    "UnknownNameError",
    "UnsafeFormulaError",
    "UsageError",
    "WeightsWarning",
    "full_tracebacks",
]


# Names less alike than the nearest by more than this are not offered beside it.
CLOSE = 0.1
SWAPPED = 0.9
# Packages whose frames say nothing to those who call ours.
INNER = (
    "glmcount", "patsy", "numpy", "scipy", "pandas", "pyarrow", "polars", "threadpoolctl",
    "concurrent", "contextlib", "functools", "threading",
)  # fmt: skip
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

    Examples
    --------
    >>> import glmcount as gc
    >>> from glmcount.errors import GlmcountError
    >>> try:
    ...     gc.fit("y ~ x", {"y": [1, -3], "x": [0, 1]})
    ... except GlmcountError as error:
    ...     print(type(error).__name__, error.kind)
    DataError negative_response
    """

    kind = "error"

    def __init__(self, message: str, *, kind: str | None = None) -> None:
        super().__init__(plain(message))
        if kind is not None:
            self.kind = kind


class UsageError(GlmcountError):
    """A call whose options do not fit together or are unknown.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}
    >>> gc.fit("y ~ x", data, family="gausian")
    Traceback (most recent call last):
    glmcount.errors.UsageError: ...
    """

    kind = "usage"


class UnknownArgumentError(UsageError, TypeError):
    """A function was called with arguments that it does not take, or without one it needs.

    Examples
    --------
    >>> from glmcount.errors import UnknownArgumentError
    >>> issubclass(UnknownArgumentError, TypeError), UnknownArgumentError.kind
    (True, 'unknown_argument')
    """

    kind = "unknown_argument"


class UnknownNameError(UsageError, AttributeError):
    """An attribute or function was asked for that there is not.

    Examples
    --------
    >>> import glmcount as gc
    >>> gc.fit("y ~ 1", {"y": [1, 3, 2, 6]}).coefficients
    Traceback (most recent call last):
    glmcount.errors.UnknownNameError: ...
    """

    kind = "unknown_name"


class FormulaError(GlmcountError):
    """Anything wrong with a formula; the message shows it with a caret.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}
    >>> gc.fit("y ~ y", data)
    Traceback (most recent call last):
    glmcount.errors.FormulaError: ...
    """

    kind = "formula"


class FormulaSyntaxError(FormulaError):
    """The formula cannot be parsed.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}
    >>> gc.fit("y ~ (x", data)
    Traceback (most recent call last):
    glmcount.errors.FormulaSyntaxError: ...
    """

    kind = "formula_syntax"


class UnsafeFormulaError(FormulaError):
    """The formula asks for something outside the formula language.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}
    >>> gc.fit("y ~ x.__class__", data)
    Traceback (most recent call last):
    glmcount.errors.UnsafeFormulaError: ...
    """

    kind = "unsafe_formula"


class FormulaTooComplexError(FormulaError):
    """The formula would expand beyond any sensible number of terms.

    Examples
    --------
    >>> import glmcount as gc
    >>> crossed = " * ".join(f"x{i}" for i in range(20))
    >>> gc.fit(f"y ~ {crossed}", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
    Traceback (most recent call last):
    glmcount.errors.FormulaTooComplexError: ...
    """

    kind = "formula_too_complex"


class UnknownColumnError(FormulaError):
    """A name is not a column of the data.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}
    >>> gc.fit("y ~ z", data)
    Traceback (most recent call last):
    glmcount.errors.UnknownColumnError: ...
    """

    kind = "unknown_column"


class NonfiniteDesignError(FormulaError):
    """A formula expression made NaN or infinity out of finite data.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}
    >>> gc.fit("y ~ log(x)", data)
    Traceback (most recent call last):
    glmcount.errors.NonfiniteDesignError: ...
    """

    kind = "nonfinite_design"


class DataError(GlmcountError):
    """The data cannot be used as they are.

    Examples
    --------
    >>> import glmcount as gc
    >>> gc.fit("y ~ x", {"y": [1, -3], "x": [0, 1]})
    Traceback (most recent call last):
    glmcount.errors.DataError: ...
    """

    kind = "data"


class MemoryLimitError(GlmcountError):
    """The model would need more memory than `Control` allows.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1] * 2000, "person": range(2000)}
    >>> gc.fit("y ~ C(person)", data, control=gc.Control(memory_limit=2**20))
    Traceback (most recent call last):
    glmcount.errors.MemoryLimitError: ...
    """

    kind = "memory_limit"


class RankError(GlmcountError):
    """Too few rows, or no column left, for the parameters asked for.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}
    >>> gc.fit("y ~ 0", data)
    Traceback (most recent call last):
    glmcount.errors.RankError: ...
    """

    kind = "more_columns_than_rows"


class SeparationError(GlmcountError):
    """The maximum likelihood estimate does not exist: a coefficient is infinite.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 0, 0], "x": [0, 0, 1, 1]}
    >>> gc.fit("y ~ x", data, separation="raise")
    Traceback (most recent call last):
    glmcount.errors.SeparationError: ...
    """

    kind = "separation"


class BoundaryError(GlmcountError):
    """The likelihood is largest on the edge of the parameter space.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [0, 3, 0, 6], "x": [0, 1, 0, 1]}
    >>> gc.fit("y ~ x", data, link="identity")
    Traceback (most recent call last):
    glmcount.errors.BoundaryError: ...
    """

    kind = "mean_boundary"


class ConvergenceError(GlmcountError):
    """The fit could not go on.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}
    >>> gc.fit("y ~ x", data, start=[800.0, 0.0])
    Traceback (most recent call last):
    glmcount.errors.ConvergenceError: ...
    """

    kind = "convergence"


class NoLikelihoodError(GlmcountError):
    """A likelihood quantity was asked of a model that has no likelihood.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}
    >>> gc.fit("y ~ x", data, family="quasipoisson").llf
    Traceback (most recent call last):
    glmcount.errors.NoLikelihoodError: ...
    """

    kind = "no_likelihood"


class NotDefinedError(GlmcountError):
    """The quantity is not defined for this model.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}
    >>> gc.fit("y ~ x", data, family="quasipoisson").resid_quantile()
    Traceback (most recent call last):
    glmcount.errors.NotDefinedError: ...
    """

    kind = "not_defined"


class CovarianceError(GlmcountError):
    """The covariance asked for cannot be computed.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}
    >>> gc.fit("y ~ x", data).wald_test("x = 0, 2 * x = 0")
    Traceback (most recent call last):
    glmcount.errors.CovarianceError: ...
    """

    kind = "covariance"


class DataChangedError(GlmcountError):
    """The data no longer are those that were fitted.

    Examples
    --------
    >>> import glmcount as gc
    >>> import pandas as pd
    >>> data = pd.DataFrame({"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
    >>> r = gc.fit("y ~ x", data)
    >>> data.loc[0, "x"] = 5
    >>> r.refit(family="negbin")
    Traceback (most recent call last):
    glmcount.errors.DataChangedError: ...
    """

    kind = "data_changed"


class NoRowsError(GlmcountError):
    """A result that came without its rows was asked for what takes them.

    Examples
    --------
    >>> import glmcount as gc
    >>> from multiprocessing.reduction import ForkingPickler
    >>> data = {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}
    >>> sent = ForkingPickler.dumps(gc.fit("y ~ x", data))  # as to another process
    >>> r = ForkingPickler.loads(sent)
    >>> r.resid_response
    Traceback (most recent call last):
    glmcount.errors.NoRowsError: ...
    """

    kind = "no_rows"


class MissingExtraError(GlmcountError, ImportError):
    """An optional package is not installed.

    Examples
    --------
    >>> from glmcount.errors import MissingExtraError
    >>> issubclass(MissingExtraError, ImportError)
    True
    """

    kind = "missing_extra"


class GlmcountWarning(UserWarning):
    """Root of every warning of glmcount.

    Parameters
    ----------
    message : str
        What was seen, where, and what to do next.
    kind : str, optional
        Name of the problem; the class's own when absent.

    Examples
    --------
    >>> import warnings
    >>> import glmcount as gc
    >>> from glmcount.errors import GlmcountWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", GlmcountWarning)
    ...     r = gc.fit("y ~ 1", {"y": [1, 3, 2, None]})
    >>> [each.kind for each in r.warnings]
    ['missing_rows']
    """

    kind = "warning"

    def __init__(self, message: str, *, kind: str | None = None) -> None:
        super().__init__(plain(message))
        if kind is not None:
            self.kind = kind


class MissingRowsWarning(GlmcountWarning):
    """Rows with missing values were left out.

    Examples
    --------
    >>> import warnings
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, None]}
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = gc.fit("y ~ 1", data)
    >>> [type(each.message).__name__ for each in told]
    ['MissingRowsWarning']
    """

    kind = "missing_rows"


class ResponseWarning(GlmcountWarning):
    """The response is unusual for a count.

    Examples
    --------
    >>> import warnings
    >>> import glmcount as gc
    >>> data = {"y": [1.5, 3, 2]}
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = gc.fit("y ~ 1", data)
    >>> [type(each.message).__name__ for each in told]
    ['ResponseWarning']
    """

    kind = "noninteger_response"


class WeightsWarning(GlmcountWarning):
    """The weights are unusual for their type.

    Examples
    --------
    >>> import warnings
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2], "w": [1, 2.5, 1]}
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = gc.fit("y ~ 1", data, weights="w")
    >>> [type(each.message).__name__ for each in told]
    ['WeightsWarning']
    """

    kind = "noninteger_weights"


class SampleWarning(GlmcountWarning):
    """As many parameters as rows, or nearly.

    Examples
    --------
    >>> import warnings
    >>> import glmcount as gc
    >>> data = {"y": [1, 3], "x": [0, 1]}
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = gc.fit("y ~ x", data)
    >>> [type(each.message).__name__ for each in told]
    ['SampleWarning']
    """

    kind = "saturated"


class DroppedColumnWarning(GlmcountWarning):
    """A column that is a combination of others was left out.

    Examples
    --------
    >>> import warnings
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2], "x": [0, 1, 2], "z": [0, 2, 4]}
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = gc.fit("y ~ x + z", data)
    >>> [type(each.message).__name__ for each in told]
    ['DroppedColumnWarning']
    """

    kind = "column"


class IllConditionedWarning(GlmcountWarning):
    """The information matrix is so badly conditioned that digits are lost.

    Examples
    --------
    >>> import warnings
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6, 2], "x": [0, 1, 2, 3, 5], "z": [0, 1, 2.000001, 3, 5]}
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = gc.fit("y ~ x + z", data)
    >>> [type(each.message).__name__ for each in told]
    ['IllConditionedWarning']
    """

    kind = "ill_conditioned"


class SeparationWarning(GlmcountWarning):
    """A coefficient is infinite: some rows are predicted to be zero without doubt.

    Examples
    --------
    >>> import warnings
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 0, 0], "x": [0, 0, 1, 1]}
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = gc.fit("y ~ x", data)
    >>> [type(each.message).__name__ for each in told]
    ['SeparationWarning']
    """

    kind = "separation"


class BoundaryWarning(GlmcountWarning):
    """The estimate lies on the edge of the parameter space.

    Examples
    --------
    >>> import warnings
    >>> import glmcount as gc
    >>> data = {"y": [2, 2, 3, 2]}
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = gc.fit("y ~ 1", data, family="negbin")
    >>> [type(each.message).__name__ for each in told]
    ['BoundaryWarning']
    """

    kind = "alpha_boundary"


class NameWarning(GlmcountWarning):
    """Two parameters would have one name.

    Examples
    --------
    >>> import warnings
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 9], "alpha": [0, 1, 0, 1]}
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = gc.fit("y ~ alpha", data, family="negbin")
    >>> [type(each.message).__name__ for each in told]
    ['NameWarning']
    """

    kind = "parameter_name"


class DesignWarning(GlmcountWarning):
    """The formula or the data may mean another model than the one that was meant.

    Examples
    --------
    >>> import warnings
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6, 2, 4], "x": list("123451")}
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = gc.fit("y ~ x", data)
    >>> [type(each.message).__name__ for each in told]
    ['DesignWarning']
    """

    kind = "design"


class PredictionWarning(GlmcountWarning):
    """Some rows have a prediction that is no number.

    Examples
    --------
    >>> import warnings
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = gc.fit("y ~ x", data, link="identity").predict({"x": [-1]})
    >>> [type(each.message).__name__ for each in told]
    ['PredictionWarning']
    """

    kind = "prediction"


class NotEstimableWarning(GlmcountWarning):
    """Of a new row the data tell nothing: it is not predicted.

    Examples
    --------
    >>> import warnings
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2], "x": [0, 1, 2], "z": [0, 2, 4]}
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = gc.fit("y ~ x + z", data).predict({"x": [1], "z": [1]})
    >>> [type(each.message).__name__ for each in told]
    ['DroppedColumnWarning', 'NotEstimableWarning']
    """

    kind = "not_estimable"


class IntervalWarning(GlmcountWarning):
    """An interval has no end on one side.

    Examples
    --------
    >>> import warnings
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 0, 0], "x": [0, 0, 1, 1]}
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = gc.fit("y ~ x", data).conf_int(method="profile")
    >>> [type(each.message).__name__ for each in told]
    ['SeparationWarning', 'IntervalWarning']
    """

    kind = "infinite_interval"


class ConvergenceWarning(GlmcountWarning):
    """The fit stopped before its stop rule was met.

    Examples
    --------
    >>> import warnings
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = gc.fit("y ~ x", data, control=gc.Control(maxiter=1))
    >>> [type(each.message).__name__ for each in told]
    ['ConvergenceWarning']
    """

    kind = "convergence"


class CovarianceWarning(GlmcountWarning):
    """A covariance is less to be trusted than it looks.

    Examples
    --------
    >>> import warnings
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6], "g": [1, 1, 2, 2]}
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = gc.fit("y ~ 1", data, cov=gc.cluster("g"))
    >>> [type(each.message).__name__ for each in told]
    ['CovarianceWarning']
    """

    kind = "covariance"


def outside() -> int:
    """Stack level of the caller of our own frames, however many lie between.

    Returns
    -------
    int
        As ``warnings.warn`` takes it, so that a warning shows the line of the user's own code.

    Examples
    --------
    >>> from glmcount.errors import outside
    >>> outside() >= 1
    True
    """
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("glmcount"):
        frame, level = frame.f_back, level + 1
    return level


_shown = {"all": False}


def full_tracebacks(on: bool = True) -> None:
    """Let the errors of glmcount show every frame, or only those of who called it.

    An error that a user can mend ends at the user's own line. Other exceptions, which would be
    faults of glmcount, always show every frame.

    Parameters
    ----------
    on : bool

    Examples
    --------
    >>> import glmcount as gc
    >>> gc.errors.full_tracebacks(True)
    >>> gc.errors.full_tracebacks(False)
    """
    _shown["all"] = bool(on)


def to_the_user(error: GlmcountError) -> None:
    """Leave an error the frames of its caller, and none of ours.

    What it was caught in the place of goes too, where that was raised below us.

    Parameters
    ----------
    error : GlmcountError
        Whose traceback is cut, unless `full_tracebacks` asked for all of it.

    Examples
    --------
    >>> from glmcount.errors import GlmcountError, to_the_user
    >>> to_the_user(GlmcountError("Nothing was raised yet."))
    """
    if _shown["all"]:
        return
    error.__traceback__ = _outer(error.__traceback__)
    cause, context = error.__cause__, error.__context__
    if cause is not None:
        cause.__traceback__ = _outer(cause.__traceback__)
    elif context is not None and _is_inner(context.__traceback__):
        error.__suppress_context__ = True


def _is_inner(entry: TracebackType | None) -> bool:
    if entry is None:
        return True
    name = str(entry.tb_frame.f_globals.get("__name__", ""))
    return name.partition(".")[0] in INNER


def _outer(entry: TracebackType | None) -> TracebackType | None:
    kept = []
    while entry is not None:
        if not _is_inner(entry):
            kept.append(entry)
        entry = entry.tb_next
    for one, following in zip(kept, [*kept[1:], None], strict=False):
        one.tb_next = following
    return kept[0] if kept else None


def caret(text: str, start: int, end: int | None = None) -> str:
    """`text` on one line, and under it carets at ``start:end``.

    Parameters
    ----------
    text : str
    start, end : int
        The first place to mark, and the one after the last; one place where `end` is not given.

    Returns
    -------
    str
        Two lines, four blanks before each.

    Examples
    --------
    >>> from glmcount.errors import caret
    >>> print(caret("y ~ zzz", 4, 7))
        y ~ zzz
            ^^^
    """
    stop = max(start + 1, end if end is not None else start + 1)
    return f"    {text}\n    {' ' * start}{'^' * (stop - start)}"


def alike(name: str) -> str:
    """A name without what people vary: case, spaces, dots, dashes, underscores.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        Equal for names that differ in these alone.

    Examples
    --------
    >>> from glmcount.errors import alike
    >>> alike("Newey-West") == alike("newey_west")
    True
    """
    return re.sub(r"[\s._\-\u200b]+", "", unicodedata.normalize("NFKC", name).casefold())


def near(name: str, choices: Iterable[object], like: float = 0.6) -> str:
    """Return " Did you mean ...?" with the names nearest to `name`, or an empty string.

    Parameters
    ----------
    name : str
    choices : iterable of str
    like : float
        How alike a name must be, from 0 to 1: more where one that is only similar is something
        else altogether.

    Returns
    -------
    str
        Of at most three names.

    Examples
    --------
    >>> from glmcount.errors import near
    >>> near("incme", ["income", "age"])
    " Did you mean 'income'?"
    >>> near("INCOME", ["income", "incomes"])
    " Did you mean 'income'?"
    """
    known = [each for each in dict.fromkeys(map(str, choices)) if each != str(name)]
    own = alike(str(name))
    found = [each for each in known if alike(each) == own]
    if not found:
        matcher = difflib.SequenceMatcher(b=own)
        ratios: dict[str, float] = {}
        for each in known:
            matcher.set_seq1(alike(each))
            if matcher.real_quick_ratio() >= like and matcher.quick_ratio() >= like:
                # Letters that changed places count for little.
                swapped = matcher.quick_ratio() == 1.0
                ratios[each] = SWAPPED if swapped else matcher.ratio()
        least = max(like, max(ratios.values(), default=0.0) - CLOSE)
        found = sorted((n for n, r in ratios.items() if r >= least), key=lambda n: -ratios[n])
    return f" Did you mean {' or '.join(map(repr, found[:3]))}?" if found else ""


def counted(number: int, what: str) -> str:
    """A number of things, of one in the singular.

    Parameters
    ----------
    number : int
    what : str
        One of them; more have an s.

    Returns
    -------
    str

    Examples
    --------
    >>> from glmcount.errors import counted
    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def some(items: Iterable[object], most: int = 5, total: int | None = None) -> str:
    """The first `most` items, comma separated, with a count of the rest.

    Parameters
    ----------
    items : iterable
    most : int
    total : int, optional
        How many there are where `items` are only the first of them.

    Returns
    -------
    str

    Examples
    --------
    >>> from glmcount.errors import some
    >>> some(range(7))
    '0, 1, 2, 3, 4 (and 2 more)'
    """
    listed = [str(item) for item in items]
    shown = ", ".join(listed[:most])
    rest = (len(listed) if total is None else total) - min(most, len(listed))
    return f"{shown} (and {rest:,} more)" if rest > 0 else shown
