"""What users call: errors end at their line, and a call that does not fit is told what would."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from types import FunctionType
from typing import Any, NoReturn, ParamSpec, TypeVar

from glmcount.errors import (
    GlmcountError,
    UnknownArgumentError,
    UnknownNameError,
    counted,
    near,
    some,
    to_the_user,
)
from glmcount.records import cached_property
from glmcount.spellings.lookup import LIKE, advice, instead, or_listed, told
from glmcount.spellings.members import INNER, MEMBERS, MODULES
from glmcount.spellings.models import OURS
from glmcount.spellings.options import ARGUMENTS, OF, PLACED

__all__ = ["fronted", "public", "refuse_name"]

# Modules of functions that pass on whatever they are given.
WRAPPERS = ("glmcount.front", "glmcount.families.recipe")

# Methods that Python and notebooks call for a user.
SHOWN = ("__init__", "__repr__", "__str__", "_repr_html_")

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C")


def public(function: Callable[P, T]) -> Callable[P, T]:
    """The same, whose errors leave the caller's frames alone and whose arguments are answered.

    Examples
    --------
    >>> @public
    ... def area(width, height=1.0):
    ...     return width * height
    >>> area(2.0, height=3.0)
    6.0
    """

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            try:
                return function(*args, **kwargs)
            except TypeError as problem:
                if not _of_the_call(problem):
                    raise
                refuse_call(function, args, kwargs)
        except GlmcountError as error:
            to_the_user(error)
            raise

    return called


def _of_the_call(problem: TypeError) -> bool:
    """Whether arguments did not fit a call that somebody else made."""
    entry = problem.__traceback__
    while entry is not None and entry.tb_frame.f_globals.get("__name__") in WRAPPERS:
        entry = entry.tb_next
    if entry is not None or isinstance(problem, GlmcountError):
        return False
    caller = sys._getframe(2).f_globals.get("__name__", "")
    return not str(caller).startswith("glmcount")


def refuse_call(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> NoReturn:
    """Say which argument a call has too many, or lacks, and what to write.

    Raises
    ------
    UnknownArgumentError
    """
    title, own = function.__name__, list(inspect.signature(function).parameters.values())
    if own and own[0].name == "self":
        own, args = own[1:], args[1:]
    names = [each.name for each in own if each.kind is not each.VAR_KEYWORD]
    placed = [each.name for each in own if each.kind is each.POSITIONAL_OR_KEYWORD]
    unknown = [name for name in kwargs if name not in names]
    twice = [name for name in placed[: len(args)] if name in kwargs]
    if unknown:
        why = f"has no argument {unknown[0]!r}.{_argument(title, unknown[0], names)}"
    elif len(args) > len(placed):
        many = len(placed)
        which = f"{counted(many, 'argument')} ({', '.join(placed)})" if placed else "no argument"
        why = f"takes {which} without a name."
        why += _surplus(title, names[many:], args[many:])
    elif twice:
        why = f"was given {twice[0]} twice, by its place and by its name."
    else:
        given = {*placed[: len(args)], *kwargs}
        lacking = [p.name for p in own if p.default is p.empty and p.name not in given]
        needed = [name for name in lacking if name in names]
        shown = ", ".join([p.name for p in own if p.default is p.empty and p.name in names])
        why = f"needs {' and '.join(needed)}: write {title}({shown})."
    raise UnknownArgumentError(f"{title}() {why}") from None


def _argument(title: str, name: str, names: list[str]) -> str:
    """What to write for an argument that a function does not have."""
    tables = [table for titles, table in OF.items() if title in titles.split()]
    usual = [{name: table["*"]} for table in tables if "*" in table]
    for table in (*tables, ARGUMENTS, *usual):
        text = advice(table, name)
        # What another function takes under that name is no advice.
        keyword = (text or "").partition("=")[0]
        if text is not None and (not keyword.isidentifier() or keyword in names):
            return told(text)
    hint = near(name, names, LIKE)
    return hint or f" Arguments: {some(names, 30)}." if names else " It takes none."


def _surplus(title: str, named: list[str], given: tuple[Any, ...]) -> str:
    """What to write for arguments that have no place."""
    if advice(PLACED, title) is not None:
        known = isinstance(given[0], str) and given[0].lower() in OURS
        return instead(PLACED, title, (), repr(given[0]) if known else "")
    return f" Others are named: {some([f'{name}=' for name in named], 30)}." if named else ""


def fronted(cls: type[C]) -> type[C]:
    """A class whose methods and figures are `public`, those of its bases too."""
    for base in cls.__mro__:
        if not base.__module__.startswith("glmcount"):
            continue
        for name, value in list(vars(base).items()):
            hidden = name.startswith("_") and name not in SHOWN
            if not hidden and (made := _fronted(value)) is not None:
                setattr(base, name, made)
                if isinstance(made, cached_property):
                    made.__set_name__(base, name)
    cls.__getattr__ = _answer  # type: ignore[attr-defined]
    return cls


def _fronted(value: Any) -> Any:
    """A function or property made public; None for anything else, and for what is."""
    if isinstance(value, FunctionType):
        return None if hasattr(value, "__wrapped__") else public(value)
    if isinstance(value, cached_property):
        return None if hasattr(value.func, "__wrapped__") else cached_property(public(value.func))
    if isinstance(value, property) and value.fget is not None:
        getter = value.fget
        return None if hasattr(getter, "__wrapped__") else property(public(getter))
    return None


@public
def _answer(self: Any, name: str) -> Any:
    """What is asked for and is not there."""
    kind = type(self)
    if hasattr(kind, name):
        # A figure that failed as if it were not there: its own error again.
        return object.__getattribute__(self, name)
    if name.startswith("_"):
        raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")
    own = [each for each in dir(kind) if not each.startswith("_")]
    own += [each for each in vars(self) if not each.startswith("_")]
    own = sorted(set(own) - set(INNER.get(kind.__name__, "").split()))
    hint = instead(MEMBERS.get(kind.__name__, {}), name, own)
    raise UnknownNameError(
        f"{kind.__name__} has no {name!r}.{hint or f' It has: {some(own, 90)}.'}"
    )


def refuse_name(module: str, name: str, names: list[str]) -> NoReturn:
    """Answer a name that the package, or a module of it, does not have.

    Raises
    ------
    UnknownNameError
    """
    if name.startswith("_"):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    hint = instead(MODULES.get(module, {}), name, names)
    raise UnknownNameError(
        f"{module} has no {name!r}.{or_listed(hint, f' It has: {some(names, 40)}.')}"
    )
