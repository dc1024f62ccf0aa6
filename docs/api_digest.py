"""The API in one file: a line of each public name, its signature and its first sentence."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from pathlib import Path

import surface
from docstrings import signature, summary

import glmcount

PAGE = Path(__file__).resolve().parent / "api-digest.md"

HEAD = """\
# API digest

Every public name with its signature and its first sentence, for a quick look and for programs that
read one file. Written by `make docs`; the [reference](reference.md) has the rest.
"""


def line(name: str, value: object, signed: bool = True) -> str:
    """One item of a list; of a class that is not `signed` its name alone."""
    text = summary(inspect.getdoc(value) or "")
    plain = isinstance(value, type) and (
        issubclass(value, Exception) or getattr(value, "_is_protocol", False)
    )
    called = inspect.isroutine(inspect.unwrap(value))  # type: ignore[arg-type]
    made = isinstance(value, type) and not plain and signed
    shown = signature(value) if called or made else ""
    return f"- `{name}{shown}`: {text}"


def what_is(value: object) -> str:
    """A sentence about a value that is neither a class nor a function."""
    if isinstance(value, glmcount.families.Family):
        also = f", or {' '.join(value.aliases)}" if value.aliases else ""
        predictors = ", ".join(equation.name for equation in value.equations)
        return f"The family {value.name}{also}: {value.title}; predictors: {predictors}."
    assert isinstance(value, dict)
    return f"What is registered, by name: {', '.join(value)}."


def of_class(kind: type, before: str) -> Iterator[str]:
    """Items of what a class has."""
    for key, member in surface.members(kind).items():
        if isinstance(member, types.FunctionType):
            yield line(f"{before}.{key}", member)
        else:
            told = summary(inspect.getdoc(member) or "")
            yield f"- `{before}.{key}`{surface.kind_of(member)}: {told}"


def digest() -> str:
    """The whole page."""
    parts: list[str] = [HEAD, "## glmcount", ""]
    classes: list[tuple[str, type]] = []
    for public in surface.named():
        value = public.value
        if isinstance(value, types.ModuleType):
            parts += ["", f"## glmcount.{public.name}", "", summary(value.__doc__ or ""), ""]
        elif isinstance(value, type) or inspect.isroutine(inspect.unwrap(value)):  # type: ignore[arg-type]
            parts.append(line(public.name, value, value is not glmcount.Results))
            if isinstance(value, type) and not issubclass(value, Exception):
                classes.append((public.own, value))
        else:
            parts.append(f"- `{public.name}`: {what_is(value)}")
    for heading, found, signed in (
        ("What results hold", surface.returned(), False),
        ("Contracts", surface.contracts(), True),
    ):
        parts += ["", f"## {heading}", "", *(line(each.name, each.value, signed) for each in found)]
        classes += [(each.own, each.value) for each in found if isinstance(each.value, type)]
    for own, kind in classes:
        inner = list(of_class(kind, "r" if own == "Results" else own))
        if inner:
            parts += ["", f"## {own}", "", *inner]
    return "\n".join(parts) + "\n"
