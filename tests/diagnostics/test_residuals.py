"""Residuals and influence against closed forms and brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(9)
    frame = pd.DataFrame({"x": rng.normal(size=300), "g": rng.choice(list("ab"), 300)})
    frame["y"] = rng.poisson(np.exp(0.5 + 0.4 * frame.x) * rng.gamma(2, 0.5, 300))
    return frame


def test_anscombe_residuals_of_poisson_have_a_closed_form(data):
    result = gc.fit("y ~ x", data)
    mu = result.fittedvalues
    truth = 1.5 * (data.y ** (2 / 3) - mu ** (2 / 3)) / mu ** (1 / 6)
    np.testing.assert_allclose(result.resid_anscombe, truth, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("family", ["poisson", "negbin", "geometric"])
def test_quantile_residuals_are_normal_for_data_of_the_family(data, family):
    result = gc.fit("y ~ x", data, family=gc.families.resolve(family))
    again = gc.fit("y ~ x", data.assign(y=result.simulate(1, rng=3)[0]), family=family)
    found = again.resid_quantile(rng=5)
    pd.testing.assert_series_equal(found, again.resid_quantile(rng=5))
    assert abs(found.mean()) < 0.15
    assert abs(found.std() - 1) < 0.15


def test_far_tails_stay_finite():
    data = {"y": [0, 1, 2, 3, 5000], "x": [0, 1, 0, 1, 0]}
    result = gc.fit("y ~ x", data)
    moved = result.resid_quantile(rng=1)
    assert np.isfinite(moved).all()
    assert moved.iloc[-1] > 30


def test_deviance_residuals_add_up(data):
    for family in ("poisson", "negbin", "geometric"):
        result = gc.fit("y ~ x", data, family=family)
        assert (result.resid_deviance**2).sum() == pytest.approx(result.deviance, rel=1e-12)
        assert (np.sign(result.resid_deviance) == np.sign(result.resid_response)).all()
        assert (result.resid_pearson**2).sum() == pytest.approx(result.pearson_chi2, rel=1e-12)


def test_leverage_is_the_hat_matrix(data):
    result = gc.fit("y ~ x * g", data)
    X = np.column_stack([np.ones(300), data.g == "b", data.x, data.x * (data.g == "b")])
    root = np.sqrt(result.fittedvalues.to_numpy())[:, None] * X
    hat = np.diag(root @ np.linalg.inv(root.T @ root) @ root.T)
    influence = result.get_influence()
    np.testing.assert_allclose(influence.hat_matrix_diag, hat, rtol=1e-10)
    assert influence.hat_matrix_diag.sum() == pytest.approx(4.0, rel=1e-12)
    cooks = (result.resid_pearson / (1 - hat)) ** 2 * hat / 4
    np.testing.assert_allclose(influence.cooks_distance[0], cooks, rtol=1e-9)
    assert list(influence.summary_frame()) == ["hat_diag", "cooks_d", "standard_resid"]
    assert list(result.augment())[:2] == ["fitted", "resid"]


def test_working_and_response_residuals(data):
    for link, slope in (("log", lambda mu: mu), ("sqrt", lambda mu: 2 * np.sqrt(mu))):
        result = gc.fit("y ~ x", data, link=link)
        mu = result.fittedvalues
        np.testing.assert_allclose(result.resid_response, data.y - mu, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(result.resid_working, (data.y - mu) / slope(mu), rtol=1e-9)


def test_deviance_residuals_of_poisson_have_a_closed_form(data):
    result = gc.fit("y ~ x", data)
    y, mu = data.y.to_numpy(), result.fittedvalues.to_numpy()
    log = np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / mu), 0.0)
    truth = np.sign(y - mu) * np.sqrt(2 * (log - (y - mu)))
    np.testing.assert_allclose(result.resid_deviance, truth, rtol=1e-9, atol=1e-12)


def test_anscombe_residuals_are_their_integral(data):
    from scipy import integrate

    result = gc.fit("y ~ x", data, family="negbin")
    alpha = result.params["alpha"]
    variance = lambda t: t + alpha * t * t  # noqa: E731
    for y, mu, found in zip(
        data.y[:12], result.fittedvalues[:12], result.resid_anscombe[:12], strict=True
    ):
        # In s = t^(2/3) the integrand has no pole.
        integral, _ = integrate.quad(
            lambda s: 1.5 * np.sqrt(s) / np.cbrt(variance(s**1.5)) if s else 1.5,
            np.cbrt(mu) ** 2,
            np.cbrt(float(y)) ** 2,
            epsabs=1e-13,
        )
        assert found == pytest.approx(integral / variance(mu) ** (1 / 6), rel=1e-8)


def test_anscombe_residuals_are_for_the_log_link(data):
    with pytest.raises(gc.errors.NotDefinedError, match="log link"):
        _ = gc.fit("y ~ x", data, link="sqrt").resid_anscombe


def test_quantile_residuals_lie_between_the_tails(data):
    from scipy import special

    result = gc.fit("y ~ x", data)
    y, mu = data.y.to_numpy(), result.fittedvalues.to_numpy()
    low = np.where(y > 0, special.pdtr(y - 1, mu), 0.0)
    u = special.ndtr(result.resid_quantile(rng=7).to_numpy())
    assert (u >= low - 1e-12).all() and (u <= special.pdtr(y, mu) + 1e-12).all()
    first, second = result.resid_quantile(rng=7), result.resid_quantile(rng=8)
    assert (first != second).all()
    generator = np.random.default_rng(7)
    pd.testing.assert_series_equal(result.resid_quantile(generator), first)
    assert (result.resid_quantile(generator) != first).all()


def test_a_quasi_likelihood_has_no_quantile_residuals(data):
    with pytest.raises(gc.errors.NotDefinedError, match="distribution"):
        gc.fit("y ~ x", data, family="quasipoisson").resid_quantile(rng=1)


@pytest.mark.parametrize("weights_type", ["importance", "probability"])
def test_importance_weights_enter_residuals_by_their_root(data, weights_type):
    weighted = data.assign(w=1.0 + (np.arange(300) % 4))
    result = gc.fit("y ~ x", weighted, weights="w", weights_type=weights_type)
    y, mu, root = data.y, result.fittedvalues, np.sqrt(weighted.w)
    np.testing.assert_allclose(
        result.resid_pearson, root * (y - mu) / np.sqrt(mu), rtol=1e-11, atol=1e-13
    )
    assert (result.resid_pearson**2).sum() == pytest.approx(result.pearson_chi2, rel=1e-12)
    assert (result.resid_deviance**2).sum() == pytest.approx(result.deviance, rel=1e-12)
    np.testing.assert_allclose(result.resid_response, y - mu, rtol=1e-11, atol=1e-13)
    assert result.get_influence().hat_matrix_diag.sum() == pytest.approx(2.0, rel=1e-10)


def test_a_frequency_is_a_number_of_copies_with_residuals_each(data):
    counted = data.assign(w=1 + np.arange(300) % 3)
    result = gc.fit("y ~ x", counted, weights="w")
    copies = gc.fit("y ~ x", counted.loc[counted.index.repeat(counted.w)].reset_index(drop=True))
    first = np.cumsum(counted.w) - counted.w
    for name in ("resid_pearson", "resid_deviance", "resid_anscombe", "resid_working"):
        found, other = getattr(result, name).to_numpy(), getattr(copies, name).to_numpy()
        np.testing.assert_allclose(found, other[first], rtol=1e-9, atol=1e-11)
    here, there = result.get_influence(), copies.get_influence()
    for pick in (
        lambda influence: influence.hat_matrix_diag,
        lambda influence: influence.cooks_distance[0],
        lambda influence: influence.cooks_distance[1],
        lambda influence: influence.resid_studentized,
    ):
        np.testing.assert_allclose(pick(here), pick(there).to_numpy()[first], rtol=1e-8)
    assert (here.hat_matrix_diag * counted.w).sum() == pytest.approx(2.0, rel=1e-10)


@pytest.mark.parametrize("family", ["negbin", "geometric", "quasipoisson"])
def test_influence_of_other_families_is_the_hat_matrix(data, family):
    result = gc.fit("y ~ x + g", data, family=family)
    X = np.column_stack([np.ones(300), data.g == "b", data.x])
    mu = result.fittedvalues.to_numpy()
    alpha = {"negbin": result.params.get("alpha", 0.0), "geometric": 1.0, "quasipoisson": 0.0}
    root = np.sqrt(mu / (1 + alpha[family] * mu))[:, None] * X
    hat = np.diag(root @ np.linalg.inv(root.T @ root) @ root.T)
    influence = result.get_influence()
    np.testing.assert_allclose(influence.hat_matrix_diag, hat, rtol=1e-9)
    studentized = result.resid_pearson / np.sqrt(result.scale * (1 - hat))
    np.testing.assert_allclose(influence.resid_studentized, studentized, rtol=1e-9)
    cooks = studentized**2 * hat / (1 - hat) / 3
    np.testing.assert_allclose(influence.cooks_distance[0], cooks, rtol=1e-8)


def test_cooks_distance_is_near_the_move_without_the_row(data):
    # One step from the fit, so near but not at the distance of a fit without the row.
    result = gc.fit("y ~ x", data)
    row = int(result.get_influence().cooks_distance[0].argmax())
    without = gc.fit("y ~ x", data.drop(index=row))
    move = (result.params - without.params).to_numpy()
    matrix = np.linalg.inv(result.cov_params().to_numpy())
    moved = move @ matrix @ move / 2
    assert result.get_influence().cooks_distance[0][row] == pytest.approx(moved, rel=0.3)


def test_simulated_counts_follow_the_fit(data):
    result = gc.fit("y ~ x", data)
    drawn = result.simulate(200, rng=11)
    assert drawn.shape == (300, 200)
    gap = drawn.mean(axis=1) - result.fittedvalues
    assert np.abs(gap / np.sqrt(result.fittedvalues / 200)).max() < 5
    pd.testing.assert_frame_equal(drawn, result.simulate(200, rng=11))


@pytest.mark.parametrize("alpha", [0.1, 1.0, 50.0])
def test_anscombe_residuals_keep_their_digits_far_out(alpha):
    from scipy import special

    data = {"y": [0, 0, 5, 2000, 100_000, 3000], "d": [0, 1, 1, 1, 1, 0]}
    result = gc.fit("y ~ d", data, family=gc.families.negbin(alpha=alpha))
    mu, y = result.fittedvalues.to_numpy(), np.array(data["y"], dtype=float)

    def primitive(t):
        return 1.5 * np.cbrt(t) ** 2 * special.hyp2f1(1 / 3, 2 / 3, 5 / 3, -alpha * t)

    truth = (primitive(y) - primitive(mu)) / (mu + alpha * mu**2) ** (1 / 6)
    np.testing.assert_allclose(result.resid_anscombe, truth, rtol=1e-8)


def test_nothing_is_proved_of_an_infinite_estimate():
    data = {"y": [1, 2, 3, 0, 0], "d": [0, 0, 0, 1, 1]}
    certificate = gc.fit("y ~ d", data, separation="ignore").certificate
    assert certificate.separation == "separated"
    assert certificate.error_bound is None
