"""Frozen records: dataclasses whose methods are closures, and source only where it pays.

The standard library writes the source of every method and compiles it, a millisecond a class,
which for our seventy was most of what importing took. A class of which many records are made gets
an `__init__` of its own then, which takes half the time of the closure: some forty microseconds
are earned back by two hundred records, of which a fit makes sixty. Fields are the library's own,
so that its functions know these classes too.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
import math
from collections.abc import Callable, Iterable
from dataclasses import Field, field
from typing import TYPE_CHECKING, Any

__all__ = ["cached_property", "dataclass", "field", "replace"]

NONE: Any = dataclasses.MISSING

if TYPE_CHECKING:
    from dataclasses import dataclass, replace
    from functools import cached_property
else:

    class cached_property(functools.cached_property):
        """As Python's own since 3.12, without the lock that all objects of a class share."""

        def __get__(self, owner: Any, kind: Any = None) -> Any:
            """The value, made once; by two threads at the same time perhaps twice."""
            if owner is None:
                return self
            value = owner.__dict__[self.attrname] = self.func(owner)
            return value

    def dataclass(
        cls: type | None = None,
        *,
        frozen: bool = False,
        eq: bool = True,
        repr: bool = True,
        kw_only: bool = False,
    ) -> Any:
        """As `dataclasses.dataclass`, of these options."""

        def made(plain: type) -> type:
            return _record(plain, frozen, eq, repr, kw_only)

        return made if cls is None else made(cls)

    def replace(record: Any, /, **changes: Any) -> Any:
        """A copy with some fields changed."""
        held, kind = record.__dict__, type(record)
        fields = kind.__dataclass_fields__
        if len(held) > len(fields):
            # Without figures that were derived of them.
            held = {name: held[name] for name in fields}
        own = held | changes
        if len(own) > len(fields):
            return kind(**own)
        copy = object.__new__(kind)
        _put(copy, "__dict__", own)
        if hasattr(kind, "__post_init__"):
            copy.__post_init__()
        return copy


# Records after which a class has its own code.
MANY = 20
# What a frozen record does not let others do.
_put = object.__setattr__


def _record(cls: Any, frozen: bool, eq: bool, shown: bool, named: bool) -> type:
    own = {
        name: _field(cls, name, annotation, named)
        for name, annotation in vars(cls).get("__annotations__", {}).items()
    }
    cls.__dataclass_fields__ = own
    cls.__init__ = _init(cls, own, named, "__post_init__" in vars(cls))
    cls.__signature__ = _Signature()
    if shown and "__repr__" not in vars(cls):
        cls.__repr__ = _repr
    if eq:
        _compared(cls, [name for name, one in own.items() if one.compare], frozen)
    if frozen:
        cls.__setattr__ = cls.__delattr__ = _refuse
    if "__getstate__" not in vars(cls):
        cls.__getstate__ = _state
    return cls  # type: ignore[no-any-return]


def _field(cls: Any, name: str, annotation: Any, named: bool) -> Field[Any]:
    given = vars(cls).get(name, NONE)
    one: Any = given if isinstance(given, Field) else field(default=given)
    if one is given and one.default is NONE:
        delattr(cls, name)
    elif one is given:
        setattr(cls, name, one.default)
    one.name, one.type, one.kw_only = name, annotation, named
    one._field_type = dataclasses._FIELD  # type: ignore[attr-defined]
    return one  # type: ignore[no-any-return]


