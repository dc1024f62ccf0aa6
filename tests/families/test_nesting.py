"""Which families lie within which, against what the literature says of them."""

from __future__ import annotations

import pytest

from glmcount.families import hurdle, negbin, poisson, resolve, zero_inflated
from glmcount.families.combine.censored import censored
from glmcount.families.combine.links import compose
from glmcount.families.combine.truncated import truncated
from glmcount.families.genpoisson import genpoisson
from glmcount.families.negbinp import negbinp
from glmcount.families.nesting import Inside, alike, how_inside

NB, COM = resolve("negbin"), resolve("compoisson")
ZIP, ZINB = zero_inflated(poisson), zero_inflated(NB)
WITHIN = {
    "NB2 at alpha = 0": (poisson, NB, Inside((0,), (1,))),
    "NB2 at alpha = 1": (resolve("geometric"), NB, Inside((0,), values=((1, 0.0),))),
    "NB-P at P = 2": (NB, resolve("negbinp"), Inside((0, 1), values=((2, 2.0),))),
    "NB-P at P = 1": (resolve("negbin1"), resolve("negbinp"), Inside((0, 1), values=((2, 1.0),))),
    "NB-P without a power": (poisson, resolve("negbinp"), Inside((0,), (1,), (2,))),
    "COM at nu = 1": (poisson, COM, Inside((0,), values=((1, 0.0),))),
    "GP at alpha = 0, inside": (poisson, genpoisson(under=True), Inside((0,), values=((1, 0.0),))),
    "GP at alpha = 0": (poisson, resolve("genpoisson"), Inside((0,), (1,))),
    "PIG": (poisson, resolve("pig"), Inside((0,), (1,))),
    "no inflation": (NB, ZINB, Inside((0, 2), (1,))),
    "ZINB at alpha = 0": (ZIP, ZINB, Inside((0, 1), (2,))),
    "both": (poisson, ZINB, Inside((0,), (2, 1))),
    "an inner value and a boundary": (
        poisson, zero_inflated(COM), Inside((0,), (1,), values=((2, 0.0),)),
    ),
    "hurdles": (hurdle(poisson), hurdle(NB), Inside((0, 1), (2,))),
    "truncated": (truncated(poisson, 0), truncated(NB, 0), Inside((0,), (1,))),
    "censored": (censored(poisson), censored(NB), Inside((0,), (1,))),
    "itself": (NB, NB, Inside((0, 1))),
    "a hurdle of one law": (poisson, hurdle(poisson, poisson), Inside((0,), repeated=((1, 0),))),
    "a hurdle of one law with a dispersion": (
        NB, hurdle(NB, NB), Inside((0, 2), repeated=((1, 0), (3, 1))),
    ),
    "a hurdle of one law at a boundary": (
        poisson, hurdle(NB, poisson), Inside((0,), (2,), repeated=((1, 0),)),
    ),
    "made twice": (negbinp(power=1.0), resolve("negbin1"), Inside((0, 1))),
}  # fmt: skip
APART = [
    (NB, poisson), (NB, resolve("pig")), (poisson, truncated(NB, 0)), (poisson, hurdle(poisson)),
    (resolve("bernoulli"), poisson), (poisson, censored(NB)), (compose(poisson, "sqrt"), NB),
    (NB, hurdle(NB, poisson)), (resolve("pig"), hurdle(resolve("pig"), NB)),
    (truncated(poisson, 1), truncated(NB, 0)), (resolve("quasipoisson"), poisson),
]  # fmt: skip


@pytest.mark.parametrize("name", WITHIN)
def test_within(name):
    small, large, expected = WITHIN[name]
    assert how_inside(small, large) == expected


def test_a_value_of_one_s_own():
    ((equation, value),) = how_inside(negbin(alpha=0.37), NB).values
    # log 0.37
    assert (equation, value) == (1, pytest.approx(-0.994252273343867, abs=1e-9))


@pytest.mark.parametrize(("small", "large"), APART)
def test_apart(small, large):
    assert how_inside(small, large) is None


def test_alike_asks_the_probabilities():
    assert alike(negbin(alpha=1.0), resolve("geometric"))
    assert not alike(negbin(alpha=1.0), negbin(alpha=1.1))
