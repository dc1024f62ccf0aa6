"""The words of the formula language and the resolved form of an expression.

`safe.py` turns text into this form and refuses everything else; `evaluate.py` computes it.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from glmcount.allowed import refuse_nameless
from glmcount.records import cached_property, dataclass, field

__all__ = ["ALLOWED", "Expression", "Functions", "Node", "called", "hint", "width"]

# What a user calls in a formula, by name.
Functions = Mapping[str, Callable[..., Any]] | None

LONGEST = 100_000  # characters of one expression; a list of a thousand level names fits
DEEPEST = 100  # levels of nesting; the walkers stay far from the interpreter's own limit
WIDEST = 1_000  # columns one expression may make
LARGEST = 2**63  # numbers beyond it are no data and would not survive float64

ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
LOGIC: dict[type[ast.operator], str] = {ast.BitAnd: "&", ast.BitOr: "|"}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "&": operator.and_,
    "|": operator.or_,
}
# A second positional argument of a numpy function would be written into: counts are exact.
_ONE = ("log", "log1p", "log2", "log10", "exp", "expm1", "sqrt", "abs", "floor", "ceil")
ELEMENTARY = {
    **dict.fromkeys((*_ONE, "sin", "cos", "tan", "sign", "isnan"), 1),
    "minimum": 2,
    "maximum": 2,
    "where": 3,
}
CONTRASTS: dict[str, tuple[str, ...]] = {
    "Treatment": ("reference",),
    "Sum": ("omit",),
    "Poly": ("scores",),
    "Helmert": (),
    "Diff": (),
}
_CUBIC = ("df", "knots", "lower_bound", "upper_bound", "constraints")
TRANSFORMS: dict[str, tuple[str, ...]] = {
    "center": (),
    "standardize": ("center", "rescale", "ddof"),
    "scale": ("center", "rescale", "ddof"),
    "bs": ("df", "knots", "degree", "include_intercept", "lower_bound", "upper_bound"),
    "cr": _CUBIC,
    "cc": _CUBIC,
    "te": ("constraints",),
}
WORDS = {"C", "I", "Q", *CONTRASTS, *TRANSFORMS, *ELEMENTARY}
ALLOWED = (
    "A formula may hold columns, constants, + - * / // % **, single comparisons, & | ~, "
    f"calls to {' '.join(('C', 'I', 'Q', *CONTRASTS, *TRANSFORMS))}, to {' '.join(ELEMENTARY)} "
    "(bare or as np.<name>), and to functions given in env={...}."
)
HINTS = {
    ast.BoolOp: "Write I((x > 0) & (z > 1)), with & for 'and' and | for 'or'.",
    ast.Not: "Write I(~(x > 0)), with ~ for 'not'.",
    ast.BitXor: "Write ** for a power.",
    ast.IfExp: "Write where(condition, value, other).",
    ast.Compare: "Compare two things at a time: I((a < b) & (b < c)).",
    ast.Attribute: "A column whose name has a dot is written Q('the.name').",
    ast.Subscript: "Make the column in the data first.",
}


@dataclass(frozen=True, eq=False)
class Node:
    """One resolved step of an expression.

    `kind` says how it is computed (``constant column arithmetic logic compare elementary
    factor contrast transform user``), `name` which one of its kind, `slot` the place of a
    transform in the learnt state, `number` the memorising pass it belongs to.
    """

    kind: str
    name: str = ""
    value: Any = None
    arguments: tuple[Node, ...] = ()
    keywords: tuple[tuple[str, Node], ...] = ()
    text: str = ""
    slot: int = -1
    number: int = -1

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it, each before its arguments."""
        yield self
        for child in (*self.arguments, *(child for _, child in self.keywords)):
            yield from child.walk()


@dataclass(frozen=True)
class Expression:
    """A checked factor of a formula; two are equal when their code is.

    Attributes
    ----------
    code : str
        The code as given.
    columns : tuple of str
        The data columns it reads, in order of first use.
    tree : Node
        The resolved steps.
    functions : mapping
        The user's functions it calls. They go to another process by their names.
    transforms : tuple of Node
        Its stateful calls, inner ones first.

    Examples
    --------
    >>> from glmcount.language.parse import parse
    >>> expression = parse("center(np.log(x)) + z", ["x", "z"])
    >>> expression.columns, expression.stateful, expression.passes
    (('x', 'z'), True, 1)
    """

    code: str
    columns: tuple[str, ...] = field(compare=False)
    tree: Node = field(compare=False, repr=False)
    functions: Mapping[str, Callable[..., Any]] = field(compare=False, repr=False)
    transforms: tuple[Node, ...] = field(compare=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        for name, function in self.functions.items():
            refuse_nameless(f"{name} of env= in {self.code!r}", function)
        return {name: self.__dict__[name] for name in self.__dataclass_fields__}

    def __deepcopy__(self, memo: dict[int, Any]) -> Expression:
        # A copy stays in this process, where functions need no name.
        return self

    @cached_property
    def stateful(self) -> bool:
        """True when the expression learns something from the data."""
        return bool(self.transforms)

    @property
    def passes(self) -> int:
        """Passes over the data that learning takes: nested transforms learn inside out."""
        return 1 + max((node.number for node in self.transforms), default=-1)

    @cached_property
    def handles_missing(self) -> bool:
        """True when the expression asks for missing values itself, by isnan or where."""
        return any(
            node.kind == "elementary" and node.name in ("isnan", "where")
            for node in self.tree.walk()
        )


SYNTAX: dict[type[ast.AST], str] = {
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.MatMult: "@",
    ast.Attribute: "An attribute (a dot)",
    ast.Subscript: "An index in brackets",
    ast.Slice: "A range (a colon)",
    ast.Lambda: "A function of its own (lambda)",
    ast.BoolOp: "'and' or 'or'",
    ast.IfExp: "'if' with 'else'",
    ast.NamedExpr: "An assignment (:=)",
    ast.JoinedStr: "A formatted string",
    ast.Dict: "A dictionary",
    ast.Set: "A set",
    ast.Starred: "An argument with a star",
    ast.Await: "'await'",
    ast.Yield: "'yield'",
    ast.YieldFrom: "'yield'",
    **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), "A loop ('for')"),
}


def called(node: ast.AST) -> str:
    """What a piece of syntax is called, in the words of those who write formulas."""
    return SYNTAX.get(type(node), "This")


def hint(node: ast.AST) -> str:
    """What to write instead of a piece of syntax that formulas do not have."""
    return HINTS.get(type(node), "")


def width(node: Node) -> float:
    """An upper bound for the columns `node` makes, known before any data are seen."""
    settings = {name: child.value for name, child in node.keywords}
    inner = [width(child) for child in node.arguments]
    if node.kind != "transform":
        return max(inner, default=1)
    if node.name == "te":
        return math.prod(inner)
    knots, df = settings.get("knots"), settings.get("df")
    # a spline has at most degree + 1 more columns than inner knots
    from_knots = len(knots) + 1 + settings.get("degree", 3) if isinstance(knots, list) else 1
    return max(*inner, from_knots, df if isinstance(df, int | float) else 1)
