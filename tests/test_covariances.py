"""A covariance of a user's own by the public names: Conley's spatial errors, by brute force."""

from __future__ import annotations

import operator
import pickle

import numpy as np
import pytest

import glmcount as gc
from glmcount.covariances import Covariance, Estimator, Needs, register_estimator


def near(setting, bread):
    def work(seen):
        return [(seen.scores, np.column_stack(seen.order))]

    parts = setting.fold(work, operator.add)
    scores, places = (np.concatenate(each) for each in zip(*parts, strict=True))
    away = np.linalg.norm(places[:, None] - places, axis=2)
    middle = scores.T @ np.maximum(1.0 - away / 30.0, 0.0) @ scores
    return Covariance(bread @ middle @ bread, "Conley's.", freedom=7.0)


CONLEY = Estimator("conley", "Conley", near, Needs(scores=True, order=("east", "north")))


@pytest.fixture(scope="module")
def nests():
    rng = np.random.default_rng(2)
    columns = {name: rng.uniform(0, 100, 200) for name in ("east", "north")}
    wet = columns["east"] / 50 + rng.normal(size=200)
    return {"storks": rng.poisson(np.exp(0.5 + 0.3 * wet)), "wet": wet, **columns}


def test_the_sandwich_is_that_of_the_formula(nests):
    result = gc.fit("storks ~ wet", nests, cov=CONLEY)
    X = np.column_stack([np.ones(200), nests["wet"]])
    mean = np.exp(X @ result.params.to_numpy())
    bread = np.linalg.inv(X.T @ (mean[:, None] * X))
    total = np.zeros((2, 2))
    for i in range(200):
        for j in range(200):
            gap = np.hypot(
                nests["east"][i] - nests["east"][j], nests["north"][i] - nests["north"][j]
            )
            share = (nests["storks"][i] - mean[i]) * (nests["storks"][j] - mean[j])
            total += max(1 - gap / 30, 0) * share * np.outer(X[i], X[j])
    np.testing.assert_allclose(result.cov_params(), bread @ total @ bread, rtol=1e-9)
    assert "Conley's." in str(result.summary())
    assert result.wald_test("wet = 0").df_denom == 7.0


def test_it_is_for_every_family_and_pickles(nests):
    for options in ({"family": "negbin"}, {"hurdle": "wet"}, {"inflate": "1"}):
        with np.errstate(all="ignore"):
            result = gc.fit("storks ~ wet", nests, separation="ignore", **options)
        found = result.with_cov(CONLEY)
        assert np.isfinite(found.bse.iloc[:2]).all()
        again = pickle.loads(pickle.dumps(found))  # noqa: S301
        assert again.bse.equals(found.bse)


def test_names_that_come_with_it_are_taken():
    with pytest.raises(gc.errors.UsageError) as refused:
        register_estimator(Estimator("HC1", "mine", near))
    assert refused.value.kind == "covariance_taken"
