"""Records are dataclasses to everybody who asks."""

import copy
import dataclasses
import inspect

import pytest

import glmcount as gc
from glmcount.records import dataclass, field, replace


@dataclass(frozen=True)
class Point:
    """A point."""

    x: float
    y: float = 2.0
    tags: list = field(default_factory=list, compare=False, repr=False)


def test_fields_defaults_and_signature():
    assert Point(1.0) == Point(1.0, 2.0, ["other"])
    assert hash(Point(1.0)) == hash(Point(x=1.0, y=2.0))
    assert Point(1.0) != Point(3.0)
    assert Point(1.0) != (1.0, 2.0)
    assert Point(1.0).tags is not Point(1.0).tags
    assert repr(Point(1.0)) == "Point(x=1.0, y=2.0)"
    assert str(inspect.signature(Point)).startswith("(x: float, y: float = 2.0, tags: list")
    assert Point.y == 2.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: Point(),
        lambda: Point(1.0, 2.0, [], 3.0),
        lambda: Point(1.0, x=1.0),
        lambda: Point(1.0, z=1.0),
        lambda: Point(1.0, 2.0, z=1.0),
        lambda: replace(Point(1.0), z=1.0),
    ],
)
def test_wrong_arguments_are_refused(call):
    with pytest.raises(TypeError, match="Point"):
        call()


def test_a_frozen_record_stays_as_it_is():
    point = Point(1.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 2.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        del point.x


@pytest.mark.parametrize("change", [replace, dataclasses.replace])
def test_the_standard_functions_know_records(change):
    control = change(gc.Control(tol=1e-8), maxiter=7)
    assert (control.tol, control.maxiter, control.threads) == (1e-8, 7, None)
    assert [one.name for one in dataclasses.fields(Point)] == ["x", "y", "tags"]
    assert dataclasses.asdict(Point(1.0)) == {"x": 1.0, "y": 2.0, "tags": []}
    assert copy.deepcopy(Point(1.0)) == Point(1.0)
