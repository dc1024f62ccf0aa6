"""Records are dataclasses to everybody who asks."""

import copy
import dataclasses
import inspect
import threading

import pytest

import glmcount as gc
from glmcount.records import MANY, cached_property, dataclass, field, replace


@dataclass(frozen=True)
class Point:
    """A point."""

    x: float
    y: float = 2.0
    tags: list = field(default_factory=list, compare=False, repr=False)


@pytest.fixture(params=[False, True], autouse=True)
def _few_or_many(request, monkeypatch):
    """Both ways in which records are made: of a class that has few, and of one that has many."""

    @dataclass(frozen=True)
    class Point:
        """A point."""

        x: float
        y: float = 2.0
        tags: list = field(default_factory=list, compare=False, repr=False)

    Point.__qualname__ = "Point"
    monkeypatch.setitem(globals(), "Point", Point)
    before = Point.__init__
    for k in range(2 * MANY if request.param else 1):
        Point(k)
    assert (Point.__init__ is before) is not request.param


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


@pytest.mark.parametrize("change", [replace, dataclasses.replace])
def test_a_changed_copy_is_checked_as_a_new_record_is(change):
    with pytest.raises(gc.errors.UsageError, match="maxiter"):
        change(gc.Control(), maxiter=-1)


def test_fields_may_be_called_as_one_likes():
    @dataclass(frozen=True)
    class Odd:
        """Names that the code of many records might use itself."""

        held: int
        cls: int
        values: int = 3
        own: list = field(default_factory=list)

    for k in range(2 * MANY):
        one = Odd(k, cls=k + 1)
        assert (one.held, one.cls, one.values, one.own) == (k, k + 1, 3, [])
        one.own.append(k)


@dataclass(frozen=True)
class Meeting:
    """Two of them have their figures at the same time, or never."""

    barrier: threading.Barrier
    made: list = field(default_factory=list)

    @cached_property
    def figure(self) -> int:
        """How often it was made."""
        self.barrier.wait(timeout=20)
        self.made.append(1)
        return len(self.made)


def test_figures_of_two_records_do_not_wait_for_each_other():
    barrier = threading.Barrier(2)
    both = Meeting(barrier), Meeting(barrier)
    threads = [threading.Thread(target=lambda one=one: one.figure) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Made once: a second time would wait for another that does not come.
    assert [one.figure for one in both] == [1, 1]
