"""What is added up of each row, against its law."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.engine.weigh import Likelihood, Unweighed, informed, likelihood_weights, weighing
from glmcount.families import families, hurdle, poisson


def test_expected_and_observed_weights_and_none():
    family = families["negbin"]
    rows = Unweighed(np.array([[0.0, 3.0]]), None, (np.array([0.2, 1.0]), np.zeros(1)))
    with pytest.raises(KeyError):
        _ = weighing(family, True, second=False)(rows).second[0, 1]
    geometric = families["geometric"]
    rows = Unweighed(rows.y, None, rows.etas[:1])
    mean = np.exp(rows.etas[0])
    expected = weighing(geometric, True)(rows).second[0, 0]
    np.testing.assert_allclose(expected, mean / (1 + mean), rtol=1e-14)
    observed = weighing(geometric, False)(rows).second[0, 0]
    np.testing.assert_allclose(observed, (1 + rows.y[0]) * mean / (1 + mean) ** 2, rtol=1e-13)


def test_a_zero_says_nothing_of_a_hurdle_s_counts():
    rows = Unweighed(np.array([[0.0, 1.0, 4.0]]), None, (np.full(3, 0.3), np.full(3, -0.2)))
    count, zero = informed(hurdle(poisson), rows)
    assert count.tolist() == [0.0, 1.0, 1.0] and zero.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("name", ["poisson", "negbin", "genpoisson"])
def test_a_row_of_weight_three_is_three_rows(name):
    family, rng = families[name], np.random.default_rng(3)
    y, etas = rng.poisson(2.0, (1, 20)).astype(float), [rng.normal(0.3, 0.2, 20)] * family.q
    copies = Unweighed(np.tile(y, 3), None, tuple(np.tile(eta, 3) for eta in etas))
    weigh = likelihood_weights(family, True)
    whole, thrice = weigh(copies), weigh(Unweighed(y, np.full(20, 3.0), tuple(etas)))
    np.testing.assert_allclose(thrice.scalars, whole.scalars, rtol=1e-12)
    for a, b in zip(whole.first, thrice.first, strict=True):
        np.testing.assert_allclose(a.reshape(3, 20).sum(axis=0), b, rtol=1e-12)
    for pair, entry in whole.second.items():
        if entry is not None:
            each = np.broadcast_to(entry, 60).reshape(3, 20).sum(axis=0)
            np.testing.assert_allclose(each, np.broadcast_to(thrice.second[pair], 20), atol=1e-15)


def test_a_likelihood_is_its_weighing_as_plain_data():
    rows = Unweighed(np.array([[0.0, 3.0]]), None, (np.array([0.2, 1.0]),))
    found, wanted = Likelihood(poisson, True)(rows), likelihood_weights(poisson, True)(rows)
    assert found.scalars.tolist() == wanted.scalars.tolist()
    assert found.second[0, 0].tolist() == wanted.second[0, 0].tolist()
