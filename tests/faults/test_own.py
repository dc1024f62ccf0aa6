"""Families, links and covariances of a user's own: what is not as it must be is refused by name."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import glmcount as gc
from glmcount import families
from glmcount.covariances import Covariance, Needs
from glmcount.errors import CovarianceError, NoRowsError, UsageError
from glmcount.families import Equation, Family, Link
from glmcount.families.combine.hold import hold
from glmcount.families.combine.links import links
from glmcount.inference.covariance import ESTIMATORS, Estimator, register_estimator
from glmcount.numerics.jets import Jet, constant_jet, eta_jet, exp_jet

POISSON = families.poisson
DATA = {"y": [1.0, 3, 2, 6, 0, 1], "x": [0.0, 1, 0, 1, 0, 1]}

WRONG = {
    "negbin text": lambda: families.negbin("a"),
    "negbin none of both": lambda: families.negbin(True),
    "negbin negative": lambda: families.negbin(-1.0),
    "negbin endless": lambda: families.negbin(float("inf")),
    "negbin list": lambda: families.negbin([1.0]),
    "negbin huge": lambda: families.negbin(10**400),
    "negbin_canonical": lambda: families.negbin_canonical("a"),
    "negbinp": lambda: families.negbinp("a"),
    "negbinp nan": lambda: families.negbinp(float("nan")),
    "genpoisson": lambda: families.genpoisson("a"),
    "genpoisson none": lambda: families.genpoisson(None),
    "genpoisson under": lambda: families.genpoisson(1.0, under="yes"),
    "power_of_mean": lambda: families.power_of_mean("a"),
    "zero_inflated name": lambda: families.zero_inflated("poisson", 3),
    "zero_inflated zero": lambda: families.zero_inflated(POISSON, 3),
    "zero_inflated named zero": lambda: families.zero_inflated(POISSON, "logit"),
    "zero_inflated counts": lambda: families.zero_inflated(POISSON, POISSON),
    "zero_inflated quasi": lambda: families.zero_inflated(families.quasipoisson),
    "hurdle none": lambda: families.hurdle(None),
    "hurdle zero": lambda: families.hurdle(POISSON, 0),
    "hurdle of a hurdle": lambda: families.hurdle(families.hurdle(POISSON)),
    "hurdle of an event": lambda: families.hurdle(families.bernoulli),
    "truncated text": lambda: families.truncated(POISSON, "x"),
    "truncated name": lambda: families.truncated("poisson"),
    "truncated half": lambda: families.truncated(POISSON, 0.5),
    "truncated quasi": lambda: families.truncated(families.quasipoisson),
    "censored name": lambda: families.censored("poisson"),
    "censored function": lambda: families.censored(families.negbin),
    "compose name": lambda: families.compose("poisson", "log"),
    "compose nothing": lambda: families.compose(None, None),
    "compose link": lambda: families.compose(POISSON, 3),
    "compose unknown": lambda: families.compose(POISSON, "lg"),
    "reparametrise name": lambda: families.reparametrise("negbin", families.power_of_mean(1.0)),
    "reparametrise map": lambda: families.reparametrise(POISSON, 3),
    "reparametrise arguments": lambda: families.reparametrise(POISSON, lambda: None),
    "reparametrise field": lambda: families.reparametrise(
        POISSON, lambda etas: (eta_jet(etas, 0),), labl="x"
    ),
    "with_": lambda: POISSON.with_(nam="mine"),
    "derived": lambda: POISSON.derived(likelyhood=False),
    "hold name": lambda: hold("negbin", [0.0]),
    "hold none": lambda: hold(families.negbin(), []),
    "hold text": lambda: hold(families.negbin(), ["a"]),
    "resolve": lambda: families.resolve(3),
    "register": lambda: families.register("poisson"),
    "register_link": lambda: families.register_link("log"),
    "register_estimator": lambda: register_estimator("HC1"),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
def test_functions_that_make_families_say_what_they_take(call):
    with pytest.raises(UsageError) as caught:
        call()
    assert caught.value.kind != "usage"
    told = ("must be", "no link", "no field", "needs a", "is made of", "are an event")
    assert any(words in str(caught.value) for words in told)


def test_a_name_in_the_place_of_a_family_is_told_how_to_become_one():
    with pytest.raises(UsageError, match=r"resolve\('poisson'\)"):
        families.truncated("poisson")


def test_numbers_of_numpy_are_numbers():
    assert families.negbin(np.float64(0.5)).label == families.negbin(0.5).label
    assert families.negbinp(np.int64(1)).label == families.negbinp(1).label
    assert (
        families.genpoisson(np.float32(1.5), under=np.False_).label
        == "Generalized Poisson (GP-1.5)"
    )


def poisson_terms(y, etas):
    mu = np.exp(etas[0])
    return Jet(y[0] * etas[0] - mu, (y[0] - mu,), ((-mu,),))


def poisson_moments(etas):
    mean = exp_jet(eta_jet(etas, 0))
    return mean, mean


FACTS = {
    "name": "own",
    "aliases": (),
    "label": "Own",
    "equations": (Equation("mean"),),
    "terms": poisson_terms,
    "constant": lambda y: np.zeros(y.shape[1]),
    "moments": poisson_moments,
    "sample": lambda rng, etas: rng.poisson(np.exp(etas[0])).astype(float),
    "start": lambda sums: (float(np.log(sums.mean)),),
    "mean_equation": True,
    "mean_log": True,
}


def own(**changes):
    return Family(**(FACTS | changes))


def with_slope(factor, bend):
    def terms(y, etas):
        jet = poisson_terms(y, etas)
        return Jet(jet.value, (factor * jet.d1[0],), ((bend * jet.d2[0][0],),))

    return terms


def poisson_in(function):
    def moments(etas):
        return tuple(map(function, poisson_moments(etas)))

    return moments


BROKEN = {
    "terms": [
        lambda y: 0.0,
        "poisson",
        lambda y, etas: np.zeros(y.shape[1]),
        lambda y, etas: Jet(np.float64(1.0), (None,), ((None,),)),
        lambda y, etas: Jet(np.zeros(2), (None,), ((None,),)),
        lambda y, etas: Jet(np.full(y.shape[1], np.nan), (None,), ((None,),)),
        lambda y, etas: Jet(np.zeros(y.shape[1]), (None, None), ((None,),)),
        lambda y, etas: Jet(np.zeros(y.shape[1]), (None,), ((None, None),)),
        lambda y, etas: Jet(np.zeros(y.shape[1]), (np.zeros(7),), ((None,),)),
        lambda y, etas: 1 / 0,
        lambda y, etas: etas[1],
        lambda y, etas: y.mu,
        with_slope(-1.0, 1.0),
        with_slope(1.0, 0.5),
        with_slope(1.0, -1.0),
    ],
    "moments": [
        lambda etas: poisson_moments(etas)[0],
        lambda etas: (np.exp(etas[0]), np.exp(etas[0])),
        lambda etas: (poisson_moments(etas)[0], constant_jet(np.array([-1.0]), 1)),
        poisson_in(lambda jet: Jet(jet.value, (2.0 * jet.d1[0],), jet.d2)),
        lambda y, etas: poisson_moments(etas),
    ],
    "constant": [lambda y: 0.0, lambda y: np.full(y.shape[1], np.nan), lambda y: y],
    "sample": [
        lambda etas: np.zeros(3),
        lambda rng, etas: 1,
        lambda rng, etas: rng.normal(size=len(etas[0])),
        lambda rng, etas: np.zeros(len(etas[0]) + 1),
    ],
    "start": [
        lambda sums: 1.0,
        lambda sums: (0.0, 1.0),
        lambda sums: (np.nan,),
        lambda sums: ("a",),
        lambda sums: (sums.mu,),
    ],
    "deviance": [lambda y, etas: float(y.sum()), lambda y: y],
    "mass": [lambda y, etas: np.zeros(1)],
    "name": ["", 3],
    "label": ["", None],
    "aliases": ["nb", ["nb"], (1,)],
    "columns": ["limit"],
    "concave_links": ["log"],
    "equations": [(), ["mean"], ("mean",), Equation("mean")],
    "typical": [(), (-1.0, 2.0), ((2.0, -1.0),)],
    "support": [0.0, (3.0, 1.0)],
}
EVERY = [(name, i) for name, values in BROKEN.items() for i in range(len(values))]


@pytest.mark.parametrize(("name", "number"), EVERY)
@pytest.mark.parametrize("use", ["fit", "register"])
def test_a_family_that_cannot_be_used_names_what_is_wrong(name, number, use):
    family = own(**{name: BROKEN[name][number]})
    before = dict(families.families)
    with pytest.raises(UsageError, match=f"{name} of ") as caught:
        if use == "fit":
            gc.fit("y ~ x", DATA, family=family)
        else:
            families.register(family)
    assert caught.value.kind in ("own_family", "own_function")
    assert families.families == before


def test_a_family_that_can_be_used_is_tried_once():
    seen = []

    def terms(y, etas):
        seen.append(y.shape)
        return poisson_terms(y, etas)

    family = own(terms=terms)
    first = gc.fit("y ~ x", DATA, family=family)
    np.testing.assert_allclose(first.params, gc.fit("y ~ x", DATA).params)
    tried = seen.count((1, 3))
    assert tried > 0
    gc.fit("y ~ x", DATA, family=family)
    gc.fit("y ~ x", DATA, family=families.compose(family, "sqrt"))
    families.resolve(families.zero_inflated(family))
    assert seen.count((1, 3)) == tried


def test_a_family_inside_another_is_tried_too():
    family = families.truncated(own(terms=with_slope(1.0, 0.5)))
    with pytest.raises(UsageError, match=r"d2\[0\]\[0\] of terms of the family 'own'"):
        gc.fit("y ~ x", {"y": [1, 2, 3], "x": [0, 1, 2]}, family=family)


def test_a_map_of_a_users_own_is_tried():
    def bent(etas):
        return (Jet(etas[0] + 0.1 * etas[0] ** 2, (np.ones(1),), ((None,),)),)

    wrong = families.reparametrise(POISSON, bent, name="bent")
    with pytest.raises(UsageError, match=r"d1\[0\] of terms of the family 'bent'.*differences"):
        gc.fit("y ~ x", DATA, family=wrong)


@pytest.mark.parametrize("power", [1.5, None])
def test_a_map_in_powers_of_the_mean_pickles(power):
    family = families.reparametrise(
        families.negbin(),
        families.power_of_mean(power),
        deviance=None,
        **({} if power else {"equations": families.resolve("negbinp").equations}),
    )
    again = pickle.loads(pickle.dumps(family))  # noqa: S301
    etas = (np.array([0.3]), np.array([-0.2]), np.array([1.4]))[: family.q]
    y = np.array([[2.0]])
    assert again.terms(y, etas).value[0] == family.terms(y, etas).value[0]
    assert again.moments(etas)[1].value[0] == family.moments(etas)[1].value[0]


def cube_root(lp):
    safe = np.where(lp > 0, lp, np.nan)
    return 3.0 * np.log(safe), 3.0 / safe, -3.0 / safe**2


WRONG_LINKS = {
    "name": [(3, cube_root, np.cbrt), ("", cube_root, np.cbrt)],
    "own": [
        ("own", 3, np.cbrt),
        ("own", lambda: 0.0, np.cbrt),
        ("own", lambda lp: np.log(lp), np.cbrt),
        ("own", lambda lp: (np.log(lp), 1.0 / lp), np.cbrt),
        ("own", lambda lp: (lp[:1], lp, lp), np.cbrt),
        ("own", lambda lp: (np.full(3, np.nan), 1.0 / lp, lp), np.cbrt),
        ("own", lambda lp: lp.logarithm, np.cbrt),
        # Not inverse to each other.
        ("own", cube_root, np.sqrt),
        ("own", cube_root, np.cbrt, True),
        # h' and h'' that are not its derivatives.
        ("own", lambda lp: (cube_root(lp)[0], 1.0 / lp, -3.0 / lp**2), np.cbrt),
        ("own", lambda lp: (*cube_root(lp)[:2], np.zeros(1)), np.cbrt),
    ],
    "inverse": [
        ("own", cube_root, None),
        ("own", cube_root, lambda mean: 1.0),
        ("own", cube_root, lambda mean: np.log(-mean)),
    ],
    "domain": [("own", cube_root, np.cbrt, False, "lg")],
    "plain": [("own", cube_root, np.cbrt, "yes")],
}
EVERY_LINK = [(name, given) for name, values in WRONG_LINKS.items() for given in values]


@pytest.mark.parametrize(("name", "given"), EVERY_LINK)
def test_a_link_that_cannot_be_used_names_what_is_wrong(name, given):
    link, before = Link(*given), dict(links)
    with pytest.raises(UsageError, match=f"{name} of ") as caught:
        families.register_link(link)
    assert caught.value.kind in ("own_link", "own_function")
    assert links == before
    if name != "domain":
        with pytest.raises(UsageError):
            gc.fit("y ~ x", DATA, link=link)


def test_links_of_ours_keep_their_names():
    with pytest.raises(UsageError, match="comes with glmcount") as caught:
        families.register_link(Link("log", cube_root, np.cbrt))
    assert caught.value.kind == "link_taken"
    try:
        families.register_link(Link("cube root", cube_root, np.cbrt))
        assert gc.fit("y ~ 1", DATA, link="cube root").fittedvalues[0] == pytest.approx(13 / 6)
    finally:
        links.pop("cube root", None)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((3, "a", lambda setting, bread: bread), "name of an Estimator"),
        (("a", "", lambda setting, bread: bread), "label of an Estimator"),
        (("a", "a", 3), "compute of the covariance 'a'"),
        (("a", "a", lambda setting: None), "function of 2 arguments"),
        (("a", "a", lambda setting, bread: bread, "scores"), "needs of the covariance 'a'"),
    ],
)
def test_an_estimator_checks_itself(given, told):
    with pytest.raises(UsageError, match=told) as caught:
        Estimator(*given)
    assert caught.value.kind == "own_covariance"


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda bread: None, "None"),
        (lambda bread: bread[0], "shape"),
        (lambda bread: bread.astype(str), "shape"),
        (lambda bread: np.full_like(bread, np.nan), "NaN"),
        (lambda bread: np.full_like(bread, np.inf), "infinite"),
        (lambda bread: -bread, "negative variance"),
        (lambda bread: Covariance(-bread), "negative variance"),
        (lambda bread: Covariance("none"), "'none'"),
        (
            lambda bread: Covariance(bread, freedom=0),
            "freedom a number .* it gave 0",
        ),
        (lambda bread: Covariance(bread, freedom=float("nan")), "it gave nan"),
        (lambda bread: np.triu(bread), "not symmetric"),
        (lambda bread: np.ones((3, 3)), "2 x 2"),
    ],
)
def test_a_covariance_that_is_none_is_refused(made, told):
    own_estimator = Estimator("mine", "mine", lambda setting, bread: made(bread))
    result = gc.fit("y ~ x", DATA, cov=own_estimator)
    with pytest.raises(CovarianceError, match=f"of the covariance 'mine' .*{told}") as caught:
        _ = result.bse
    assert caught.value.kind == "own_covariance"
    assert "mine" not in ESTIMATORS


@pytest.mark.parametrize("wrong", [{"groups": "firm"}, {"order": ("year", 1)}])
def test_columns_of_a_covariance_are_named_by_a_tuple(wrong):
    with pytest.raises(UsageError, match="of Needs must be a tuple of names of columns") as caught:
        Needs(**wrong)
    assert caught.value.kind == "own_covariance"


def test_covariances_of_ours_keep_their_names():
    mine = Estimator("HC1", "mine", lambda setting, bread: -bread)
    with pytest.raises(UsageError, match="comes with glmcount") as caught:
        register_estimator(mine)
    assert caught.value.kind == "covariance_taken" and ESTIMATORS["HC1"] is not mine
    with pytest.raises(CovarianceError, match="negative variance"):
        _ = gc.fit("y ~ x", DATA, cov=mine).bse


def test_a_covariance_that_takes_rows_is_refused_where_it_is_asked_for():
    result = gc.fit("y ~ x", DATA)
    again = pickle.loads(pickle.dumps(result))  # noqa: S301
    for name in ("HC0", "HC1", "HC2", "HC3", "opg"):
        with pytest.raises(NoRowsError):
            again.with_cov(name)
    assert again.with_cov("nonrobust").bse.equals(result.bse)
    assert again.with_data(DATA).with_cov("HC1").bse.equals(result.with_cov("HC1").bse)
