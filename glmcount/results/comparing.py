"""Tests of one result against another."""

from __future__ import annotations

import math
import sys
from typing import Any

from glmcount.allowed import generator, shown, whole
from glmcount.errors import GlmcountError, NotDefinedError, UsageError
from glmcount.fitted import Fitted
from glmcount.front import public
from glmcount.inference.ratio import Compared, compared, refuse_robust
from glmcount.inference.tests import TestResult
from glmcount.inference.watch import Watch
from glmcount.results.redrawn import drawn_ratio
from glmcount.results.result import Results

__all__ = ["lr_test"]

INSTEAD = "Test the larger model's coefficients by r1.wald_test(...)"
# Draws whose models cannot be fitted, beyond which what is left is no sample.
MOST_FAILED = 0.1


@public
def lr_test(
    r0: Results, r1: Results, *, bootstrap: int | None = None, rng: Any = None
) -> TestResult:
    """Likelihood-ratio test of a model within a larger one.

    With l0 and l1 the maxima, T = 2 (l1 - l0) is compared with chi2(df), df the parameters that
    the larger model has more (Wilks 1938). Where the smaller model is the boundary of one of them,
    as Poisson is that of NB2 at alpha = 0, or no inflation that of a zero-inflated model, with
    1/2 chi2(df - 1) + 1/2 chi2(df) (Self & Liang 1987, case 6). Where parameters mean nothing under
    the null, such as the slopes of an inflation that is not there, no such law is known, and
    `bootstrap=` draws it: responses of the smaller model, to which both are fitted.

    Parameters
    ----------
    r0, r1 : Results
        The smaller model, and one that contains it: of the same rows, responses and weights, its
        family the same or a larger one, its columns spanning those of the smaller.
    bootstrap : int, optional
        So many draws; p = (1 + draws with T at least as large) / (draws + 1). Each fits both
        models again, and ``control=glmcount.Control(progress=True)`` of either fit tells how many
        are done. Of a row with a whole frequency weight w there are w counts to a draw; drawn
        counts are cut at the limits of censored ones.
    rng : int or numpy.random.Generator, optional
        Of these draws.

    Returns
    -------
    TestResult

    Raises
    ------
    UsageError
        If the models are not nested, or of different data.
    NoLikelihoodError
        Of quasi-likelihoods, and under probability weights.
    NotDefinedError
        Under a robust covariance; where only a bootstrap tells; and of a bootstrap under weights
        that are no numbers of copies, or where uncensored rows have no limit.
    ConvergenceError
        If the smaller model has the larger likelihood.

    Examples
    --------
    >>> import glmcount as gc
    >>> quine = gc.datasets.load("quine")
    >>> r0 = gc.fit("Days ~ Eth", quine, family="negbin")
    >>> r1 = gc.fit("Days ~ Eth + Sex + Age + Lrn", quine, family="negbin")
    >>> test = gc.lr_test(r0, r1)
    >>> round(test.statistic, 6), test.df, round(test.pvalue, 4)
    (13.482787, 5, 0.0193)
    """
    for each in (r0, r1):
        if not isinstance(each, Results):
            raise UsageError(
                f"lr_test(r0, r1) takes two results of fit, the smaller model first; got "
                f"{shown(each)}.",
                kind="lr_test",
            )
        each._state.information_criterion("lr_test", 0.0)
        refuse_robust("A likelihood-ratio test", each._held.cov, INSTEAD)
    null, full = r0._state, r1._state
    found = _in_order(null, full)
    if bootstrap is not None:
        reps = whole("bootstrap", bootstrap, 1, "bootstrap", "It is the number of draws.")
        return _bootstrapped(null, full, found, reps, rng)
    if found.unidentified:
        raise NotDefinedError(
            f"This likelihood ratio has no law that is known: {found.unidentified}. Draw it: "
            "glmcount.lr_test(r0, r1, bootstrap=99, rng=1), which fits both models again for each "
            "draw.",
            kind="unidentified_null",
        )
    return TestResult(
        found.statistic,
        found.pvalue,
        found.df,
        found.distribution,
        found.hypothesis,
        title="LR test",
    )


def _in_order(null: Fitted, full: Fitted) -> Compared:
    """The comparison; of models in the other order an error that says so."""
    try:
        return compared(null, full)
    except UsageError as problem:
        if problem.kind != "not_nested" or not _contains(null, full):
            raise
    raise UsageError(
        "The first model contains the second. Pass the smaller one first: lr_test(r1, r0).",
        kind="not_nested",
    )


def _contains(larger: Fitted, smaller: Fitted) -> bool:
    try:
        compared(smaller, larger)
    except GlmcountError:
        return False
    return True


def _bootstrapped(null: Fitted, full: Fitted, found: Compared, reps: int, rng: Any) -> TestResult:
    """The p-value by responses drawn from the smaller model."""
    ratio_of, control = drawn_ratio(null, full), full.options.control
    told = bool(control.progress or null.options.control.progress)
    watch = Watch(reps, "draws", sys.stderr if told else None)
    source, more, failed = generator(rng), 0, 0
    for number in range(reps):
        try:
            ratio = ratio_of(source)
        except GlmcountError:
            ratio = math.nan
        failed += math.isnan(ratio)
        more += ratio >= found.statistic - 1e-9
        watch.tell(number + 1)
    done = reps - failed
    note = f"{done} draws" if not failed else f"{done} draws, {failed} more could not be fitted"
    if failed > MOST_FAILED * reps:
        raise NotDefinedError(
            f"Of {reps} responses drawn from the smaller model {failed} could not be fitted: what "
            "is left is no sample of them. Simplify the models.",
            kind="bootstrap_failed",
        )
    pvalue = (1.0 + more) / (done + 1.0)
    return TestResult(
        found.statistic,
        pvalue,
        found.df,
        "bootstrap",
        found.hypothesis,
        title="LR test",
        note=note,
    )
