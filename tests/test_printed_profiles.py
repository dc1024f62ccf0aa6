"""Profile intervals as R prints them, to every digit.

R's `confint` interpolates a few points of the profile, which leaves it five digits of the ends that
`r.conf_int(method="profile")` finds. Here the same points are fitted and interpolated in the same
way, so that a difference in any printed digit would be one of our fits.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import glmcount as gc
from tests import golden_files, interpolated

FOLDER = golden_files.FOLDER / "profiles"
LOCAL = os.environ.get("GLMCOUNT_HARD_CASES")
RECORDS = {case: golden_files.read(case, FOLDER) for case in golden_files.names(FOLDER)}
NAMES = [(case, name) for case, record in RECORDS.items() for name in record["values"]]


def fitted(case: str) -> gc.Results:
    record = RECORDS[case]
    if golden_files.is_local(record) and not LOCAL:
        pytest.skip("the data are no part of the project; GLMCOUNT_HARD_CASES names their folder")
    data = golden_files.data(record["data"], Path(LOCAL) if LOCAL else None)
    return gc.fit(record["formula"], data)


@pytest.mark.parametrize(("case", "name"), NAMES)
def test_every_printed_digit(case, name):
    found = interpolated.printed(fitted(case), name)
    for value, literal in zip(found, RECORDS[case]["published"][name], strict=True):
        assert golden_files.agrees(value, literal), f"{literal} is printed, {value} is found"
    # R's fits stop at a change of the deviance of 1e-8.
    np.testing.assert_allclose(found, RECORDS[case]["values"][name], rtol=0, atol=1e-9)


@pytest.mark.parametrize(("case", "name"), NAMES)
def test_what_is_interpolated_lies_near_the_end(case, name):
    result = fitted(case)
    ends = result.conf_int(method="profile", parameters=[name]).loc[name]
    apart = np.abs(ends - RECORDS[case]["values"][name]) / result.bse[name]
    assert 1e-7 < apart.max() < 1e-4


def test_the_spline_is_a_cubic_where_the_points_are_of_one():
    x = np.array([-1.0, 0.2, 0.5, 1.4, 2.0, 3.5])
    at = np.linspace(-1.0, 3.5, 50)
    found = interpolated.spline(x, np.polyval([0.3, -1.0, 2.0, 0.7], x), at)
    np.testing.assert_allclose(found, np.polyval([0.3, -1.0, 2.0, 0.7], at), rtol=1e-12)


def test_the_spline_is_that_of_r():
    x, y = [-1.0, 0.2, 0.5, 1.4, 2.0, 3.5], [0.3, -1.2, 0.8, 2.5, -0.4, 1.1]
    found = interpolated.spline(np.array(x), np.array(y), np.linspace(-1.0, 3.5, 7))
    # spline(x, y, n = 7)$y of R 4.2.2.
    theirs = [0.3, -3.45397559171598, 0.8, 2.78462925295858, -0.4, -3.16229659763314, 1.1]
    np.testing.assert_allclose(found, theirs, rtol=1e-13)
