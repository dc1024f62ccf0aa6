"""A family made of another has of its facts only those that are named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount import families
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet, constant_jet, eta_jet

# By how much the derived Poisson's log-mean bends: eta + BEND eta^2.
BEND = 0.1


def bent(etas) -> tuple[Jet]:
    eta = eta_jet(etas, 0)
    return (eta + constant_jet(np.array([BEND]), 1) * eta * eta,)


BENT = families.reparametrise(families.poisson, bent, name="bent", label="Bent")


def drawn(n: int, seed: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, n).astype(float)
    t = rng.uniform(0.5, 3.0, n)
    eta = 0.2 + 0.5 * x + np.log(t)
    return pd.DataFrame({"x": x, "t": t, "y": rng.poisson(np.exp(eta + BEND * eta * eta))})


def test_optional_facts_are_blank():
    plain = families.Family(**{name: getattr(BENT, name) for name in families.base.NEEDED})
    made = families.poisson.derived()
    for name in families.Family.__dataclass_fields__:
        if name not in families.base.NEEDED:
            assert getattr(made, name) == getattr(plain, name), name


def test_rows_of_one_design_do_not_collapse_where_the_law_is_another():
    data = drawn(3_000)
    one, two = (
        gc.fit("y ~ x", data, family=BENT, exposure="t", compress=compress)
        for compress in (True, False)
    )
    np.testing.assert_allclose(one.params, two.params, rtol=1e-8)
    np.testing.assert_allclose(one.bse, two.bse, rtol=1e-7)


def observed(data: pd.DataFrame, beta: Array) -> Array:
    """Standard errors by the observed information, written out."""
    x = np.column_stack([np.ones(len(data)), data.x])
    eta = x @ beta + np.log(data.t.to_numpy())
    mu = np.exp(eta + BEND * eta * eta)
    slope, y = 1.0 + 2.0 * BEND * eta, data.y.to_numpy()
    weight = mu * slope * slope - 2.0 * BEND * (y - mu)
    return np.sqrt(np.diag(np.linalg.inv((x * weight[:, None]).T @ x)))


@pytest.mark.parametrize("n", [400, 20_000])
def test_small_and_large_data_are_asked_the_same_question(n):
    data = drawn(n)
    r = gc.fit("y ~ x", data, family=BENT, exposure="t", information="observed")
    np.testing.assert_allclose(r.bse, observed(data, r.params.to_numpy()), rtol=1e-6)


def test_parts_and_what_keeps_a_count_possible_follow_the_map():
    mixed = families.compose(families.zero_inflated(families.poisson), "sqrt")
    etas = (np.array([1.5]), np.array([0.3]))
    assert mixed.parts["mean-main"](etas).value[0] == pytest.approx(2.25)
    under = families.compose(families.genpoisson(power=2.0, under=True), "identity")
    mean, alpha = 3.0, -0.05
    found = under.slack(np.array([[2.0]]), (np.array([mean]), np.array([alpha]))).value[0]
    assert found == pytest.approx(np.log((1 + 2 * alpha) * (1 + alpha * mean)))
