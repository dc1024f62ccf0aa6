"""A task gives in another process what it gives here."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.design.task import Task
from glmcount.engine.passes import Pass
from glmcount.engine.weigh import Likelihood
from glmcount.sources.folds import is_plain

MODELS = {"poisson": {}, "negbin": {"family": "negbin"}, "zip": {"inflate": "x"}}


@pytest.fixture(params=MODELS)
def made(request):
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"x": rng.normal(size=200), "g": rng.choice(list("abc"), 200)})
    frame["y"] = rng.negative_binomial(1.5, 0.4, 200) * (rng.random(200) > 0.2)
    result = gc.fit("y ~ bs(x, df=4) + g", frame, **MODELS[request.param])
    rows, fit = result._state.rows, result._state.fit
    work = Pass(fit.layout, fit.theta, Likelihood(fit.family, False), 32_768)
    return Task(rows.spec, rows.plan, True, work, rows.marks), rows


def test_it_pickles(made):
    task, rows = made
    assert is_plain(task)
    columns = rows.source.strip(0, rows.names)[1]
    again = pickle.loads(pickle.dumps(task))  # noqa: S301
    here, there = (each(0, 0, columns) for each in (task, again))
    assert here.keys() == there.keys()
    for key, value in here.items():
        np.testing.assert_array_equal(value, there[key])


def test_it_looks_at_the_columns(made):
    task, rows = made
    columns = dict(rows.source.strip(0, rows.names)[1])
    columns["x"] = columns["x"].values + 1e-6
    with pytest.raises(gc.errors.DataChangedError, match="column 'x'"):
        task(0, 0, columns)


def test_what_no_other_process_can_find_is_not_plain(made):
    _, rows = made
    assert not is_plain(Task(rows.spec, rows.plan, True, lambda strip: strip.n))
    assert is_plain(Task(rows.spec, rows.plan, True, len))
