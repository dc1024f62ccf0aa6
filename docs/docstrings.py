"""numpydoc docstrings: their sections, their first sentence, and how they look as Markdown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

# numpydoc sections whose entries are "name : type" lines with an indented description.
LISTED = {"Parameters", "Other Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns"}

SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)


def sections(docstring: str) -> Iterator[tuple[str, str]]:
    """Pairs of a section's name and body; the text before the first section has the name ''."""
    pieces = SECTION.split(docstring)
    yield "", pieces[0].strip("\n")
    for name, body in zip(pieces[1::2], pieces[2::2], strict=True):
        yield name, body.strip("\n")


def summary(docstring: str) -> str:
    """The first paragraph, on one line."""
    return " ".join(docstring.split("\n\n")[0].split())


def listed_names(body: str) -> list[str]:
    """What a section of entries names, without stars: ``"a, b : float"`` names two."""
    heads = [line.partition(" : ")[0] for line in body.splitlines() if line and line[0] != " "]
    return [name.strip().lstrip("*") for head in heads for name in head.split(",")]


def listed(body: str) -> str:
    """A section of entries as a Markdown list."""
    items: list[list[str]] = []
    for line in body.splitlines():
        if line and not line[0].isspace():
            name, colon, kind = line.partition(" : ")
            items.append([f"- `{name}` ({kind})" if colon else f"- `{name}`"])
        elif line.strip():
            items[-1].append(f"  {line.strip()}")
    return "\n".join("\n".join([head + (":" if told else ""), *told]) for head, *told in items)


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
