"""The same rows by fewer columns, or by more: models that lie within each other.

A design's terms are coded one after the other, each beside those before it, so that the parts of
some terms span what a formula of these terms alone would, and a model without a term is the design
without its part. A model with further columns need not be fitted to be tested: its score and
information at the smaller model's maximum tell (Rao 1948, doi:10.1017/S0305004100023987).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glmcount.cells.compress import compressed
from glmcount.design.measure import Measured, measure
from glmcount.design.recall import planned_layout
from glmcount.design.rows import Cache, Rows
from glmcount.design.spec import DesignSpec, EquationDesign, Part
from glmcount.engine.block import Index
from glmcount.engine.information import Information
from glmcount.engine.layout import Layout
from glmcount.engine.scores import chunks, row_scores
from glmcount.engine.strip import Strip
from glmcount.errors import CovarianceError, NotDefinedError
from glmcount.families.base import Family
from glmcount.fitting.fit import first_dependences
from glmcount.fitting.maximise import maximise
from glmcount.fitting.null import offset_alone, reachable
from glmcount.fitting.rank import Dependence
from glmcount.fitting.run import Fit, Run, Settings
from glmcount.fitting.sums import carriers
from glmcount.numerics import Array
from glmcount.records import dataclass, replace

__all__ = ["Nested", "Scored", "designed", "fit_of", "outer", "scored", "with_parts"]


# Of the information: squares of scores below that share are rounding.
NOTHING = 1e-18


@dataclass(frozen=True)
class Nested:
    """A fit, with the rows as its own family sees them and what these are like."""

    rows: Rows
    measured: Measured
    fit: Fit


@dataclass(frozen=True)
class Scored:
    """A larger model at the maximum of a smaller one.

    Parameters
    ----------
    rows, measured
        As the larger model sees them.
    fit : Fit
        Its parameters are those of the smaller model, its information the larger model's there.
    added : ndarray of int, shape (parameters added,)
        Among the kept parameters those that the smaller model does not have.
    step : ndarray, shape (k,)
        Where Newton's method would step from there, in the user's columns.
    information : str
        Which the information is: "expected", "observed" or "outer product of the scores".
    """

    rows: Rows
    measured: Measured
    fit: Fit
    added: Index
    step: Array
    information: str


def designed(rows: Rows, spec: DesignSpec, memory: int) -> Rows:
    """The same rows by another design of columns that their source has."""
    return replace(rows, spec=spec, cache=Cache(memory), behind=None, made=None)


def with_parts(spec: DesignSpec, equation: int, wanted: Callable[[Part], bool]) -> DesignSpec:
    """A design of which one equation has some of its parts alone."""
    own = spec.equations[equation]
    parts = tuple(part for part in own.parts if wanted(part))
    equations = list(spec.equations)
    equations[equation] = EquationDesign(parts, own.offsets)
    return replace(spec, equations=tuple(equations))


def fit_of(rows: Rows, family: Family, options: Settings, compress: str | bool = "auto") -> Nested:
    """The fit of a family to rows by their design, an equation without columns included."""
    measured, layout = measure(rows, planned_layout(rows.spec), family)
    columns = [own.start < own.stop for own in layout.slices]
    own = reachable(family, columns)
    quiet = replace(options, start=None, control=replace(options.control, progress=False))
    if not layout.size:
        return Nested(rows, measured, offset_alone(rows, layout, measured, own, quiet.control))
    cells = compressed(rows, layout, measured, own, compress)
    seen = (rows, measured) if cells is None else (cells.rows, cells.measured)
    fit = maximise(seen[0], layout, seen[1], own, quiet)
    return Nested(fit.narrowed(rows), measured, fit)


def _places(small: DesignSpec, large: DesignSpec) -> tuple[Index, Index]:
    """Parameters of a larger design that a smaller one has, in its order, and those it has not."""
    there: list[int] = []
    further: list[int] = []
    at = 0
    for few, many in zip(small.equations, large.equations, strict=True):
        for part in many.parts:
            own = range(at, at + len(part.names))
            known = any(part is other for other in few.parts)
            (there if known else further).extend(own)
            at += len(part.names)
    return np.asarray(there, dtype=np.intp), np.asarray(further, dtype=np.intp)


def scored(
    null: Fit, small: Rows, large: Rows, options: Settings, *, importance: bool = False
) -> Scored:
    """Score and information of a larger model at a fit of a smaller one.

    Parameters
    ----------
    null : Fit
    small, large : Rows
        The same rows by both designs, as the fit's own family sees them; the parts of the
        smaller are among those of the larger.
    options : Settings
        Which information is asked for, "outer" the outer product of the scores. Where that is
        not definite the expected one serves, and where there is none the outer product.
    importance : bool
        Whether a weight stands for the importance of one row, not for copies.

    Raises
    ------
    NotDefinedError
        If the smaller model spans all columns of the larger one already.
    CovarianceError
        If none of the informations is definite.
    """
    measured, layout = measure(large, planned_layout(large.spec), null.family)
    there, further = _places(small.spec, large.spec)
    user = np.zeros(layout.size)
    user[there] = null.layout.unshift(null.theta)
    theta = layout.reshift(user)
    quiet = replace(options.control, progress=False)
    run = Run(large, layout, measured, null.family, replace(options, control=quiet))
    wanted = options.information == "expected" and null.family.expected is not None
    with large.solving(layout.size), np.errstate(over="ignore", invalid="ignore"):
        first = run.evaluate(theta, expected=wanted)
        has = set(there[null.kept].tolist())
        out = [_left_out(one, has, further) for one in first_dependences(run, theta, first)]
        gone = there[null.kept[carriers(null)]]
        kept = np.setdiff1d(np.arange(layout.size), [*out, *gone]).astype(np.intp)
        added = np.flatnonzero(np.isin(kept, further))
        if not len(added):
            raise NotDefinedError(
                "The terms add nothing to the model: every column of theirs is a combination of "
                "columns that it has. Name terms that tell rows apart which the model does not.",
                kind="nothing_added",
            )
        score = first.score[kept]
        found = _definite(run, theta, kept, wanted, first.information, importance)
        step = np.zeros(layout.size)
        step[kept] = found[0].solve(score)
    fit = replace(
        null, layout=layout, theta=theta, kept=kept, information=found[0], dependences=(),
        falling=None, limits=(),
    )  # fmt: skip
    return Scored(large, measured, fit, added, layout.unshift(step)[kept], found[1])


def _left_out(one: Dependence, has: set[int], further: Index) -> int:
    """The column that a dependence takes out: one that is added, where the smaller model has it."""
    if one.column not in has:
        return one.column
    return int(further[np.abs(one.combination[further]).argmax()])


def _definite(
    run: Run, theta: Array, kept: Index, wanted: bool, first: Information, importance: bool
) -> tuple[Information, str]:
    """The information asked for, or what takes its place where that is not definite."""
    own, asked = first.kept(kept), run.options.information
    if asked != "outer" and own.definite:
        return own, "expected" if wanted else "observed"
    if asked != "outer" and run.family.expected is not None and not wanted:
        own = run.evaluate(theta, expected=True).information.kept(kept)
        if own.definite:
            return own, "expected"
    own = Information(outer(run.rows, run.layout, theta, run.family, importance)).kept(kept)
    # Rows without residuals leave scores that are rounding.
    something = own.diagonal() > NOTHING * np.abs(first.kept(kept).diagonal())
    if something.all() and own.definite:
        return own, "outer product of the scores"
    raise CovarianceError(
        "The information of the larger model is not positive definite at the fit of the smaller "
        "one, nor is the outer product of its scores: there is no score test. Fit the larger "
        "model and use glmcount.lr_test(r0, r1).",
        kind="singular_information",
    )


def outer(rows: Rows, layout: Layout, theta: Array, family: Family, importance: bool) -> Array:
    """Sum over the rows of s s', a frequency weight counting its copies."""

    def of(part: Strip) -> Array:
        scores = row_scores(layout, part, theta, family)
        if part.weights is not None and not importance:
            scores = scores / np.sqrt(np.where(part.weights > 0, part.weights, 1.0))[:, None]
        found: Array = np.dot(scores.T, scores)
        return found

    def work(strip: Strip) -> Array:
        return sum((of(part) for part in chunks(layout, strip)), np.zeros((layout.size,) * 2))

    return rows.fold(work, np.add)
