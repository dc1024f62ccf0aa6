"""Where a package of R gives another number than the definition: ours is that of the definition.

`tests/golden/make_disagreements.R` makes both numbers.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import glmcount as gc
from tests import golden_files

FOLDER = golden_files.FOLDER / "disagreements"
RECORDS = {case: golden_files.read(case, FOLDER) for case in golden_files.names(FOLDER)}


def fitted(record: dict[str, Any], **columns: Any) -> gc.Results:
    frame = golden_files.rows(record).assign(**columns)
    return gc.fit(record["formula"], frame, **record["call"])


def clustered(record: dict[str, Any], name: str, groups: Any, kind: str = "CR1") -> float:
    result = fitted(record, group=groups) if not isinstance(groups, str) else fitted(record)
    groups = groups if isinstance(groups, str) else "group"
    return float(result.with_cov(gc.cluster(groups, kind)).bse[name])


def blocks(record: dict[str, Any]) -> float:
    groups = np.arange(len(golden_files.rows(record))) // record["blocks"]
    return clustered(record, "kid5", groups)


def panels(record: dict[str, Any]) -> float:
    number = np.arange(len(golden_files.rows(record)))
    panel, turn = number % 5, number // 5
    frame = golden_files.rows(record).assign(panel=panel, turn=turn)
    frame = frame[~((panel > 1) & (turn > 17))]
    cov = gc.hac("turn", "panel", lags=2)
    return float(gc.fit(record["formula"], frame, cov=cov, **record["call"]).bse.iloc[1])


def anova(record: dict[str, Any]) -> float:
    return float(fitted(record).anova(type=2).loc["Age", "statistic"])


def profile(record: dict[str, Any]) -> float:
    ends = fitted(record).conf_int(method="profile", parameters=["Sex[T.M]"])
    return float(ends.iloc[0, 0])


def hurdle_zero(record: dict[str, Any]) -> float:
    result = fitted(record)
    at = np.array([1.0, record["at"]])
    count, zero = result.params.to_numpy().reshape(2, 2) @ at
    rate, odds = np.exp(count), np.exp(zero)
    share, above = odds / (1 + odds), -np.expm1(-rate)
    # Of p / (1 - exp(-rate)), by hand.
    by_count = -share / above**2 * np.exp(-rate) * rate
    slope = np.concatenate([by_count * at, share / (1 + odds) / above * at])
    return float(np.sqrt(slope @ result.cov_params().to_numpy() @ slope))


def vuong(record: dict[str, Any]) -> float:
    inflated = gc.fit(record["formula"], golden_files.rows(record), inflate="kid5 + ment")
    return float(gc.vuong_test(fitted(record), inflated, correction="aic").statistic)


OURS = {
    "clustered_hc3": lambda record: clustered(record, "Sex[T.M]", np.array(record["group"]), "CR3"),
    "unused_levels": lambda record: clustered(record, "Sex[T.M]", "Age"),
    "clustered_hurdle": blocks,
    "clustered_inflate": blocks,
    "panels_that_end_early": panels,
    "anova_theta": anova,
    "profile_theta": profile,
    "hurdle_zero": hurdle_zero,
    "vuong_theta": vuong,
}


def ours(case: str) -> float:
    """Our number."""
    with warnings.catch_warnings():
        # Few clusters.
        warnings.simplefilter("ignore", gc.errors.CovarianceWarning)
        return OURS[case](RECORDS[case])


@pytest.mark.parametrize("case", RECORDS)
def test_ours_is_the_number_that_is_derived(case):
    record = RECORDS[case]
    # R's fits stop at 1e-7 or so, and its numerical derivatives are as exact.
    assert ours(case) == pytest.approx(record["derived"], rel=1e-6)
    assert abs(record["theirs"] / record["derived"] - 1) > 3e-3


def test_every_disagreement_is_asked():
    assert set(OURS) == set(RECORDS)


def test_held_nuisances_give_the_numbers_of_r():
    table = fitted(RECORDS["anova_theta"]).anova(type=2, nuisance="held")
    theirs = RECORDS["anova_theta"]["theirs"]
    assert table.loc["Age", "statistic"] == pytest.approx(theirs, rel=1e-7)
