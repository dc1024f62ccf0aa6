"""Fits that more than one file of tests compares with other programs."""

from __future__ import annotations

from typing import Any

from statsmodels.datasets import randhie as rand

import glmcount as gc

EXPENSES = "mdvis ~ lncoins + idp + lpi + fmde + physlm + disea + hlthg + hlthf + hlthp"
ARTICLES = "art ~ fem + mar + kid5 + phd + ment"


def randhie(family: Any, **options: Any) -> gc.Results:
    """The RAND health insurance experiment, as statsmodels' own tests fit it."""
    return gc.fit(EXPENSES, rand.load_pandas().data, family=family, **options)


def biochemists(family: Any, **options: Any) -> gc.Results:
    """Articles of biochemists (Long 1990)."""
    return gc.fit(ARTICLES, gc.datasets.load("biochemists"), family=family, **options)
