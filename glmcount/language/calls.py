"""How a call in a formula is read: each word of the language, and the user's functions."""

from __future__ import annotations

import ast
from typing import Any

from glmcount.errors import FormulaTooComplexError, UsageError, near
from glmcount.language.node import (
    CONTRASTS,
    ELEMENTARY,
    TRANSFORMS,
    WIDEST,
    WORDS,
    Node,
    hint,
    width,
)
from glmcount.language.reader import Reader, is_number

__all__ = ["call"]

Bound = dict[str, ast.expr]

# Degrees of splines beyond which scipy's own code is not safe.
STEEPEST = 15


def call(reader: Reader, node: ast.Call) -> Node:
    """Read a call to a word of the language or to a function of the user's."""
    name = _function(reader, node.func)
    if any(isinstance(argument, ast.Starred) for argument in node.args) or any(
        keyword.arg is None for keyword in node.keywords
    ):
        reader.refuse(node, "* and ** arguments are not part of formulas.")
    special = {"C": _factor, "I": _identity, "Q": _quoted}
    if name in special:
        return special[name](reader, node)
    if name in ELEMENTARY:
        return _elementary(reader, node, name)
    if name in CONTRASTS:
        keywords = _settings(reader, node, name, CONTRASTS[name], 0)
        return Node("contrast", name, keywords=keywords, text=reader.text(node))
    if name in TRANSFORMS:
        return _transform(reader, node, name)
    return _user(reader, node, name)


def _function(reader: Reader, node: ast.expr) -> str:
    """The word of the language, or the user's function, that a call is made to."""
    match node:
        case ast.Name() if (name := reader.written(node, reader.functions)) in reader.functions:
            if name in WORDS:
                _check_redefined(name, reader.functions[name])
            return name
        case ast.Name(id=name) if name in WORDS:
            return name
        case ast.Name(id=name):
            known = [*sorted(WORDS), *reader.functions]
            reader.refuse(node, f"{name!r} is not a function of formulas.", near(name, known))
        case ast.Attribute(value=ast.Name(id="np"), attr=name) if name in ELEMENTARY:
            return name
    reader.refuse(node, f"{reader.text(node)!r} is not a function of formulas.", hint(node))


def _check_redefined(word: str, given: Any) -> None:
    """A user's function may not silently take, or lose to, the meaning of a word."""
    home = str(getattr(given, "__module__", None) or type(given).__module__).partition(".")[0]
    name = str(getattr(given, "__name__", "")).lower()
    usual = {word.lower(), {"abs": "absolute", "scale": "standardize"}.get(word)}
    if home not in ("numpy", "patsy") or name not in usual:
        raise UsageError(
            f"env brings a function {word!r}, which is a word of the formula language. "
            "Give it another name."
        )


def _bind(reader: Reader, node: ast.Call, names: tuple[str, ...], skip: int = 0) -> Bound:
    """The arguments of a call after the first `skip`, by name."""
    given = list(zip(names, node.args[skip:], strict=False))
    given += [(str(keyword.arg), keyword.value) for keyword in node.keywords]
    bound = dict(given)
    excess = len(node.args) - skip > len(names)
    if excess or len(bound) < len(given) or not set(bound) <= set(names):
        listed = ", ".join(names) or "no settings"
        reader.refuse(node, f"{reader.text(node.func)} takes {listed}, each at most once.")
    return bound


def _settings(
    reader: Reader, node: ast.Call, name: str, names: tuple[str, ...], skip: int
) -> tuple[tuple[str, Node], ...]:
    """The constant arguments of a call, by name."""
    settings = {}
    for key, value in _bind(reader, node, names, skip).items():
        result = settings[key] = reader.read(value)
        if result.kind != "constant":
            reader.refuse(value, f"{key} of {name} must be a constant.")
        scores = result.value if isinstance(result.value, list) else [result.value]
        if key == "scores" and result.value is not None and not all(map(is_number, scores)):
            reader.refuse(value, f"scores of {name} must be a list of numbers.")
        if key in ("df", "degree") and not isinstance(result.value, int | None):
            reader.refuse(value, f"{key} of {name} must be a whole number.")
        most = STEEPEST if key == "degree" else WIDEST
        if key in ("df", "degree") and (result.value or 0) > most:
            raise FormulaTooComplexError(
                f"{key} of {name} is more than {most}.\n{reader.mark(value)}"
            )
    return tuple(settings.items())


