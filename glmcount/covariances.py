"""What a covariance of one's own is made of: an `Estimator` and what it is handed.

An estimator says what it `Needs` of each row; `Setting.fold` hands it just that, some rows at a
time, as `Seen`; it gives a matrix, or a `Covariance` with what is to be said of it. The page "Bring
a covariance of your own" has examples. Of a `Setting` use `fold`, `sizes`, `nobs`, `scale`,
`importance` and `refitted`; its other attributes are parts of the house, and may change.
"""

from __future__ import annotations

from glmcount.inference.covariance.estimator import Covariance, Estimator, register_estimator
from glmcount.inference.setting import Needs, Seen, Setting

__all__ = ["Covariance", "Estimator", "Needs", "Seen", "Setting", "register_estimator"]
