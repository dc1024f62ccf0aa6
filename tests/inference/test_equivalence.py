"""Two one-sided tests against their formulas and against intervals."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

import glmcount as gc

DATA = gc.datasets.load("biochemists")


@pytest.fixture(scope="module", params=["poisson", "quasipoisson", "negbin"])
def result(request):
    return gc.fit("art ~ fem + kid5 + phd + ment", DATA, family=request.param)


def test_it_is_the_larger_of_two_one_sided_tests(result):
    b, s = result.params["phd"], result.bse["phd"]
    found = result.equivalence("phd", -0.05, 0.1)
    z = min((b + 0.05) / s, (0.1 - b) / s)
    quasi = result.model.family == "quasipoisson"
    law = stats.t(result.df_resid) if quasi else stats.norm
    assert found.statistic == pytest.approx(z, rel=1e-10)
    assert found.pvalue == pytest.approx(law.sf(z), rel=1e-8)
    assert found.distribution == ("t" if quasi else "normal")
    assert found.estimate == pytest.approx(b) and found.hypothesis == "phd <= -0.05 or phd >= 0.1"
    assert found.conf_int == pytest.approx(tuple(result.conf_int(0.1).loc["phd"]), rel=1e-9)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("bound", [0.02, 0.05, 0.08, 0.1, 0.2])
def test_it_concludes_just_where_the_interval_lies_within_the_bounds(result, alpha, bound):
    found = result.equivalence("phd", -bound, bound, alpha=alpha)
    low, high = result.conf_int(2 * alpha).loc["phd"]
    assert (found.pvalue <= alpha) == (-bound <= low and high <= bound)


def test_ratios_and_combinations(result):
    plain = result.equivalence("kid5 - 2*phd", np.log(0.5), np.log(2))
    ratio = result.equivalence("kid5 - 2*phd", 0.5, 2, exponentiate=True)
    assert ratio.statistic == pytest.approx(plain.statistic, rel=1e-12)
    assert ratio.estimate == pytest.approx(np.exp(plain.estimate))
    assert ratio.conf_int == pytest.approx(tuple(np.exp(plain.conf_int)))
    assert ratio.hypothesis == "exp(kid5 - 2*phd) <= 0.5 or exp(kid5 - 2*phd) >= 2"
    single = result.t_test("kid5 - 2*phd")
    assert plain.estimate == pytest.approx(single.estimate[0], rel=1e-12)


def test_an_effect_outside_the_bounds_is_no_evidence(result):
    found = result.equivalence("ment", -0.01, 0.01)
    assert found.statistic < 0 and found.pvalue > 0.5


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (("phd", 0.1, -0.1), "bounds"),
        (("phd", -np.inf, 0.1), "bounds"),
        (("phd", "a", 0.1), "bounds"),
        (("phd = 0, ment = 0", -1, 1), "one_combination"),
        (("phd = 0.1", -1, 1), "one_combination"),
    ],
)
def test_usage(result, call, kind):
    with pytest.raises(gc.errors.UsageError) as caught:
        result.equivalence(*call)
    assert caught.value.kind == kind
    with pytest.raises(gc.errors.UsageError):
        result.equivalence("phd", -0.1, 1.1, exponentiate=True)
    with pytest.raises(gc.errors.UsageError):
        result.equivalence("phd", -0.1, 1.1, alpha=0.5)


def doubts(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [(each.message.kind, str(each.message)) for each in caught]


def test_bounds_that_leave_no_effect_out_are_told(result):
    ((kind, text),) = doubts(lambda: result.equivalence("phd", 0.8, 1.25))
    assert kind == "one_sided_bounds"
    assert text.endswith("write low=0.8, high=1.25, exponentiate=True.")
    assert result.equivalence("phd", 0.8, 1.25, exponentiate=True).pvalue < 0.05
    ((_, text),) = doubts(lambda: result.equivalence("phd", 0, 0.3))
    assert "exponentiate" not in text and "low=-0.2, high=0.2" in text
    ((_, text),) = doubts(lambda: result.equivalence("phd", 1.1, 1.4, exponentiate=True))
    assert "one side of 1" in text
    assert doubts(lambda: result.equivalence("phd", -0.1, 1.25)) == []
    assert doubts(lambda: result.equivalence("phd", 0.8, 1.25, exponentiate=True)) == []


def test_bounds_of_what_has_no_ratio_are_told_without_one():
    root = gc.fit("art ~ phd", DATA, link="sqrt")
    ((kind, text),) = doubts(lambda: root.equivalence("phd", 0.8, 1.25))
    assert kind == "one_sided_bounds" and "exponentiate" not in text


def test_what_has_no_test_is_named():
    wide = gc.fit("art ~ phd", DATA, family="negbin")
    far = gc.fit("y ~ x", {"y": [0, 0, 3, 4], "x": [0, 0, 1, 1]}, separation="ignore")
    for result, name in ((wide, "alpha"), (far, "x")):
        with pytest.raises(gc.errors.NotDefinedError) as caught:
            result.equivalence(name, 0.5, 2)
        assert caught.value.kind == "no_equivalence"
    root = gc.fit("art ~ phd", DATA, link="sqrt")
    with pytest.raises(gc.errors.NotDefinedError):
        root.equivalence("phd", 0.5, 2, exponentiate=True)


def test_degrees_of_freedom_that_are_whole_are_ints():
    quasi = gc.fit("art ~ fem + phd", DATA, family="quasipoisson").equivalence("phd", -1.0, 1.0)
    normal = gc.fit("art ~ fem + phd", DATA).equivalence("phd", -1.0, 1.0)
    assert isinstance(quasi.df, int) and isinstance(normal.df, int)
    assert (quasi.df, normal.df) == (912, 1)


def test_its_level_is_that_of_one_side():
    result = gc.fit("art ~ phd", DATA)
    assert doubts(lambda: result.equivalence("phd", -0.1, 0.1, alpha=0.3)) == []
    found = result.equivalence("phd", -0.1, 0.1, alpha=0.3)
    reach = stats.norm.isf(0.3) * result.bse["phd"]
    b = result.params["phd"]
    assert found.conf_int == pytest.approx((b - reach, b + reach), rel=1e-9)
    with pytest.raises(gc.errors.UsageError, match=r"below 0\.5, such as 0\.05; got 0\.95"):
        result.equivalence("phd", -0.1, 0.1, alpha=0.95)
