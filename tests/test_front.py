"""Errors that a user can mend end at the user's line; faults of ours show every frame."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
import timeit
import traceback

import pytest

import glmcount as gc
from glmcount.errors import UnknownArgumentError, UnknownNameError, UsageError
from glmcount.front import fronted, public, refuse_call

DATA = {"y": [1, 3, 2, 6, 4, 1], "x": [0, 1, 0, 1, 1, 0]}


@pytest.fixture(scope="module")
def result():
    return gc.fit("y ~ x", DATA)


def shown(tmp_path, lines):
    """What Python writes of a script that fails."""
    script = tmp_path / "script.py"
    script.write_text("import glmcount as gc\n" + lines)
    command = [sys.executable, str(script)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    return run.stderr.rstrip().split("\n")


LINES = [
    'gc.fit("y ~ xx", {"y": [1, 2], "x": [0, 1]})',
    'gc.fit("y ~ factor(x)", {"y": [1, 2], "x": [0, 1]})',
    'gc.fit("y ~ x", {"y": [1, 2], "x": [0, 1]}, vcov="HC1")',
    'gc.fit("y ~ x", {"y": [1, 2, 4], "x": [0, 1, 1]}).wald_test("z = 0")',
    'gc.fit("y ~ x", {"y": [1, 2, 4], "x": [0, 1, 1]}).coef',
    'gc.fit("y ~ x", {"y": [1, 2, 4], "x": [0, 1, 1]}).conf_int(level=95)',
    'gc.fit("y ~ x", {"y": [1, 2, 4], "x": [0, 1, 1]}).with_cov("HC33")',
    'gc.cluster("g", kind="CR9")',
    "gc.Control(maxiter=0)",
    "gc.Poisson",
    "gc.families.negbin(theta=2)",
    "gc.datasets.quine",
    'print(gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 0, 0, 1]}, cov="HC3"))',
]


@pytest.mark.parametrize("line", LINES)
def test_a_typing_error_shows_the_users_line_last(tmp_path, line):
    told = shown(tmp_path, line + "\n")
    places = [each for each in told if each.startswith("  File ")]
    assert len(places) == 1
    assert "script.py" in places[0]
    assert line in told[2]
    assert len(told) <= 9
    assert told[0] == "Traceback (most recent call last):"
    assert not any("During handling" in each or "direct cause" in each for each in told)


def test_functions_of_the_user_stay_in_sight(tmp_path):
    told = shown(tmp_path, "def mine():\n    gc.fit('y ~ xx', {'y': [1]})\n\nmine()\n")
    places = [each for each in told if each.startswith("  File ")]
    assert [place.rpartition(" ")[2] for place in places] == ["<module>", "mine"]


def test_what_the_user_was_handling_stays_in_sight(tmp_path):
    told = shown(
        tmp_path, "try:\n    1 / 0\nexcept ZeroDivisionError:\n    gc.fit('y', {'y': [1]})\n"
    )
    assert "ZeroDivisionError: division by zero" in told
    assert any(each.startswith("During handling") for each in told)


def test_every_frame_on_request(tmp_path):
    told = shown(tmp_path, "gc.errors.full_tracebacks(True)\n" + LINES[0] + "\n")
    places = [each for each in told if each.startswith("  File ")]
    assert len(places) > 5
    assert "glmcount" in places[-1]
    gone = shown(
        tmp_path, "gc.errors.full_tracebacks(True)\ngc.errors.full_tracebacks(False)\n" + LINES[0]
    )
    assert len([each for each in gone if each.startswith("  File ")]) == 1


def test_a_fault_of_ours_shows_every_frame():
    @public
    def broken():
        return [][0]

    with pytest.raises(IndexError) as caught:
        broken()
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-1] == "broken"


def test_a_type_error_within_is_no_mistake_of_the_call():
    @public
    def broken():
        return len(3)

    with pytest.raises(TypeError, match="has no len") as caught:
        broken()
    assert not isinstance(caught.value, UsageError)


def test_a_cause_keeps_the_users_frames():
    def mine():
        raise KeyError("mine")

    @public
    def asking(function):
        try:
            function()
        except KeyError as problem:
            raise UsageError("It cannot be asked.") from problem

    with pytest.raises(UsageError) as caught:
        asking(mine)
    cause = caught.value.__cause__
    assert isinstance(cause, KeyError)
    names = [frame.name for frame in traceback.extract_tb(cause.__traceback__)]
    assert names[-1] == "mine"


def test_calls_that_do_not_fit_are_type_errors_too(result):
    with pytest.raises(TypeError) as caught:
        result.conf_int(levl=0.1)
    assert isinstance(caught.value, UnknownArgumentError)
    assert caught.value.kind == "unknown_argument"
    assert "Arguments: alpha, method, nuisance, parameters, kind" in str(caught.value)


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ((1, 2, 3), {}, "takes 2 arguments (a, b) without a name. Others are named: width="),
        ((1,), {"a": 2, "b": 1}, "was given a twice"),
        ((), {"b": 1}, "needs a: write f(a, b)"),
        ((1, 2), {"width_": 3}, "Did you mean 'width'"),
    ],
)
def test_what_does_not_fit_is_named(args, kwargs, words):
    def f(a, b, *, width=0):
        return a + b + width

    with pytest.raises(UnknownArgumentError) as caught:
        refuse_call(f, args, kwargs)
    assert words in str(caught.value)


def test_names_that_there_are_not_are_attribute_errors_too(result):
    assert not hasattr(result, "coef")
    assert getattr(result, "coef", 5) == 5
    with pytest.raises(AttributeError) as caught:
        result.coef  # noqa: B018
    assert isinstance(caught.value, UnknownNameError)
    with pytest.raises(AttributeError) as plain:
        getattr(result, "_" + "nothing")
    assert not isinstance(plain.value, UnknownNameError)
    with pytest.raises(ImportError):
        from glmcount import Poisson  # noqa: F401


def test_an_attribute_error_within_is_not_taken_for_a_missing_name():
    @fronted
    class Holder:
        @property
        def figure(self):
            return None.nothing

    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'nothing'"):
        Holder().figure  # noqa: B018


def test_what_is_public_looks_as_it_was_written(result):
    assert list(inspect.signature(gc.fit).parameters)[:3] == ["formula", "data", "family"]
    assert gc.fit.__name__ == "fit"
    assert gc.fit.__doc__.startswith("Fit a count model")
    assert next(iter(inspect.signature(result.conf_int).parameters)) == "alpha"
    assert inspect.getdoc(type(result).nobs)
    again = pickle.loads(pickle.dumps(result))  # noqa: S301
    assert again.params.equals(result.params)
    assert copy.deepcopy(result).llf == result.llf
    assert pickle.loads(pickle.dumps(gc.fit)) is gc.fit  # noqa: S301


def test_an_entry_costs_no_measurable_time(result):
    def plain() -> None:
        pass

    wrapped = public(plain)
    bare = min(timeit.repeat(plain, number=20_000, repeat=5))
    made = min(timeit.repeat(wrapped, number=20_000, repeat=5))
    # Of a fit of a millisecond some thousandths.
    assert (made - bare) / 20_000 < 5e-6
