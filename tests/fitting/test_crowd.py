"""Steps of many points at once, where some cannot be computed and some come home late."""

import numpy as np

from glmcount.fitting.crowd import _steps


def test_a_point_whose_information_overflows_stays():
    overflowing = [[1e-320, 1e300], [1e300, 1e-320]]
    with np.errstate(all="ignore"):
        step, hoped = _steps(np.ones((2, 2)), np.array([overflowing, [[2.0, 0.0], [0.0, 2.0]]]))
    assert step.tolist() == [[0.0, 0.0], [0.5, 0.5]]
    assert hoped.tolist() == [0.0, 0.5]
