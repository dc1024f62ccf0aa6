"""Write ``docs/reference.md`` from the docstrings of everything public.

    python docs/make_reference.py            # exit 1 and a diff when the page is out of date
    python docs/make_reference.py --write    # rewrite the page

The page holds ``glmcount.__all__`` in its order: functions, classes with their public methods and
attributes, and for a module what its own ``__all__`` names.
"""

from __future__ import annotations

import argparse
import difflib
import enum
import functools
import inspect
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import glmcount

PAGE = Path(__file__).resolve().parent / "reference.md"

HEAD = """\
# API reference

Everything public, from the docstrings. Written by `make docs`; edit the docstring, not this page.
"""

# numpydoc sections whose entries are "name : type" lines with an indented description.
LISTED = {"Parameters", "Other Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns"}

SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)


def sections(docstring: str) -> Iterator[tuple[str, str]]:
    """Pairs of a section's name and body; the text before the first section has the name ''."""
    pieces = SECTION.split(docstring)
    yield "", pieces[0].strip("\n")
    for name, body in zip(pieces[1::2], pieces[2::2], strict=True):
        yield name, body.strip("\n")


def listed(body: str) -> str:
    """A section of entries as a Markdown list."""
    lines: list[str] = []
    for line in body.splitlines():
        if line and not line[0].isspace():
            name, colon, kind = line.partition(" : ")
            lines.append(f"- `{name}` ({kind})" if colon else f"- `{name}`")
        elif line.strip():
            lines.append(f"  {line.strip()}")
    return "\n".join(lines)


def examples(body: str) -> str:
    """A section of doctests: sessions fenced, the prose between them as it is."""
    parts = []
    for part in re.split(r"\n\n+", body):
        parts.append(f"```pycon\n{part}\n```" if part.startswith(">>>") else part)
    return "\n\n".join(parts)


def rendered(docstring: str) -> str:
    """A numpydoc docstring as Markdown."""
    parts = []
    for name, body in sections(docstring):
        # Literal blocks, introduced by "::", are indented code in Markdown already.
        text = re.sub(r"^::\n\n", "", body, flags=re.MULTILINE)
        text = re.sub(r"::$", ":", text, flags=re.MULTILINE)
        text = listed(body) if name in LISTED else examples(body) if name == "Examples" else text
        parts.append(f"**{name}**\n\n{text}" if name else text)
    return "\n\n".join(part for part in parts if part)


def signature(call: object) -> str:
    """The parameters of `call`, without annotations: the docstring has the types."""
    found = inspect.signature(call)  # type: ignore[arg-type]
    kept = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in found.parameters.values()
        if parameter.name not in ("self", "cls")
    ]
    plain = found.replace(parameters=kept, return_annotation=inspect.Signature.empty)
    return re.sub(r"<(?:function|class) '?([\w.]+).*?>", r"\1", str(plain))


def documented(value: object, name: str, mark: str) -> str:
    """A heading with the signature, and the docstring."""
    text = inspect.getdoc(value)
    if not text:
        raise SystemExit(f"{name} is public and has no docstring")
    shown = f"{name}{signature(value)}" if callable(value) else name
    return f"{mark} `{shown}`\n\n{rendered(text)}"


def members(kind: type, name: str) -> Iterator[str]:
    """The public methods, then the attributes, that `kind` or a base in the package defines."""
    bases = [base for base in kind.__mro__ if base.__module__.startswith("glmcount")]
    every = {key: value for base in reversed(bases) for key, value in vars(base).items()}
    own = {key: value for key, value in every.items() if not key.startswith("_")}
    attributes = []
    for key, value in sorted(own.items()):
        if isinstance(value, (classmethod, staticmethod)):
            value = value.__func__
        if isinstance(value, types.FunctionType):
            yield documented(value, f"{name}.{key}", "####")
        elif isinstance(value, (property, functools.cached_property)):
            text = inspect.getdoc(value)
            if not text:
                raise SystemExit(f"{name}.{key} is public and has no docstring")
            attributes.append(f"- `{key}`: " + " ".join(text.split("\n\n")[0].split()))
    if attributes:
        yield f"#### Attributes of `{name}`\n\n" + "\n".join(attributes)


def entries(holder: types.ModuleType, prefix: str) -> Iterator[str]:
    """The documentation of everything in the ``__all__`` of `holder`."""
    for name in holder.__all__:
        value = getattr(holder, name)
        if isinstance(value, types.ModuleType):
            heading = f"## `{prefix}{name}`\n\n{rendered(inspect.getdoc(value) or '')}"
            yield heading
            yield from entries(value, f"{prefix}{name}.")
        elif isinstance(value, type) and not issubclass(value, enum.Enum):
            if issubclass(value, (Exception, Warning)):
                yield f"### `{prefix}{name}`\n\n{rendered(inspect.getdoc(value) or '')}"
            else:
                yield documented(value, f"{prefix}{name}", "###")
                yield from members(value, name)
        elif inspect.isroutine(inspect.unwrap(value)):
            yield documented(value, f"{prefix}{name}", "###")
        else:
            what = (
                "A type" if isinstance(value, types.GenericAlias) else f"A {type(value).__name__}"
            )
            yield f"### `{prefix}{name}`\n\n{what}."


def reference() -> str:
    """The whole page."""
    page = "\n\n".join([HEAD.rstrip("\n"), *entries(glmcount, "")]) + "\n"
    return "\n".join(line.rstrip() for line in page.split("\n"))


def main() -> int:
    """Compare or rewrite the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="rewrite the page")
    options = parser.parse_args()
    old, new = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "", reference()
    if options.write:
        PAGE.write_text(new, encoding="utf-8")
        return 0
    diff = difflib.unified_diff(old.splitlines(), new.splitlines(), PAGE.name, "as generated")
    print("\n".join(diff))
    return int(old != new)


if __name__ == "__main__":
    sys.exit(main())
