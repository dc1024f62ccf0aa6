"""Parameters that no data could tell apart, and models that only look like it."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.engine.information import Information
from glmcount.errors import RankError
from glmcount.families import families, hurdle, poisson, truncated, zero_inflated
from glmcount.fitting.identified import confused, in_doubt, refuse_unidentified
from glmcount.numerics.control import USUAL
from glmcount.records import replace
from tests.fitting.test_run import fit_of
from tests.made import counts, ready, run_of

DATA = counts()


def lost(formula, family, parts=None, data=DATA):
    rows, layout, measured, own = ready(formula, data, family, parts)
    return confused(rows, layout, measured, own, USUAL).tolist()


@pytest.mark.parametrize(
    ("formula", "family", "parts"),
    [
        ("y ~ x", families["poisson"], None),
        ("y ~ x", families["negbin"], [("dispersion", "x + g")]),
        ("y ~ x", zero_inflated(poisson), [("inflate", "x + g")]),
        ("y ~ 1", zero_inflated(families["negbin"]), [("inflate", "g"), None]),
        ("y ~ g", families["negbinp"], None),
        ("y ~ 1", hurdle(families["negbin"]), None),
        ("y ~ 1", truncated(families["negbin"]), None),
    ],
)
def test_identified_models(formula, family, parts):
    assert lost(formula, family, parts) == []


def test_a_power_of_one_mean_is_no_parameter():
    # Of one mean there is one variance, whatever the power: alpha and the power go together.
    found = lost("y ~ 1", families["negbinp"])
    assert found == [1, 2]


def test_columns_that_depend_on_others_alone_are_another_matter():
    data = DATA | {"twice": 2.0 * DATA["x"]}
    assert lost("y ~ x + twice", families["negbin"], data=data) == []


def test_it_is_refused_by_name_where_the_fit_leaves_a_doubt():
    rows, layout, measured, family = ready("y ~ 1", DATA, "negbinp")
    run = run_of("y ~ 1", DATA, "negbinp")
    fit = fit_of(run)
    assert not in_doubt(fit)
    assert in_doubt(replace(fit, information=Information(np.ones((3, 3)))))
    names = lambda: ("Intercept", "alpha", "power")  # noqa: E731
    with pytest.raises(RankError, match="alpha, power are not identified") as caught:
        refuse_unidentified(rows, measured, layout, family, names)
    assert caught.value.kind == "not_identified"


def test_which_ends_leave_a_doubt():
    run = run_of("y ~ x", DATA, "negbin")
    fit = fit_of(run)
    assert in_doubt(replace(fit, status="maxiter"))
    assert in_doubt(replace(fit, condition=1e10))
    assert in_doubt(replace(fit, limits=(families["negbin"].limits[0],)))
    one = fit_of(run_of("y ~ x", DATA))
    assert not in_doubt(replace(one, status="maxiter", condition=1e10))
