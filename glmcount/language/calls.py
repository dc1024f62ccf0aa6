"""How a call in a formula is read: each word of the language, and the user's functions."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any, NoReturn

from glmcount.errors import FormulaTooComplexError, UsageError, near
from glmcount.language.foreign import called_elsewhere, look_alike
from glmcount.language.node import (
    CONTRASTS,
    ELEMENTARY,
    TRANSFORMS,
    WIDEST,
    WORDS,
    Node,
    width,
)
from glmcount.language.reader import Reader, is_number
from glmcount.spellings.formulas import CONTRASTS as CONTRASTS_ELSEWHERE
from glmcount.spellings.formulas import SETTINGS
from glmcount.spellings.lookup import LIKE, advice, instead

__all__ = ["call"]

Bound = dict[str, ast.expr]

# Degrees of splines beyond which scipy's own code is not safe.
STEEPEST = 15


def call(reader: Reader, node: ast.Call) -> Node:
    """Read a call to a word of the language or to a function of the user's."""
    written = [reader.text(each) for each in node.args]
    written += [f"{keyword.arg}={reader.text(keyword.value)}" for keyword in node.keywords]
    name = _function(reader, node.func, written)
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


def _function(reader: Reader, node: ast.expr, arguments: Sequence[str]) -> str:
    """The word of the language, or the user's function, that a call is made to."""
    match node:
        case ast.Name() if (name := reader.written(node, reader.functions)) in reader.functions:
            if name in WORDS:
                _check_redefined(name, reader.functions[name])
            return name
        case ast.Name(id=name) if name in WORDS:
            return name
        case ast.Name(id=name):
            _unknown_function(reader, node, name, arguments)
        case ast.Attribute(value=ast.Name(id="np"), attr=name) if name in ELEMENTARY:
            return name
    _unknown_function(reader, node, reader.text(node), arguments)


def _unknown_function(
    reader: Reader, node: ast.expr, name: str, arguments: Sequence[str]
) -> NoReturn:
    """Refuse a function, with what to write for it or what there is."""
    known = [*sorted(WORDS), "offset", *reader.functions]
    bare = name.rpartition(".")[2]
    advice = called_elsewhere(name, arguments) or look_alike(name, known)
    if not advice and bare in WORDS and name != bare:
        advice = f"Write {bare}(...)."
    if not advice and bare == "offset":
        advice = "offset(...) is a term of its own, such as offset(log(days))."
    if not advice and isinstance(node, ast.Attribute):
        advice = _of_method(reader, node, name, arguments)
    advice = advice or near(name, known, LIKE) or called_elsewhere(bare, arguments)
    words = ", ".join(sorted(WORDS, key=str.lower))
    usual = f"Functions are {words}, offset, and those given as env={{'f': f}}."
    reader.refuse(node, f"{name!r} is not a function of formulas.", advice or usual)


def _of_method(reader: Reader, node: ast.Attribute, name: str, arguments: Sequence[str]) -> str:
    """What to write for a method of a column, ``x.clip(0, 1)``."""
    root: ast.expr = node.value
    while isinstance(root, ast.Attribute):
        root = root.value
    own = reader.text(root)
    if own not in reader.columns:
        return ""
    found = called_elsewhere(node.attr, [own, *arguments])
    return (
        found
        or f"Make the column in the data first: data['new'] = data[{own!r}]{name[len(own) :]}(...)."
    )


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
        other = next((name for name in bound if name not in names), "")
        text = reader.text(bound[other]) if other else ""
        plain = {"TRUE": "True", "FALSE": "False"}.get(text, text)
        meant = instead(SETTINGS, other, names, plain) if other else ""
        function = reader.text(node.func)
        said = f"{function} takes {listed}, each at most once."
        reader.refuse(
            node, f"{function} has no setting {other!r}." if other else said, meant or said
        )
    return bound


def _settings(
    reader: Reader, node: ast.Call, name: str, names: tuple[str, ...], skip: int
) -> tuple[tuple[str, Node], ...]:
    """The constant arguments of a call, by name."""
    settings = {}
    for key, value in _bind(reader, node, names, skip).items():
        if name in CONTRASTS and isinstance(value, ast.Name):
            what = f"{key} of {name} must be a constant."
            reader.refuse(value, what, f"Write {name}({value.id!r}) for a level that is text.")
        result = settings[key] = reader.read(value)
        if result.kind != "constant":
            reader.refuse(value, f"{key} of {name} must be a constant.")
        scores = result.value if isinstance(result.value, list) else [result.value]
        if key == "scores" and result.value is not None and not all(map(is_number, scores)):
            reader.refuse(value, f"scores of {name} must be a list of numbers.")
        if key in ("df", "degree") and not isinstance(result.value, int | None):
            reader.refuse(value, f"{key} of {name} must be a whole number.", f"Write {key}=4.")
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
            what = "levels must be a list of constants, at least one."
            reader.refuse(bound["levels"], what, "Write levels=['a', 'b'].")
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
    if meant := _meant_contrast(reader, node):
        reader.refuse(node, f"{reader.text(node)} is no contrast.", f"Write {meant}.")
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


def _meant_contrast(reader: Reader, node: ast.expr) -> str:
    """A contrast of another package as ours."""
    head = node.func if isinstance(node, ast.Call) else node
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        found = advice(CONTRASTS_ELSEWHERE, node.value)
        return found or f"Treatment({node.value!r}) for the reference level {node.value!r}"
    found = advice(CONTRASTS_ELSEWHERE, reader.text(head)) or ""
    named = found == "Treatment" and isinstance(node, ast.Call) and (node.args or node.keywords)
    return "Treatment('b'), with the reference level itself" if named else found


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
        count = ELEMENTARY[name]
        told = f"{name} takes {count} argument{'s' if count > 1 else ''}, without a name."
        reader.refuse(node, told, _rewritten(reader, node, name))
    arguments = tuple(reader.read(argument) for argument in node.args)
    for place, (argument, result) in enumerate(zip(node.args, arguments, strict=True)):
        if name != "where" or place == 0 or not isinstance(result.value, str):
            reader.computable(argument, result)
    return Node("elementary", name, arguments=arguments, text=reader.text(node))


def _rewritten(reader: Reader, node: ast.Call, name: str) -> str:
    """A call with other arguments as it is to be written, where that is known."""
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    texts = [reader.text(each) for each in given]
    if name == "log" and len(texts) == 2:
        return f"Write log({texts[0]}) / log({texts[1]})."
    if len(texts) == ELEMENTARY[name]:
        return f"Write {name}({', '.join(texts)})."
    return "Other functions of numbers come by env={'f': f}."


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
