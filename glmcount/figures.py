"""Figures of a fit that take passes over its rows, each made when it is first asked for.

They go to another process with the fit, where there are no rows to make them of.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar

import numpy as np

from glmcount.design.recall import planned_layout
from glmcount.diagnostics import residuals, verdicts
from glmcount.engine.strip import Strip
from glmcount.engine.weigh import Unweighed
from glmcount.errors import DataChangedError, GlmcountError, NoRowsError, NotDefinedError
from glmcount.families.base import Family
from glmcount.fitted import Fitted
from glmcount.fitting.certificate import Certificate
from glmcount.fitting.constant import spans_constant
from glmcount.fitting.digits import PRECISE
from glmcount.fitting.null import limit_llf, null_deviance, null_fit, tested
from glmcount.fitting.run import Fit
from glmcount.fitting.sums import rows_of, total
from glmcount.numerics import Array
from glmcount.records import cached_property

__all__ = ["Figures", "attempt"]

T = TypeVar("T")


def attempt(make: Callable[[], T]) -> T | GlmcountError:
    """A figure, or why there is none.

    Raises
    ------
    DataChangedError
        That the data are others is no fact of the fit.
    """
    try:
        return make()
    except DataChangedError:
        raise
    except GlmcountError as error:
        return error.with_traceback(None)


def figure(make: Callable[[Figures], T]) -> cached_property[T]:
    """A figure that is kept, and so is the refusal of one that there is not."""
    name = make.__name__

    @wraps(make)
    def found(own: Figures) -> T:
        refusal = own.refused.get(name)
        if refusal is not None:
            raise refusal
        return make(own)

    return cached_property(found)


def _under_constant(family: Family, strip: Strip, null: float) -> tuple[Array, Array]:
    """Unit deviances and log-likelihoods of rows whose predictor is a constant and the offset."""
    offset = strip.offsets[0]
    own = np.array([null]) if offset is None else null + offset
    alone = Unweighed(strip.y, strip.weights, (own,), None)
    return residuals.unit_deviance(family, alone), family.terms(alone.y, alone.etas).value


class Figures:
    """Figures of a fit.

    Parameters
    ----------
    found : Fitted
    known : dict, optional
        Figures by name that need not be made again; an error where there is none.
    """

    def __init__(self, found: Fitted, known: dict[str, Any] | None = None) -> None:
        self.found = found
        self.refused: dict[str, GlmcountError] = {}
        for name, value in (known or {}).items():
            if isinstance(value, GlmcountError):
                self.refused[name] = value
            else:
                self.__dict__[name] = value

    def known(self) -> dict[str, Any]:
        """All of them; an error where there is none."""
        every = {name: attempt(partial(getattr, self, name)) for name in FIGURES}
        return {name: one for name, one in every.items() if not isinstance(one, NoRowsError)}

    def __reduce__(self) -> tuple[Any, ...]:
        return Figures, (self.found, self.known())

    @figure
    def constants(self) -> tuple[bool, ...]:
        """Whether each equation asked for spans a constant."""
        found, control = self.found, self.found.options.control
        rows, layout = found.seen[0], planned_layout(found.asked_spec)
        others = (spans_constant(rows, layout, k, control) for k in range(1, layout.q))
        return (self.constant, *others)

    @figure
    def constant(self) -> bool:
        """Whether the mean equation spans a constant."""
        found, layout = self.found, self.found.fit.layout
        # What a formula tells of it takes no rows.
        return layout.constants[0] is not None or spans_constant(
            found.seen_here[0], layout, 0, found.options.control
        )

    @cached_property
    def _null(self) -> Fit:
        found = self.found
        return null_fit(*found.seen, found.family, self.constants, found.options.control)

    @figure
    def llnull(self) -> float:
        """Log-likelihood with every equation a constant; offsets stay."""
        self.found.likelihood("llnull")
        return self._null.llf

    @property
    def prsquared(self) -> float:
        """McFadden's 1 - llf / llnull."""
        if self.llnull == 0.0:
            raise NotDefinedError(
                "prsquared divides by llnull, which is 0: constants alone fit the counts exactly.",
                kind="no_null",
            )
        return 1.0 - self.found.fit.llf / self.llnull

    @figure
    def llr_df(self) -> int:
        """Columns of every equation beyond its constant."""
        found = self.found
        found.likelihood("llr_df")
        if found.family.q == 1:
            # Nothing of a single equation is lost at a boundary.
            return len(found.fit.kept) - int(self.constant)
        return tested(found.fit, self._null, found.columns, self.constants)

    def _total(self, what: Callable[[Family, Unweighed], Array]) -> float:
        fit = self.found.fit
        return total(self.found.rows, fit, lambda rows: what(fit.family, rows))

    def prepare(self) -> None:
        """Make by one pass what a summary tells of the rows, where the null model needs none.

        So it is where one equation has a constant and its mean is the mean count, or rate.
        """
        found, known, held = self.found, self.__dict__, self.found.held
        null = self._closed_null()
        made = known.keys() & {"deviance", "pearson_chi2", "null_deviance", "llnull"}
        if held is None or null is None or made:
            return
        fit, family = found.fit, found.fit.family

        def look(strip: Strip) -> Array:
            rows = rows_of(fit.layout, strip, fit.theta)
            every = [
                residuals.pearson_square(family, rows),
                residuals.unit_deviance(family, rows),
                *_under_constant(family, strip, null),
            ]
            whole = (np.broadcast_to(values, (strip.n,)) for values in every)
            w = strip.weights
            return np.array([v.sum() if w is None else np.dot(v, w) for v in whole])

        chi2, deviance, null_deviance, llf = held.rows.fold(look, np.add).tolist()
        known |= {"pearson_chi2": chi2, "deviance": deviance, "null_deviance": null_deviance}
        if found.family.likelihood:
            known["llnull"] = llf + found.measured.constant

    def _closed_null(self) -> float | None:
        """The constant predictor of the null model, where the counts' sums give it."""
        found = self.found
        if found.held is None or found.held.cells is not None:
            return None
        family, sums = found.fit.family, found.measured.sums
        offsets = found.spec.equations[0].offsets or found.spec.exposure
        exact = family.collapse == "mean" or (family.collapse == "eta" and not offsets)
        if family.q > 1 or not exact or family.deviance is None or found.fit.limits:
            return None
        if sums.largest > PRECISE:
            return None
        return family.start(sums)[0] if self.constant else None

    @figure
    def deviance(self) -> float:
        """2 (saturated - fitted), at the fitted ancillary parameters."""
        return self._total(residuals.unit_deviance)

    @figure
    def null_deviance(self) -> float:
        """Deviance of a constant mean at this model's ancillary parameters."""
        found = self.found
        if found.fit.family.deviance is None:
            raise NotDefinedError(
                f"{found.family.label} has no saturated model.", kind="no_deviance"
            )
        null, family = self._closed_null(), found.fit.family
        if null is None:
            control = found.options.control
            return null_deviance(*found.seen_here, found.fit, self.constant, control)

        def look(strip: Strip) -> float:
            each = np.broadcast_to(_under_constant(family, strip, null)[0], (strip.n,))
            return float(each.sum() if strip.weights is None else np.dot(each, strip.weights))

        # As `prepare` has it, to the last digit.
        return found.rows.fold(look, float.__add__)

    @figure
    def pearson_chi2(self) -> float:
        """Sum of squared Pearson residuals."""
        return self._total(residuals.pearson_square)

    @figure
    def scale(self) -> float:
        """1, or Pearson chi-squared / df_resid for quasi-likelihoods."""
        scale = self.found.family.scale
        if scale != "pearson":
            return float(scale)
        return self.pearson_chi2 / self.found.spread_df

    @figure
    def limits(self) -> tuple[tuple[str, str, float | None], ...]:
        """Boundaries that a likelihood ratio tests, the family there, its log-likelihood."""
        found, out = self.found, []
        for limit in found.fit.family.limits:
            own = found.fit.layout.slices[limit.equation]
            if limit.lost or own.stop - own.start > 1 or found.importance:
                # More than one parameter goes, or rows do not count once: not half chi2(1).
                continue
            llf = limit_llf(*found.seen_here, found.fit, limit, found.options.control)
            out.append((limit.label, limit.family.label, llf))
        return tuple(out)

    @figure
    def n_cells(self) -> int | None:
        """Weighted cells of equal rows that were fitted; None where it was the rows."""
        cells = self.found.cells
        return None if cells is None else cells.grouping.n_cells

    @figure
    def certificate(self) -> Certificate:
        """What is known of how near the maximum this is."""
        return verdicts.certificate(self.found)


FIGURES = (
    "constant", "constants", "deviance", "pearson_chi2", "scale", "null_deviance", "llnull",
    "llr_df", "limits", "certificate", "n_cells",
)  # fmt: skip
