"""Steps of many points at once, where some cannot be computed and some come home late."""

import numpy as np
import pytest

import glmcount as gc
from glmcount.fitting import maximise
from glmcount.fitting.crowd import _steps


def test_a_point_whose_information_overflows_stays():
    overflowing = [[1e-320, 1e300], [1e300, 1e-320]]
    with np.errstate(all="ignore"):
        step, hoped = _steps(np.ones((2, 2)), np.array([overflowing, [[2.0, 0.0], [0.0, 2.0]]]))
    assert step.tolist() == [[0.0, 0.0], [0.5, 0.5]]
    assert hoped.tolist() == [0.0, 0.5]


def test_points_that_come_home_late_are_not_solved_again(monkeypatch):
    # At pass ten one of them promised more still, since its way to the known maximum is bent.
    ended = []
    monkeypatch.setattr(maximise, "_ended", lambda run, theta: ended.append(theta))
    data = gc.datasets.load("quine")
    data["x"] = np.random.default_rng(0).standard_t(2, len(data))
    result = gc.fit("Days ~ x + Sex", data.iloc[::2], family="negbinp")
    assert result.llf == pytest.approx(-276.61972463, abs=1e-7)
    assert ended == []
