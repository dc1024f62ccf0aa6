"""Reads the syntax tree of one factor: resolves names, keeps count, refuses with a caret.

A `Reader` knows how to walk, where each piece of code stands in the formula, and what has
been used so far. How one kind of syntax is read is a function in `calls.py` or `safe.py`.
"""

from __future__ import annotations

import ast
import unicodedata
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

from glmcount.errors import (
    FormulaSyntaxError,
    FormulaTooComplexError,
    UnknownColumnError,
    UnsafeFormulaError,
    caret,
    near,
    some,
)
from glmcount.language.foreign import foreign, look_alike, other_name, plainly, quoted
from glmcount.language.node import ALLOWED, DEEPEST, LARGEST, LONGEST, WORDS, Node, called, hint

__all__ = ["Reader", "is_number", "rules"]

# What makes other columns of one in pandas.
ACCESSORS = ("dt", "str", "cat", "values", "array")
Rule = Callable[["Reader", Any], Node]
rules: dict[type[ast.expr], Rule] = {}


def is_number(value: object) -> bool:
    """True for the constants that can be computed with.

    Examples
    --------
    >>> is_number(2.5), is_number("b")
    (True, False)
    """
    return isinstance(value, bool | int | float)


class Reader:
    """The code of one factor, where it begins in the formula, and what it has used.

    Parameters
    ----------
    code : str
        The factor.
    columns : collection of str
        Names of the data's columns.
    functions : mapping
        The user's functions by name.
    formula : str or None
        The whole formula, for carets; `code` when None.
    start : int
        Where the factor begins in `formula`.
    """

    def __init__(
        self,
        code: str,
        columns: Collection[str],
        functions: Mapping[str, Callable[..., Any]],
        formula: str | None,
        start: int,
    ) -> None:
        self.code = code
        self.source = code.replace("\n", " ").lstrip()
        self.columns = columns
        self.functions = functions
        self.formula = formula if formula is not None else code
        self.start = start if formula is not None else 0
        self.used: dict[str, None] = {}
        self.transforms: list[Node] = []
        self.depth = 0

    def syntax(self) -> ast.expr:
        """The syntax tree, refused early where the parser itself would struggle."""
        depth = deepest = 0
        for character in self.code:
            depth += (character in "([{") - (character in ")]}")
            deepest = max(deepest, depth)
        if len(self.code) > LONGEST or deepest > DEEPEST:
            raise self.too_complex()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(self.source, mode="eval").body
        except (RecursionError, MemoryError):
            raise self.too_complex() from None
        except SyntaxError as error:
            raise self.unreadable(max(0, (error.offset or 1) - 1), error.msg) from None
        except ValueError as error:
            raise FormulaSyntaxError(f"The formula cannot be read: {error}.") from None

    def unreadable(self, place: int, message: str) -> FormulaSyntaxError:
        """The error for code that is no expression: what it means elsewhere, or what is wrong."""
        # patsy respaces the code of a factor: signs are whole in the formula alone.
        text = self.formula.replace("\n", " ")
        found = foreign(text, self.columns)
        if found is None:
            told, where = f": {plainly(message)}.", self.point(place, None)
        else:
            told, where = f". {found.advice}", _caret(text, found.start, found.end - found.start)
        return FormulaSyntaxError(f"The formula cannot be read{told}\n{where}")

    def read(self, node: ast.expr) -> Node:
        """Resolve `node` and all below it."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.too_complex()
        rule = rules.get(type(node))
        if rule is None:
            self.refuse_kind(node, f"{called(node)} is not part of the formula language.", node)
        result = rule(self, node)
        self.depth -= 1
        return result

    def number(self, node: ast.expr) -> Node:
        """Resolve `node`, which must be something to compute with."""
        return self.computable(node, self.read(node))

    def computable(self, node: ast.expr, result: Node) -> Node:
        """`result`, unless it is text, a list or a factor."""
        if result.kind == "constant" and not is_number(result.value):
            self.refuse(node, f"{self.text(node)} is no number and cannot be computed with.")
        if result.kind in ("factor", "contrast"):
            self.refuse(node, f"{self.text(node)} makes a factor and cannot be computed with.")
        return result

    def known(self, node: ast.expr, value: Any) -> Node:
        """The constant `value` that `node` stands for."""
        if is_number(value) and not abs(value) <= LARGEST:
            self.refuse(node, f"{self.text(node)} is no finite number of a size that data have.")
        return Node("constant", value=value, text=self.text(node))

    def column(self, node: ast.expr, name: str) -> Node:
        """The data column `name`, noted as used."""
        if name not in self.columns:
            self.unknown(node, name)
        self.used.setdefault(name)
        return Node("column", name, text=self.text(node))

    def written(self, node: ast.Name, choices: Collection[str]) -> str:
        """The choice that a name means: the parser itself writes names in Unicode's form NFKC.

        What was written counts; where nothing is called so, the one choice that looks like it.
        """
        text = node.id if self.source.isascii() else self.text(node)
        if text in choices or text.isascii():
            return text
        alike = [
            name for name in map(str, choices) if unicodedata.normalize("NFKC", name) == node.id
        ]
        if len(alike) > 1:
            raise UnknownColumnError(
                f"{text!r} could be {' or '.join(map(ascii, alike))}: these look alike, and none "
                f"is written as here ({text!a}).\n{self.mark(node)}\nRename the columns, or "
                "write Q('...') with the name copied from the data.",
                kind="ambiguous_column",
            )
        return alike[0] if alike else node.id

    def unknown(self, node: ast.expr, name: str) -> NoReturn:
        """Raise `UnknownColumnError` with what was meant, or the names nearest to `name`."""
        advice = look_alike(name, self.columns) or other_name(name) or self.nearest(name)
        found = foreign(self.formula, self.columns)
        if name in WORDS or name in self.functions:
            advice = f" {name} is a function: write {name}(...)."
        elif found is not None and name in self.formula[found.start : found.end]:
            advice = f" {found.advice}"
        if any(each.startswith("('") and each.endswith("')") for each in map(str, self.columns)):
            advice = (
                " The columns have names of several levels. Join them: data.columns = "
                "['_'.join(each) for each in data.columns]."
            )
        columns = (
            f"Columns: {some(self.columns, 20)}." if self.columns else "The data have no columns."
        )
        raise UnknownColumnError(
            f"{name!r} is not a column of the data.{advice}\n{self.mark(node)}\n{columns}"
        )

    def nearest(self, name: str) -> str:
        """The columns nearest to a name, as formulas write them."""
        advice = near(name, self.columns)
        for column in map(str, self.columns):
            if quoted(column) != column and repr(column) in advice:
                advice = advice.replace(repr(column), quoted(column))
        return advice

    def refuse_kind(self, node: ast.expr, why: str, kind: ast.AST) -> NoReturn:
        """Refuse a kind of syntax: what the code means elsewhere, or what to write for the kind."""
        found = foreign(self.text(node), self.columns)
        advice = hint(kind) if found is None else found.advice
        root, _, rest = self.text(node).partition(".")
        if root in self.columns and rest.partition(".")[0] in ACCESSORS:
            advice = f"Make the column in the data first: data['new'] = data[{root!r}].{rest}."
            self.refuse(node, why, advice)
        match node:
            case ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=name)):
                if found is None and name in self.columns:
                    advice = f"Write {quoted(str(name))}: a name in a formula is that of a column."
        self.refuse(node, why, advice)

    def too_complex(self) -> FormulaTooComplexError:
        """The error for an expression beyond any sensible size."""
        shown = self.code if len(self.code) <= 40 else f"{self.code[:40]}..."
        return FormulaTooComplexError(
            f"The expression {shown!r} is longer than {LONGEST} characters or nested deeper than "
            f"{DEEPEST} levels. Make a column of it in the data, or bring a function in env."
        )

    def point(self, begin: int, end: int | None) -> str:
        """The formula with a caret under ``source[begin:end]``."""
        text = self.formula.replace("\n", " ")
        shift = len(self.code) - len(self.code.lstrip()) + self.start
        piece = self.source[begin:end] if end is not None else ""
        if text.startswith(self.source, shift):
            return _caret(text, shift + begin, len(piece))
        # patsy respaces the code of a factor, so offsets may not hold: look for the piece
        found = text.find(piece, self.start) if piece else -1
        if found >= 0:
            return _caret(text, found, len(piece))
        return _caret(text, self.start, min(len(text) - self.start, len(self.code)))

    def mark(self, node: ast.expr) -> str:
        """The formula with a caret under `node`."""
        encoded = self.source.encode()
        begin = len(encoded[: node.col_offset].decode())
        return self.point(begin, len(encoded[: node.end_col_offset].decode()))

    def text(self, node: ast.expr) -> str:
        """The piece of code `node` was read from."""
        return ast.get_source_segment(self.source, node) or self.source

    def refuse(self, node: ast.expr, why: str, advice: str = "") -> NoReturn:
        """Raise `UnsafeFormulaError` with what, where, and what to write or what is allowed."""
        lines = [why, self.mark(node), advice.strip() or ALLOWED]
        raise UnsafeFormulaError("\n".join(line for line in lines if line))


def _caret(text: str, start: int, length: int) -> str:
    """`caret`, with only the neighbourhood of the place when the formula is long."""
    first = max(0, start - 60) if len(text) > 200 else 0
    last = start + min(length, 60) + 60 if len(text) > 200 else len(text)
    shown = ("..." if first else "") + text[first:last] + ("..." if last < len(text) else "")
    begin = start - first + (3 if first else 0)
    return caret(shown, begin, min(len(shown), begin + length))
