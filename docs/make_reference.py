"""Write the pages that are made of docstrings, and the index that programs read.

    python docs/make_reference.py            # exit 1 and a diff when a page is out of date
    python docs/make_reference.py --write    # rewrite the pages

``docs/reference.md`` holds ``glmcount.__all__`` in its order (functions, classes with their public
methods and attributes, and for a module what its own ``__all__`` names), then what calls return,
then the contracts; ``docs/api-digest.md`` a line of each; ``docs/llms.txt`` a line of each page.
"""

from __future__ import annotations

import argparse
import difflib
import enum
import inspect
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import api_digest
import page_list
import surface
from docstrings import rendered, signature, summary

import glmcount

PAGE = Path(__file__).resolve().parent / "reference.md"

HEAD = """\
# API reference

Everything public, from the docstrings. Written by `make docs`; edit the docstring, not this page.
First the names of `glmcount` itself, then [what results hold](#what-results-hold), which is not
made by hand but returned, then [the contracts](#contracts) that code of your own may fill. The
[digest](api-digest.md) has one line of each.
"""

RETURNED = """\
## What results hold

Records that functions and results return. Their fields are attributes; none can be changed."""

# Classes with a name that nobody makes by hand.
GIVEN = {glmcount.Results: "Given by `fit`, `fit_arrays` and the methods of a result."}

CONTRACTS = """\
## Contracts

What a family, a link, a source of data or a covariance of one's own is made of and is handed. Those
above with a name in `glmcount.families` or `glmcount.covariances` belong to them too."""


def documented(value: object, name: str, mark: str, given: str = "") -> str:
    """A heading, the signature, and the docstring; of what is `given` no signature."""
    text = inspect.getdoc(value)
    if not text:
        raise SystemExit(f"{name} is public and has no docstring")
    # The name alone is the heading, so that its anchor stays when parameters come and go.
    parts = [f"{mark} `{name}`"]
    if given:
        parts += [
            given,
            re.sub(r"^\*\*Parameters\*\*$", "**Attributes**", rendered(text), flags=re.M),
        ]
    else:
        protocol = getattr(value, "_is_protocol", False)
        call = [f"`{name}{signature(value)}`"] if callable(value) and not protocol else []
        parts += [*call, rendered(text)]
    return "\n\n".join(parts)


def members(kind: type, name: str) -> Iterator[str]:
    """The public methods, then the attributes, that `kind` or a base in the package defines."""
    attributes = []
    for key, member in surface.members(kind).items():
        if isinstance(member, types.FunctionType):
            yield documented(member, f"{name}.{key}", "####")
            continue
        text = inspect.getdoc(member)
        if not text:
            raise SystemExit(f"{name}.{key} is public and has no docstring")
        attributes.append(f"- `{key}`{surface.kind_of(member)}: {summary(text)}")
    if attributes:
        yield f"#### Attributes of `{name}`\n\n" + "\n".join(attributes)


def class_entry(value: type, name: str, own: str, given: str = "") -> Iterator[str]:
    """A class with its members."""
    if issubclass(value, (Exception, Warning)):
        yield f"### `{name}`\n\n{rendered(inspect.getdoc(value) or '')}"
    else:
        yield documented(value, name, "###", given)
        yield from members(value, own)


def entry(public: surface.Public) -> Iterator[str]:
    """The documentation of one name."""
    value, name = public.value, public.name
    if isinstance(value, types.ModuleType):
        yield f"## `{name}`\n\n{rendered(inspect.getdoc(value) or '')}"
    elif isinstance(value, type) and not issubclass(value, enum.Enum):
        yield from class_entry(value, name, public.own, GIVEN.get(value, ""))
    elif inspect.isroutine(inspect.unwrap(value)):  # type: ignore[arg-type]
        yield documented(value, name, "###")
    else:
        yield f"### `{name}`\n\n{api_digest.what_is(value)}"


def by_calls(public: surface.Public) -> Iterator[str]:
    """The documentation of what calls give."""
    assert isinstance(public.value, type)
    given = "Given by " + ", ".join(f"`{via}`" for via in public.via) + "."
    yield from class_entry(public.value, public.name, public.name, given)


def by_import(public: surface.Public) -> Iterator[str]:
    """The documentation of a part of a contract without a name in `glmcount`."""
    assert isinstance(public.value, type)
    heading, *rest = class_entry(public.value, public.name, public.name)
    first, _, others = heading.partition("\n\n")
    yield f"{first}\n\n`from {public.value.__module__} import {public.name}`\n\n{others}"
    yield from rest


def contents() -> Iterator[str]:
    """A line of links for each module, and for what has no name in one."""
    modules: dict[str, list[str]] = {"": []}
    for public in surface.named():
        if isinstance(public.value, types.ModuleType):
            modules[f".{public.name}"] = []
        else:
            modules[f".{public.name}".rpartition(".")[0]].append(public.name)
    for module, names in modules.items():
        yield f"- `glmcount{module}`: {', '.join(map(linked, names))}"
    for told, found in (
        ("What results hold", surface.returned()),
        ("Contracts", surface.contracts()),
    ):
        yield f"- {told}: {', '.join(linked(each.name) for each in found)}"


def linked(name: str) -> str:
    """A link to the heading of that name, by the anchor that GitHub gives it."""
    return f"[{name.rpartition('.')[2]}](#{re.sub('[^a-z0-9_]', '', name.lower())})"


def reference() -> str:
    """The whole page."""
    parts = [HEAD.rstrip("\n"), "\n".join(contents())]
    for public in surface.named():
        parts += entry(public)
    parts.append(RETURNED)
    for public in surface.returned():
        parts += by_calls(public)
    parts.append(CONTRACTS)
    for public in surface.contracts():
        parts += by_import(public)
    page = "\n\n".join(parts) + "\n"
    return "\n".join(line.rstrip() for line in page.split("\n"))


WRITTEN = {PAGE: reference, api_digest.PAGE: api_digest.digest, page_list.PAGE: page_list.listed}


def main() -> int:
    """Compare or rewrite the pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="rewrite the pages")
    options = parser.parse_args()
    stale = False
    for page, made in WRITTEN.items():
        old, new = page.read_text(encoding="utf-8") if page.exists() else "", made()
        if options.write:
            page.write_text(new, encoding="utf-8")
            continue
        diff = difflib.unified_diff(old.splitlines(), new.splitlines(), page.name, "as generated")
        print("\n".join(diff))
        stale = stale or old != new
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
