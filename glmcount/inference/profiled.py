"""Profile intervals of the parameters of a fit, wherever its maximum lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from glmcount.design.measure import measure
from glmcount.design.recall import planned_layout
from glmcount.engine.information import Information
from glmcount.errors import some
from glmcount.fitted import Fitted
from glmcount.fitting.held import held_column
from glmcount.fitting.run import Fit
from glmcount.fitting.sums import inverse_information
from glmcount.inference.profile import Constrained, Curve, End, end, reached
from glmcount.numerics import Array
from glmcount.numerics.tails import normal_quantile
from glmcount.records import replace

__all__ = ["ancillary", "profile_intervals"]

NO_LIMIT = End(np.nan, "it has no limit on the way to infinity")
# Of a logarithm or logit: from where a boundary is approached.
BESIDE = -3.0


def ancillary(state: Fitted) -> tuple[int, ...]:
    """Equations of the fit's own family that speak of dispersion, not of means or zeros."""
    equations = state.fit.family.equations
    return tuple(k for k in range(1, len(equations)) if equations[k].natural is not None)


def profile_intervals(
    state: Fitted, which: Sequence[int], alpha: float, held: bool
) -> tuple[Array, list[str]]:
    """Ends for some parameters, (k, 2), as they are reported; and why some are infinite.

    Parameters
    ----------
    state : Fitted
    which : sequence of int
        Among the reported parameters.
    alpha : float
    held : bool
        Whether dispersion parameters stay at their estimates, as R's MASS has it.

    Raises
    ------
    NoLikelihoodError
        Of quasi-likelihoods and under probability weights.
    ConvergenceError
        Where a larger likelihood is found on the way.
    """
    state.information_criterion("A profile likelihood interval", 0.0)
    root = normal_quantile(alpha)
    inside = inverse_information(state.fit)
    variances = np.zeros(len(state.fit.kept))
    if inside is not None:
        variances = state.fit.layout.unshifted(inside, state.fit.kept).diagonal()
    beside = list(_beside(state)) if state.fit.limits else []
    out, told = [], []
    for j in which:
        low, high = _ends(state, j, root, held, variances, beside)
        out.append(_reported(state, j, low, high))
        told += [
            f"{state.estimates.names[j]}: {what} end {_shown(value)}, {one.reason}"
            for what, one, value in zip(("lower", "upper"), (low, high), out[-1], strict=True)
            if one.reason
        ]
    return np.array(out).reshape(-1, 2), told


def _shown(value: float) -> str:
    return "unknown" if np.isnan(value) else f"{value:g}"


def _ends(
    state: Fitted, j: int, root: float, held: bool, variances: Array, beside: list[Fit]
) -> tuple[End, End]:
    """Both ends for one parameter, of its predictor."""
    found, fit = state.estimates, state.fit
    if found.undetermined[j]:
        return NO_LIMIT, NO_LIMIT
    if found.fixed[j]:
        return _from_boundary(state, j, root, beside)
    rows, measured = state.seen_here
    functions, at = _functions(state, fit, int(fit.kept[j]), held)
    anew = None if held else _anew(state, fit, int(fit.kept[j]))
    models = [Constrained(rows, measured, fit, functions, at, anew)]
    if not held:
        models += [_wider(state, fit, other, int(fit.kept[j])) for other in beside]
    curve = Curve(tuple(models), state.options, fit.llf)
    if found.infinite[j]:
        return _half(curve, int(found.infinite[j]), root)
    top, error = curve.top(), float(np.sqrt(max(variances[j], 0.0)))
    error = error if error > 0 else 1.0
    below, above = (
        end(curve, replace(top, slope=s / error), s, root, top.value + s * root * error)
        for s in (-1, 1)
    )
    return below, above


def _anew(
    state: Fitted, fit: Fit, position: int
) -> Callable[[float], tuple[float, Array] | None] | None:
    """How the maximum with a parameter held is looked for anew, where there may be several."""
    if fit.looked is None or not fit.looked.starts or fit.limits:
        return None
    own = held_column(state.rows, position)
    return None if own is None else lambda value: own.fit(fit, state.options, value)


