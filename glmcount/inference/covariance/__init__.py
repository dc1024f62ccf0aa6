"""Covariances of the estimates, one file a kind."""

# Its estimators are known by name from here on.
from glmcount.inference.covariance import robust as _robust  # noqa: F401
from glmcount.inference.covariance.cluster import cluster
from glmcount.inference.covariance.estimator import (
    ESTIMATORS,
    Covariance,
    Estimator,
    covariance,
    estimator,
    register_estimator,
)
from glmcount.inference.covariance.hac import driscoll_kraay, hac
from glmcount.inference.covariance.resampled import bootstrap, jackknife

__all__ = [
    "ESTIMATORS",
    "Covariance",
    "Estimator",
    "bootstrap",
    "cluster",
    "covariance",
    "driscoll_kraay",
    "estimator",
    "hac",
    "jackknife",
    "register_estimator",
]
