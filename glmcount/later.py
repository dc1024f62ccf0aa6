"""Modules that are loaded when something of them is first asked for.

A room says in its `__init__` which of its files wait. Of these ``from glmcount.room import file``
hands out a stand-in, which loads the file once it is asked for anything; whoever needs a name of it
at once writes ``from glmcount.room.file import name``, as of any other.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

__all__ = ["asked", "waiting"]


def asked(module: str, name: str) -> Any:
    """A name of a module, which is loaded for it; of two threads one waits for the other.

    Examples
    --------
    >>> asked("json", "loads")("[1]")
    [1]
    """
    return getattr(importlib.import_module(module), name)


class Waiting(ModuleType):
    """Stands for a module that nobody has asked for anything yet."""

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        return vars(importlib.import_module(self.__name__))

    def __getattr__(self, name: str) -> Any:
        return asked(self.__name__, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(importlib.import_module(self.__name__), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(importlib.import_module(self.__name__), name)


def waiting(room: str, files: str) -> Callable[[str], ModuleType]:
    """What a room answers when it is asked for a file that is not loaded.

    Parameters
    ----------
    room : str
        Its dotted name.
    files : str
        Those that wait, by their names with spaces between.

    Examples
    --------
    >>> ask = waiting("json", "decoder tool")
    >>> ask("decoder").JSONDecoder().decode("[1]")
    [1]
    """
    names = files.split()

    def answer(name: str) -> ModuleType:
        if name not in names:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        return Waiting(f"{room}.{name}")

    return answer