def _half(curve: Curve, sign: int, root: float) -> tuple[End, End]:
    """Of a coefficient that is infinite: one end is, and rows tell of the other."""
    gone = End(sign * np.inf, "where the maximum is: the likelihood grows on the way there")
    start = reached(curve, curve.top().value, sign, root)
    if start is None:
        return NO_LIMIT, NO_LIMIT
    other = end(curve, start, -sign, root, start.value - sign)
    return (other, gone) if sign > 0 else (gone, other)


def _functions(state: Fitted, fit: Fit, position: int, held: bool) -> tuple[Array, Array]:
    """The parameter as a function of all in the user's columns, and those held beside it."""
    places = [position]
    if held:
        own = next(k for k, s in enumerate(fit.layout.slices) if s.start <= position < s.stop)
        for k in ancillary(state):
            s = fit.layout.slices[k]
            places += [int(p) for p in fit.kept if s.start <= p < s.stop and k != own]
    functions = np.zeros((len(places), fit.layout.size))
    functions[range(len(places)), places] = 1.0
    return functions, fit.layout.unshift(fit.settled)[places[1:]]


def _beside(state: Fitted) -> Iterator[Fit]:
    """The family asked for, as a fit that begins beside the boundary on which the maximum lies."""
    fit = state.fit
    limit, *further = fit.limits
    if further or limit.lost or state.columns[limit.equation] != 1:
        return
    _, layout = measure(state.asked, planned_layout(state.asked_spec), state.family)
    places, own = layout.places(limit.gone), layout.slices[limit.equation]
    theta = np.zeros(layout.size)
    theta[places] = fit.settled
    theta[own] = BESIDE if limit.value == 0.0 else -BESIDE
    kept = np.sort(np.append(places[fit.kept], own.start)).astype(np.intp)
    yield replace(
        fit, family=state.family, layout=layout, theta=theta, kept=kept, limits=(), falling=None,
        information=Information(np.zeros((len(kept), len(kept)))), dependences=(),
    )  # fmt: skip


def _wider(state: Fitted, fit: Fit, other: Fit, position: int) -> Constrained:
    """The family asked for with the same parameter held."""
    place = int(other.layout.places(fit.limits[0].gone)[position])
    functions = np.zeros((1, other.layout.size))
    functions[0, place] = 1.0
    return Constrained(*state.seen, other, functions, np.zeros(0))


def _from_boundary(state: Fitted, j: int, root: float, beside: list[Fit]) -> tuple[End, End]:
    """Of a parameter on its boundary: that is one end."""
    if not beside:
        label = some(limit.label for limit in state.fit.limits)
        return (End(np.nan, f"at {label} several parameters are gone"),) * 2
    other, limit = beside[0], state.fit.limits[0]
    functions = np.zeros((1, other.layout.size))
    functions[0, other.layout.slices[limit.equation].start] = 1.0
    curve = Curve(
        (Constrained(*state.seen, other, functions, np.zeros(0)),), state.options, state.fit.llf
    )
    side = 1 if limit.value == 0.0 else -1
    start = reached(curve, side * BESIDE, -side, root)
    if start is None:
        return NO_LIMIT, NO_LIMIT
    found, gone = end(curve, start, side, root, start.value + side), End(-side * np.inf)
    return (gone, found) if side > 0 else (found, gone)


def _reported(state: Fitted, j: int, low: End, high: End) -> tuple[float, float]:
    """Ends of a predictor as those of what is reported."""
    found, ends = state.estimates, np.array([low.value, high.value])
    if not (found.natural[j] or found.fixed[j]):
        return float(ends[0]), float(ends[1])
    number = int(found.equations[j])
    natural, share = state.family.equations[number].natural, state.family.parts.get("zero")
    with np.errstate(over="ignore"):
        if natural is not None:
            values = natural(ends)[0]
        elif share is not None:
            # No inflation: reported as a probability, and estimated as a predictor of it.
            etas = [np.zeros(1)] * state.family.q
            values = np.concatenate(
                [
                    share([*etas[:number], ends[i : i + 1], *etas[number + 1 :]]).value
                    for i in (0, 1)
                ]
            )
        else:
            values = np.full(2, np.nan)
    return float(values.min()), float(values.max())