def _factor(reader: Reader, node: ast.Call) -> Node:
    """``C(data, contrast, levels)``."""
    bound = _bind(reader, node, ("data", "contrast", "levels"))
    data = reader.read(bound["data"]) if "data" in bound else None
    if data is None or data.kind in ("constant", "contrast"):
        reader.refuse(node, "C needs a column.")
    keywords = {}
    if "contrast" in bound:
        keywords["contrast"] = _contrast(reader, bound["contrast"])
    if "levels" in bound:
        keywords["levels"] = reader.read(bound["levels"])
        levels = keywords["levels"].value
        if not isinstance(levels, list) or not levels or None in levels:
            reader.refuse(bound["levels"], "levels must be a list of constants, at least one.")
        if any(level in levels[:place] for place, level in enumerate(levels)):
            reader.refuse(bound["levels"], "levels must be a list of constants, each once.")
    return Node(
        "factor",
        "C",
        arguments=(data,),
        keywords=tuple(keywords.items()),
        text=reader.text(node),
    )


def _contrast(reader: Reader, node: ast.expr) -> Node:
    """A contrast by name, by call, or as a matrix of numbers."""
    if isinstance(node, ast.Name) and node.id in CONTRASTS:
        return Node("contrast", node.id, text=reader.text(node))
    result = reader.read(node)
    rows = result.value if isinstance(result.value, list) else []
    is_matrix = bool(rows) and all(
        isinstance(row, list) and len(row) == len(rows[0]) and all(map(is_number, row))
        for row in rows
    )
    is_none = result.kind == "constant" and result.value is None
    if not (result.kind == "contrast" or is_matrix or is_none):
        advice = f"Contrasts are {', '.join(CONTRASTS)}; a reference level is Treatment('b')."
        reader.refuse(node, f"{reader.text(node)} is no contrast.", advice)
    return result


def _identity(reader: Reader, node: ast.Call) -> Node:
    """``I(x)`` is x: its parentheses only hide operators from patsy."""
    if len(node.args) != 1 or node.keywords:
        reader.refuse(node, "I takes one argument.")
    return reader.read(node.args[0])


def _quoted(reader: Reader, node: ast.Call) -> Node:
    """``Q('name')`` is the column of that very name."""
    argument = node.args[0] if len(node.args) == 1 and not node.keywords else None
    if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
        reader.refuse(node, "Q takes one string, the name of a column.")
    if argument.value not in reader.columns:
        reader.unknown(argument, argument.value)
    return reader.column(node, argument.value)


def _elementary(reader: Reader, node: ast.Call, name: str) -> Node:
    """A function of numpy's, with exactly its own arguments."""
    if node.keywords or len(node.args) != ELEMENTARY[name]:
        reader.refuse(node, f"{name} takes {ELEMENTARY[name]} positional argument(s) only.")
    arguments = tuple(reader.read(argument) for argument in node.args)
    for place, (argument, result) in enumerate(zip(node.args, arguments, strict=True)):
        if name != "where" or place == 0 or not isinstance(result.value, str):
            reader.computable(argument, result)
    return Node("elementary", name, arguments=arguments, text=reader.text(node))


def _transform(reader: Reader, node: ast.Call, name: str) -> Node:
    """A transform that learns from the data."""
    data = node.args if name == "te" else node.args[:1]
    before = len(reader.transforms)
    arguments = tuple(reader.number(argument) for argument in data)
    if all(argument.kind == "constant" for argument in arguments):
        reader.refuse(node, f"{name} needs a column to learn from.")
    inner = reader.transforms[before:]
    result = Node(
        "transform",
        name,
        arguments=arguments,
        keywords=_settings(reader, node, name, TRANSFORMS[name], len(data)),
        text=reader.text(node),
        slot=len(reader.transforms),
        number=1 + max((below.number for below in inner), default=-1),
    )
    if width(result) > WIDEST:
        raise FormulaTooComplexError(
            f"{name} would make more than {WIDEST} columns.\n{reader.mark(node)}"
        )
    reader.transforms.append(result)
    return result


def _user(reader: Reader, node: ast.Call, name: str) -> Node:
    """A function of the user's."""
    function = reader.functions[name]
    if not callable(function) or hasattr(function, "__patsy_stateful_transform__"):
        reader.refuse(node, f"{name!r} in env is no plain function.")
    arguments = tuple(reader.read(argument) for argument in node.args)
    keywords = tuple((str(key.arg), reader.read(key.value)) for key in node.keywords)
    if any(part.kind in ("factor", "contrast") for part in (*arguments, *dict(keywords).values())):
        reader.refuse(node, "A factor cannot be computed with.")
    return Node("user", name, arguments=arguments, keywords=keywords, text=reader.text(node))
