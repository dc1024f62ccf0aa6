"""Regression on counts: ``r = glmcount.fit("y ~ x1 + x2", data=df); print(r.summary())``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glmcount import covariances, datasets, errors, families
from glmcount.api import fit, fit_arrays
from glmcount.front import public, refuse_name
from glmcount.inference.covariance import bootstrap, cluster, driscoll_kraay, hac, jackknife
from glmcount.later import asked
from glmcount.numerics.control import Control
from glmcount.results.result import Results

if TYPE_CHECKING:
    from glmcount.results.comparing import lr_test
    from glmcount.results.pooled import pool
    from glmcount.results.power import power
    from glmcount.results.vuong import vuong_test
else:
    _WAITING = {
        "lr_test": "glmcount.results.comparing",
        "pool": "glmcount.results.pooled",
        "power": "glmcount.results.power",
        "vuong_test": "glmcount.results.vuong",
    }

    @public
    def __getattr__(name: str) -> Any:
        if name not in _WAITING:
            refuse_name("glmcount", name, __all__)
        return asked(_WAITING[name], name)

    def __dir__() -> list[str]:
        own = (name for name in globals() if name.startswith("__") and name.endswith("__"))
        return sorted({*own, *__all__})


__version__ = "0.1.0"

__all__ = [
    "Control",
    "Results",
    "bootstrap",
    "cluster",
    "covariances",
    "datasets",
    "driscoll_kraay",
    "errors",
    "families",
    "fit",
    "fit_arrays",
    "hac",
    "jackknife",
    "lr_test",
    "pool",
    "power",
    "vuong_test",
]
