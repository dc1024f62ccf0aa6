"""Steps of many points at once: where they end, and which of them are left."""

import numpy as np
import pytest

from glmcount.engine.weigh import weighing
from glmcount.fitting.crowd import Crowd, Known, _Home, _Party, _steps, climb
from glmcount.fitting.fit import solve
from glmcount.fitting.start import first_values, usual
from tests.made import counts, run_of


def crowd_of(family="negbin", formula="y ~ x + g", data=None, **roles):
    run = run_of(formula, counts() if data is None else data, family, **roles)
    return run, Crowd(run.family, run.small, run.rows.cache.strips[0].y)


def about(theta, count, size, seed=3):
    return theta + size * np.random.default_rng(seed).normal(size=(count, len(theta)))


def test_a_point_whose_information_overflows_stays():
    overflowing = [[1e-320, 1e300], [1e300, 1e-320]]
    with np.errstate(all="ignore"):
        steps = _steps(np.ones((2, 2)), np.array([overflowing, [[2.0, 0.0], [0.0, 2.0]]]))
    assert steps.parts.sum(axis=1).tolist() == [[0.0, 0.0], [0.5, 0.5]]
    assert steps.hoped.tolist() == [0.0, 0.5]


def test_steps_add_up_to_newtons_by_absolute_eigenvalues():
    information = np.array([[[2.0, 0.5], [0.5, 1.0]], [[0.0, 3.0], [3.0, 0.0]]])
    score = np.array([[1.0, -2.0], [3.0, 1.5]])
    steps = _steps(score, information)
    # The second has eigenvalues 3 and -3, so that its absolute value is 3 times the identity.
    expected = [np.linalg.solve(information[0], score[0]), score[1] / 3.0]
    np.testing.assert_allclose(steps.parts.sum(axis=1), expected, rtol=1e-12)
    assert steps.top.tolist() == [True, False]
    gain = [0.5 * np.dot(a, b) for a, b in zip(expected, score, strict=True)]
    np.testing.assert_allclose(steps.hoped, gain, rtol=1e-12)


@pytest.mark.parametrize("weights", [None, "w"])
def test_points_climb_to_where_the_solver_does(weights):
    run, crowd = crowd_of(weights=weights)
    fit = solve(run, first_values(run))
    strip = run.small.strip
    end = climb(crowd, about(fit.theta, 5, 0.3), strip.weights, Known(), 40)
    np.testing.assert_allclose(end.llf, fit.llf - run.measured.constant, atol=1e-4)
    assert (end.hoped <= 1e-4).all()


def test_points_on_the_hill_that_is_known_are_left_at_once(monkeypatch):
    run, crowd = crowd_of("poisson")
    fit = solve(run, first_values(run))
    known = Known(fit.llf - run.measured.constant, fit.theta)
    points = about(fit.theta, 6, 0.2)
    passes = []
    sums = Crowd.sums
    monkeypatch.setattr(Crowd, "sums", lambda *of: passes.append(1) or sums(*of))
    end = climb(crowd, points, None, known, 40)
    assert len(passes) == 1
    assert (end.hoped == 0.0).all() and np.array_equal(end.points, points)


def test_a_point_on_another_hill_is_not_taken_for_one_on_the_known():
    # Six rows with a maximum inside and one at alpha = 0: from R's MASS::glm.nb.
    data = {"y": [59.0, 0, 2, 10, 10, 10], "x": [4, -0.1, -0.5, 2.1, 0.1, 1.6]}
    data = {name: np.array(values) for name, values in data.items()}
    run, crowd = crowd_of(formula="y ~ x", data=data)
    inside = solve(run, usual(run))
    assert inside.llf == pytest.approx(-18.16407, abs=1e-5)
    known = Known(inside.llf - run.measured.constant, inside.theta)
    limit = inside.theta + np.array([0.0, 0.0, -6.0])
    party = _Party(crowd, np.array([inside.theta, inside.theta + 0.01, limit]), None)
    home = _Home(known, party)
    assert home.top and len(party.points) == 2
    assert home.leads(party, _steps(party.score, party.information).top).tolist() == [True, False]
    # What lies on a boundary, or is not where its likelihood is said to be, is no top.
    assert not _Home(Known(known.llf + 1.0, inside.theta), _Party(crowd, party.points, None)).top


def test_trial_weights_are_those_of_the_first_passes_alone():
    run, crowd = crowd_of()
    fit = solve(run, first_values(run))
    points = about(fit.theta, 3, 0.1)
    trial = np.random.default_rng(1).exponential(size=(2, run.small.strip.n))
    end = climb(crowd, points, None, Known(), 40, trial)
    np.testing.assert_allclose(end.llf, fit.llf - run.measured.constant, atol=1e-4)
    brief = climb(crowd, points, None, Known(), 0, trial)
    plain = climb(crowd, points, None, Known(), 0, np.ones_like(trial))
    np.testing.assert_allclose(brief.points[0], plain.points[0], rtol=1e-10)
    assert np.abs(brief.points[1:] - plain.points[1:]).max() > 1e-3
    weigh = weighing(run.family, expected=False)
    own = [run.small.sums(weigh, crowd.y, point).llf for point in brief.points]
    np.testing.assert_allclose(brief.llf, own, rtol=1e-12)


def test_models_of_points_that_stayed_are_not_made_again(monkeypatch):
    run, crowd = crowd_of("negbin")
    fit = solve(run, first_values(run))
    party = _Party(crowd, about(fit.theta, 8, 2.0), None)
    made, steps = [], _steps

    def counted(score, information):
        made.append(len(score))
        return steps(score, information)

    monkeypatch.setattr("glmcount.fitting.crowd._steps", counted)
    for number in range(12):
        found, again = party.steps(), steps(party.score, party.information)
        np.testing.assert_array_equal(found.parts, again.parts)
        np.testing.assert_array_equal(found.hoped, again.hoped)
        np.testing.assert_array_equal(found.top, again.top)
        if number == 5:
            party.left(np.arange(8) % 3 > 0)
        party.step(party.steps().parts)
    # Some steps were refused.
    assert 0 < sum(made) < 6 * 8 + 6 * 5


def test_where_much_is_to_be_surpassed_a_top_is_told_sooner():
    run, crowd = crowd_of("negbin")
    fit = solve(run, first_values(run))
    points = about(fit.theta, 5, 0.3)
    close = climb(crowd, points, None, Known(), 40)
    far = climb(crowd, points, None, Known(least=20.0), 40)
    assert (far.hoped <= 0.2).all() and (far.hoped > 1e-4).any()
    np.testing.assert_allclose(far.llf, close.llf, atol=0.25)
