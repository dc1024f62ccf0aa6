"""Of a result its tables of tests, term by term."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from glmcount.allowed import choice, whole
from glmcount.errors import BoundaryWarning, CovarianceError, NotDefinedError, UsageError, outside
from glmcount.fitted import Fitted
from glmcount.fitting import nested
from glmcount.further import written
from glmcount.inference import anova as analysis
from glmcount.inference import ratio
from glmcount.results.held import Held
from glmcount.results.testing import scored_test, tested

__all__ = ["TermByTerm"]

ANOVA = "Write type=1, 2 or 3; two models are compared by glmcount.lr_test(smaller, larger)."


def _told(rows: Callable[[list[str]], Iterable[analysis.Row]]) -> list[analysis.Row]:
    """Rows of a table; a warning says of each that has no p-value why."""
    told: list[str] = []
    out = list(rows(told))
    for text in told:
        warnings.warn(BoundaryWarning(text, kind="no_test"), stacklevel=outside())
    return out


class TermByTerm:
    """Of a result its tests term by term."""

    _state: Fitted
    _held: Held

    def anova(self, type: int = 2, test: str = "lr", nuisance: str = "estimated") -> pd.DataFrame:
        """Tests term by term, of every equation.

        Parameters
        ----------
        type : {1, 2, 3}
            A term is tested beside those before it as the formula has them (1), beside all that
            do not contain it (2), or beside all others (3, which takes contrasts such as
            ``C(g, Sum)`` in interactions).
        test : {"lr", "wald", "score"}
            By the likelihoods with and without the term, by the estimates and their covariance,
            or by the score without it. Of quasi-likelihoods F tests.
        nuisance : {"estimated", "held"}
            Whether each model estimates its own dispersion, or has that of this fit, as
            ``car::Anova`` and MASS's ``anova`` of ``glm.nb`` do.

        Returns
        -------
        DataFrame
            Columns ``df statistic pvalue``; terms of other equations are ``inflate_<term>``,
            ``hurdle_<term>``, ``dispersion_<term>``. A Wald table of type 3 has the constants.

        Raises
        ------
        NoLikelihoodError
            Likelihood ratios under probability weights.
        NotDefinedError
            Likelihood ratios under a robust covariance; type 3 with levels compared with the
            first in interactions.
        ConvergenceError
            If the model without a term has the larger likelihood.

        Examples
        --------
        >>> import glmcount as gc
        >>> quine = gc.datasets.load("quine")
        >>> r = gc.fit("Days ~ Eth + Sex + Age + Lrn", quine, family="negbin")
        >>> r.anova().round(4).loc["Age"].tolist()
        [3.0, 11.5238, 0.0092]
        """
        whole("type", type, 1, "anova_type", ANOVA, 3)
        choice("test", test, ("lr", "wald", "score"), "unknown_test")
        choice("nuisance", nuisance, ("estimated", "held"), "unknown_nuisance")
        terms = analysis.terms_of(
            self._state, written(self._state), type, test == "wald" and type == 3
        )
        rows = {"lr": self._ratios, "wald": self._walds, "score": self._scores}[test]
        return analysis.table(terms, list(rows(terms, nuisance == "held")))

    def _ratios(self, terms: list[analysis.Term], held: bool) -> Iterable[analysis.Row]:
        state, cov = self._state, self._held.cov
        state.refuse_sampled("A likelihood ratio", " Write r.anova(test='wald').")
        ratio.refuse_robust("A likelihood ratio", cov, "Write r.anova(test='wald')")
        about = self._held.figures.scale, self._freedom
        if held:
            return analysis.held_tests(state, terms, about, False)
        return _told(lambda told: analysis.by_likelihood(state, terms, about, self._compress, told))

    def _walds(self, terms: list[analysis.Term], held: bool) -> Iterable[analysis.Row]:
        if held:
            raise UsageError(
                "A Wald test fits nothing again, so there is nothing to hold: its covariance is "
                "that of the result. Leave nuisance= out, or take test='lr'.",
                kind="wald_nuisance",
            )
        return _told(lambda told: analysis.by_wald(self._state, terms, tested(self._held), told))

    def _scores(self, terms: list[analysis.Term], held: bool) -> Iterable[analysis.Row]:
        state, cov = self._state, self._held.cov
        about = self._held.figures.scale, self._freedom
        if held:
            what = "A score test with dispersion held"
            state.refuse_sampled(what, " Leave nuisance= out.")
            ratio.refuse_robust(what, cov, "Leave nuisance= out")
            return analysis.held_tests(state, terms, about, True)
        fitted = analysis.models(state, self._compress)

        def scored(told: list[str]) -> Iterable[analysis.Row]:
            for term in terms:
                yield self._score_of(term, fitted(term.smaller(state.asked_spec)), told)

        return _told(scored)

    def _score_of(self, term: analysis.Term, null: nested.Nested, told: list[str]) -> analysis.Row:
        state = self._state
        spec = term.larger(state.asked_spec)
        if lost := analysis.unidentified(state, term.smaller(state.asked_spec), null.fit):
            told.append(analysis.untold(term, lost))
            return float("nan"), analysis.own_columns(state, term), float("nan")
        large = null.fit.narrowed(nested.designed(state.asked, spec, state.options.control.memory))
        try:
            found = scored_test(self._held, (null.fit, null.rows, large), term.label)
        except NotDefinedError as error:
            if error.kind == "nothing_added":
                return 0.0, 0, float("nan")
            raise
        except CovarianceError as error:
            if error.kind != "singular_covariance":
                raise
            count = analysis.own_columns(state, term)
            told.append(analysis.undimensioned(term, count))
            return float("nan"), count, float("nan")
        return found.statistic, int(found.df), found.pvalue

    @property
    def _freedom(self) -> float | None:
        """Of a scale that is estimated."""
        return self._state.spread_df if self._state.scaled else None

    @property
    def _compress(self) -> Any:
        return self._state.again.request.compress
