"""Our side of the cases: from a formula and a DataFrame to estimates as arrays.

A side is a function of the frame that imports what it needs, prepares what does not count and
returns a function without arguments: the fit that is timed. So neither timing nor memory includes
an import, and memory of one side is measured without the other loaded.
"""

import itertools
import subprocess
import sys
from time import perf_counter
from typing import NamedTuple

import numpy as np

from benchmarks.frames import CELL_LEVELS, LEVELS, PARTS, numbered

FACTORS = [*LEVELS, "u", "v"]
FACTORS_FORMULA = "y ~ " + " + ".join(FACTORS)
CELLS_FORMULA = "y ~ " + " + ".join(CELL_LEVELS)
PARTS_TERMS = " + ".join(PARTS)
PARTS_FORMULA = f"y ~ {PARTS_TERMS}"
WARPBREAKS_FORMULA = "breaks ~ wool * tension"
ADDITIVE_FORMULA = "breaks ~ wool + tension"
# Numbers of column names that no fit of the process has seen.
UNSEEN = itertools.count()


class Estimates(NamedTuple):
    """What a fit is compared by; `part` tells which of our coefficients a peer estimates."""

    coefficients: np.ndarray | None = None
    errors: np.ndarray | None = None
    converged: bool = True
    # Of a fit that timed itself, since something before it does not count.
    seconds: float | None = None
    part: slice = slice(None)
    note: str = ""


VISITS = ("hospital", "chronic", "school", "private", "male")
VISITS_FORMULA = "visits ~ " + " + ".join(VISITS)


def dense_formula(count):
    """All numeric columns of a frame."""
    return "y ~ " + " + ".join(numbered(count))


def ours(formula, **options):
    """Our fit of a formula, with standard errors."""

    def load(frame):
        import glmcount

        def fit(threads=None):
            control = glmcount.Control(threads=threads)
            result = glmcount.fit(formula, data=frame, control=control, **options)
            return Estimates(result.params.to_numpy(), result.bse.to_numpy())

        return fit

    return load


def ours_slopes(formula):
    """Average slopes by all columns, with standard errors; the fit does not count."""

    def load(frame):
        import glmcount

        result = glmcount.fit(formula, data=frame)
        result.slopes()

        def slopes(threads=None):
            table = result.slopes()
            return Estimates(table.estimate.to_numpy(), table.std_error.to_numpy())

        return slopes

    return load


def ours_covariance(formula, cov, **options):
    """Another covariance of a fit, which does not count."""

    def load(frame):
        import glmcount

        result = glmcount.fit(formula, data=frame, **options)

        def covariance(threads=None):
            found = result.with_cov(cov(glmcount))
            return Estimates(result.params.to_numpy(), found.bse.to_numpy())

        return covariance

    return load


def ours_clustered(formula, cov):
    """Our fit with a covariance that it is asked for, from the formula to standard errors."""

    def load(frame):
        import glmcount

        def fit(threads=None):
            result = glmcount.fit(formula, data=frame, cov=cov(glmcount))
            return Estimates(result.params.to_numpy(), result.bse.to_numpy())

        return fit

    return load


def ours_score_bootstrap(formula, hypothesis, groups):
    """A score bootstrap of 9,999 draws; the fit does not count."""

    def load(frame):
        import glmcount

        result = glmcount.fit(formula, data=frame)

        def test(threads=None):
            found = result.score_bootstrap(hypothesis, groups, rng=1)
            return Estimates(np.array([found.statistic]), np.array([1.0]))

        return test

    return load


def ours_profile(formula, name, **options):
    """The profile interval of one parameter; the fit does not count."""

    def load(frame):
        import glmcount

        result = glmcount.fit(formula, data=frame, **options)

        def profile(threads=None):
            ends = result.conf_int(method="profile", parameters=name).to_numpy()[0]
            # Both ends in the place of estimates: there are no errors of an interval.
            return Estimates(ends, ends)

        return profile

    return load


def growing(count):
    """Our fit of the first numeric columns; its note is the number of steps on all rows."""

    def load(frame):
        import glmcount

        formula = dense_formula(count)

        def fit():
            result = glmcount.fit(formula, data=frame)
            errors = result.bse.to_numpy()
            steps = sum(not step.pilot for step in result.history)
            return Estimates(result.params.to_numpy(), errors, note=str(steps))

        return fit

    return load


def unseen(frame):
    """The looms under column names that the process has not seen, and the formula in them."""
    number = next(UNSEEN)
    names = {"breaks": f"breaks{number}", "wool": f"wool{number}", "tension": f"tension{number}"}
    return frame.rename(columns=names), "{breaks} ~ {wool} * {tension}".format(**names)


def ours_first(frame):
    """Our first fit of a formula, in a process that has fitted others."""
    import glmcount

    def fit():
        renamed, formula = unseen(frame)
        begin = perf_counter()
        result = glmcount.fit(formula, data=renamed)
        coefficients, errors = result.params, result.bse
        spent = perf_counter() - begin
        return Estimates(coefficients.to_numpy(), errors.to_numpy(), seconds=spent)

    return fit


def responses(frame):
    """The looms' counts in one order after another, the same for whoever asks."""
    rng = np.random.default_rng(54)
    while True:
        yield rng.permutation(frame["breaks"].to_numpy())


def ours_refit(formula):
    """Our fit of another response on the design of a fit."""

    def load(frame):
        import glmcount

        result = glmcount.fit(formula, data=frame)
        drawn = responses(frame)

        def fit():
            y = next(drawn)
            begin = perf_counter()
            again = result.refit(y=y)
            coefficients, errors = again.params, again.bse
            spent = perf_counter() - begin
            return Estimates(coefficients.to_numpy(), errors.to_numpy(), seconds=spent)

        return fit

    return load


def imports(modules):
    """The import of modules by a fresh interpreter, whose own start does not count."""
    statement = (
        "from time import perf_counter; begin = perf_counter(); "
        f"import {modules}; print(perf_counter() - begin)"
    )

    def load(frame):
        def fit():
            command = [sys.executable, "-c", statement]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
            return Estimates(seconds=float(done.stdout))

        return fit

    return load