def _init(
    cls: Any, own: dict[str, Field[Any]], by_name: bool, checked: bool
) -> Callable[..., None]:
    title, names, count, known = cls.__name__, tuple(own), len(own), own.keys()
    left = math.inf if by_name or checked else MANY
    most = 0 if by_name else count
    plain = {name: one.default for name, one in own.items() if one.default is not NONE}
    makers: dict[str, Any] = {n: one.default_factory for n, one in own.items() if n not in plain}

    def refusal(given: Iterable[str]) -> TypeError:
        told = "by name and once" if by_name else "each once"
        odd = next((name for name in given if name not in known), "")
        like = difflib.get_close_matches(odd, names, n=1, cutoff=0.75)
        hint = f"Did you mean {like[0]!r}? " if like else ""
        why = f"has no {odd!r}. {hint}It takes" if odd else "takes"
        return TypeError(f"{title}() {why} {', '.join(names)}, {told}.")

    def __init__(self: Any, *values: Any, **named: Any) -> None:
        nonlocal left
        given = len(values)
        if given > most:
            raise refusal(())
        if named:
            twice = given and not named.keys().isdisjoint(names[:given])
            if twice or not named.keys() <= known:
                raise refusal(named)
        if given:
            held = self.__dict__
            if given < count:
                held.update(plain)
                held.update(named)
            for name, value in zip(names, values):  # noqa: B905
                held[name] = value
        else:
            held = plain | named
            _put(self, "__dict__", held)
        if len(held) < count:
            for name, make in makers.items():
                if name not in held:
                    if make is NONE:
                        raise TypeError(f"{title}() needs {name}")
                    held[name] = make()
        if checked:
            self.__post_init__()
        left -= 1
        if left <= 0:
            cls.__init__ = _written(cls, own)

    return __init__


def _written(cls: type, own: dict[str, Field[Any]]) -> Callable[..., None]:
    """An `__init__` in code of these fields; Python refuses what does not fit it."""
    makers = {n: one.default_factory for n, one in own.items() if one.default_factory is not NONE}
    given = [
        f"{name}=_own[{name!r}]" if name in makers or one.default is not NONE else name
        for name, one in own.items()
    ]
    lines = [f"def __init__(self, {', '.join(given)}):", " _fields = self.__dict__"]
    lines += [f" if {name} is _none: {name} = _makers[{name!r}]()" for name in makers]
    lines += [f" _fields[{name!r}] = {name}" for name in own]
    defaults = {name: one.default for name, one in own.items()}
    space: dict[str, Any] = {"_own": defaults, "_makers": makers, "_none": NONE}
    # Of the names of fields alone, which are ours.
    exec("\n".join(lines), space)  # noqa: S102
    written: Callable[..., None] = space["__init__"]
    written.__qualname__ = f"{cls.__qualname__}.__init__"
    return written


def _state(self: Any) -> dict[str, Any]:
    """The fields, and nothing that was derived of them and remembered."""
    held = self.__dict__
    return {name: held[name] for name in self.__dataclass_fields__}


def _repr(self: Any) -> str:
    own = self.__dataclass_fields__
    told = (f"{name}={getattr(self, name)!r}" for name, one in own.items() if one.repr)
    return f"{type(self).__qualname__}({', '.join(told)})"


def _compared(cls: Any, names: Iterable[str], frozen: bool) -> None:
    def values(record: Any) -> tuple[Any, ...]:
        return tuple([getattr(record, name) for name in names])

    def __eq__(self: Any, other: object) -> Any:
        return values(self) == values(other) if type(other) is type(self) else NotImplemented

    def __hash__(self: Any) -> int:
        return hash(values(self))

    cls.__eq__ = __eq__
    cls.__hash__ = __hash__ if frozen else None


def _refuse(self: Any, name: str, value: Any = None) -> None:
    raise dataclasses.FrozenInstanceError(f"{type(self).__name__}.{name} cannot be changed")


class _Signature:
    """The signature that `help` shows, made when it is asked for."""

    def __get__(self, record: Any, owner: Any) -> inspect.Signature:
        return inspect.Signature([_parameter(one) for one in dataclasses.fields(owner)])


def _parameter(one: Field[Any]) -> inspect.Parameter:
    default: Any = inspect.Parameter.empty if one.default is NONE else one.default
    made: Any = one.default_factory
    if made is not NONE:
        default = made()
    kind = (
        inspect.Parameter.KEYWORD_ONLY if one.kw_only else inspect.Parameter.POSITIONAL_OR_KEYWORD
    )
    return inspect.Parameter(one.name, kind, default=default, annotation=one.type)
