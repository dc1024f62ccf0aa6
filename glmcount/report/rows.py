"""Coefficients as rows of a table, and which are shown: some by name, large factors in one line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from glmcount.allowed import texts
from glmcount.errors import UsageError, near, some
from glmcount.numerics import Array
from glmcount.records import dataclass, field, replace

__all__ = ["LARGE", "EquationRows", "Fold", "selected"]

# Coefficients of a term beyond which a printed table has one line for all of them.
LARGE = 20


@dataclass(frozen=True)
class Fold:
    """Rows of one term that a table may show as one line.

    Parameters
    ----------
    term : str
        The term, with the prefix of its equation.
    start, stop : int
        The rows of the equation that it takes.
    told : str
        How many levels there are, ``"150 levels"``.
    test : str
        The joint test of the coefficients in words; empty where there is none.

    Examples
    --------
    >>> Fold("firm", 1, 150, "150 levels", "chi2(149) 512.34, p <0.001").stop
    150
    """

    term: str
    start: int
    stop: int
    told: str
    test: str = ""


@dataclass(frozen=True)
class EquationRows:
    """The coefficients of one equation with their standard errors, tests and intervals.

    Parameters
    ----------
    heading : str
        Empty for the mean equation, else what the rows are, as ``"Dispersion (alpha)"``.
    names : tuple of str
        One name for each of the k rows.
    coef, bse, statistic, pvalues, lower, upper : ndarray of shape (k,)
        NaN where a quantity does not exist: it is shown as nothing.
    ratio : str
        What exp(coef) is, ``"rate ratio"`` or ``"odds ratio"``; empty where it is no ratio.
    marks : tuple of str
        Empty, or for each row ``""`` or the text shown instead of the estimate, with
        nothing after it but an interval: ``"-inf"`` for a coefficient that is infinite.
    terms : tuple of str
        Empty, or the term that each row belongs to.
    folds : tuple of Fold
        Rows that may be shown as one line.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones(1)
    >>> EquationRows("", ("x",), one, one, one, one, one, one, "rate ratio").ratio
    'rate ratio'
    """

    heading: str
    names: tuple[str, ...]
    coef: Array
    bse: Array
    statistic: Array
    pvalues: Array
    lower: Array
    upper: Array
    ratio: str = ""
    marks: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    folds: tuple[Fold, ...] = field(default_factory=tuple)

    def only(self, kept: Sequence[int]) -> EquationRows:
        """Some of the rows, none of them folded."""
        changed: dict[str, Any] = {"folds": ()}
        for name in ("coef", "bse", "statistic", "pvalues", "lower", "upper"):
            changed[name] = getattr(self, name)[list(kept)]
        for name in ("names", "marks", "terms"):
            texts = getattr(self, name)
            changed[name] = tuple([texts[place] for place in kept]) if texts else ()
        return replace(self, **changed)


def selected(
    equations: Sequence[EquationRows], keep: Any, drop: Any
) -> tuple[tuple[EquationRows, ...], str]:
    """The rows that were asked for, and what is said of the others.

    Parameters
    ----------
    equations : sequence of EquationRows
    keep, drop : str or list of str, optional
        Names of coefficients, terms (for all coefficients of a factor), or patterns in which
        ``*`` stands for anything.

    Raises
    ------
    UsageError
        If one of them names no coefficient, or no coefficient is left.

    Examples
    --------
    >>> import numpy as np
    >>> two = np.ones(2)
    >>> every = EquationRows("", ("x", "z"), two, two, two, two, two, two)
    >>> rows, note = selected([every], "x", None)
    >>> rows[0].names, note
    (('x',), 'Not shown: 1 of 2 coefficients.')
    """
    known = [
        (number, place, name, equation.terms[place] if equation.terms else name)
        for number, equation in enumerate(equations)
        for place, name in enumerate(equation.names)
    ]
    pairs = [(name, term) for _, _, name, term in known]
    wanted = _matched("keep", keep, pairs) if keep is not None else set(range(len(known)))
    wanted -= _matched("drop", drop, pairs) if drop is not None else set()
    if not wanted:
        raise UsageError(
            "keep= and drop= leave no coefficient to show. Drop less, or keep some.", kind="keep"
        )
    out = []
    for number, equation in enumerate(equations):
        kept = [known[i][1] for i in sorted(wanted) if known[i][0] == number]
        if len(kept) == len(equation.names):
            # All rows of a factor that is named are asked for one by one.
            out.append(replace(equation, folds=() if keep is not None else equation.folds))
        elif kept:
            out.append(equation.only(kept))
    hidden = len(known) - len(wanted)
    note = f"Not shown: {hidden:,} of {len(known):,} coefficients." if hidden else ""
    return tuple(out), note


def _matched(option: str, asked: Any, pairs: Sequence[tuple[str, str]]) -> set[int]:
    """Places of the coefficients that an option names."""
    found: set[int] = set()
    for one in texts(option, asked, "a name, or a list of names, of coefficients or terms", "keep"):
        places = set(_places(one, pairs))
        if not places:
            every = dict.fromkeys(name for pair in pairs for name in pair)
            raise UsageError(
                f"{option}={one!r} names no coefficient.{near(one, every)} Those there are: "
                f"{some((name for name, _ in pairs), 12)}.",
                kind="keep",
            )
        found |= places
    return found


def _places(asked: str, pairs: Iterable[tuple[str, str]]) -> Iterator[int]:
    pattern = re.compile(".*".join(map(re.escape, asked.split("*"))), re.DOTALL)
    for place, pair in enumerate(pairs):
        if asked in pair or ("*" in asked and pattern.fullmatch(pair[0])):
            yield place
