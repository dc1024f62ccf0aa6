"""Expressions are plain data: they go to another process, with the user's functions by name."""

import copy
import pickle

import numpy as np
import pytest

import glmcount as gc
from glmcount.errors import UsageError
from glmcount.language.evaluate import evaluate
from glmcount.language.parse import parse


def doubled(x):
    return 2.0 * x


def test_an_expression_pickles_with_the_functions_it_calls_and_no_others():
    env = {"doubled": doubled, "other": lambda x: x}
    expression = parse("doubled(x) + log(z)", ["x", "z"], env)
    again = pickle.loads(pickle.dumps(expression))  # noqa: S301
    assert again == expression
    assert dict(again.functions) == {"doubled": doubled}
    data = {"x": np.array([1.0, 2.0]), "z": np.array([3.0, 4.0])}
    assert np.array_equal(evaluate(again, None, data), evaluate(expression, None, data))


def test_a_function_without_a_name_is_refused_when_pickled_and_not_before():
    data = {"y": [1, 2, 0, 4, 3, 1], "x": [0.1, 0.5, 0.2, 0.9, 0.4, 0.3]}
    spec = gc.fit("y ~ half(x)", data, env={"half": lambda x: x / 2})._state.rows.spec
    with pytest.raises(
        UsageError, match=r"half of env= in 'half\(x\)' is.*lambda.*def at the top"
    ) as caught:
        pickle.dumps(spec)
    assert caught.value.kind == "not_picklable"


@pytest.mark.parametrize("formula", ["y ~ half(x)", "y ~ center(x)", "y ~ C(x > 0.3, Sum)"])
def test_results_can_be_copied_whatever_they_were_made_with(formula):
    data = {"y": [1, 2, 0, 4, 3, 1], "x": [0.1, 0.5, 0.2, 0.9, 0.4, 0.3]}
    r = gc.fit(formula, data, env={"half": lambda x: x / 2})
    new = {"x": [0.25, 0.7]}
    assert copy.deepcopy(r).predict(new).tolist() == r.predict(new).tolist()
