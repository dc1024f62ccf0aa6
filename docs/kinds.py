"""The kinds of errors and warnings that the code of glmcount raises, read off its source.

A kind is mostly a literal: ``raise DataError(..., kind="negative_response")``. Where a function
takes it as an argument and passes it on, the calls of that function have it. What is computed is
listed in `COMPUTED`; anything else is an error, so that no kind goes unseen.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import glmcount
from glmcount import errors
from glmcount.families import families, zero_inflated
from glmcount.request import COLUMNS

__all__ = ["kinds"]

PACKAGE = Path(glmcount.__file__).resolve().parent
DOUBTS = "design/doubts.py"
CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.GlmcountError | errors.GlmcountWarning)
}
# Kinds made of what they are about, by file and expression.
COMPUTED = {
    ("design/given.py", "f'{said}_length'"): tuple(
        f"{name}_length" for name in (*COLUMNS, "groups", "time", "panel")
    ),
    **dict.fromkeys(
        (("design/encode.py", "what"), ("design/build.py", "what")),
        ("offset", "exposure", "censored"),
    ),
    ("inference/ratio.py", "f'different_{what.split()[0]}'"): (
        "different_rows",
        "different_responses",
        "different_weights",
    ),
    ("notes.py", "f'{limit.name}_boundary'"): tuple(
        f"{limit.name}_boundary"
        for family in (*families.values(), zero_inflated(families["poisson"]))
        for limit in family.limits
    ),
    ("prediction/newdata.py", "f'{role}_required'"): ("offset_required", "exposure_required"),
    ("prediction/newdata.py", "f'{what}_required'"): ("offset_required", "exposure_required"),
    ("request.py", "f'unknown_{name}'"): tuple(
        f"unknown_{name}"
        for name in ("weights_type", "information", "missing", "separation", "compress")
    ),
}


@dataclass
class Room:
    """One file: its tree, its constants of text and the function that each node stands in."""

    name: str
    tree: ast.Module
    constants: dict[str, str] = field(default_factory=dict)
    around: dict[ast.AST, ast.FunctionDef | ast.Lambda] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                for target in node.targets:
                    if isinstance(target, ast.Name) and isinstance(node.value.value, str):
                        self.constants[target.id] = node.value.value
        for outer in ast.walk(self.tree):
            if isinstance(outer, ast.FunctionDef):
                self.around |= {inner: outer for inner in ast.walk(outer) if inner is not outer}


def _parameters(function: ast.FunctionDef) -> list[str]:
    arguments = function.args
    return [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


@dataclass
class _Search:
    """Kinds found so far with the classes that have them, and functions that pass kinds on."""

    rooms: list[Room]
    found: dict[str, set[str]] = field(default_factory=dict)
    # By file of a private function, or "" for one that others import, and name: which parameter
    # is the kind, its place, its default, and the class that is raised.
    passing: dict[tuple[str, str], tuple[str, int, ast.expr | None, str]] = field(
        default_factory=dict
    )

    def note(self, room: Room, at: ast.AST, kind: ast.expr | None, owner: str) -> None:
        """Note the kind that an expression stands for."""
        function = room.around.get(at)
        if kind is None or (isinstance(kind, ast.Constant) and kind.value is None):
            self.found.setdefault(CLASSES[owner].kind, set()).add(owner)
        elif isinstance(kind, ast.Constant):
            self.found.setdefault(kind.value, set()).add(owner)
        elif isinstance(kind, ast.IfExp):
            self.note(room, at, kind.body, owner)
            self.note(room, at, kind.orelse, owner)
        elif isinstance(kind, ast.Name) and kind.id in room.constants:
            self.found.setdefault(room.constants[kind.id], set()).add(owner)
        elif (room.name, ast.unparse(kind)) in COMPUTED:
            for each in COMPUTED[room.name, ast.unparse(kind)]:
                self.found.setdefault(each, set()).add(owner)
        elif isinstance(kind, ast.Name) and function and kind.id in _parameters(function):
            self.pass_on(room, function, kind.id, owner)
        elif owner == "DesignWarning":
            for each in _doubts(self.rooms):
                self.found.setdefault(each, set()).add(owner)
        else:
            raise SystemExit(
                f"{room.name}:{at.lineno}: the kind {ast.unparse(kind)} is computed; list what it "
                "may be in COMPUTED of docs/kinds.py"
            )

    def pass_on(self, room: Room, function: ast.FunctionDef, parameter: str, owner: str) -> None:
        """Note that a function raises the kind that it is called with."""
        names = _parameters(function)
        place = names.index(parameter)
        defaults = function.args.defaults
        first = len(function.args.posonlyargs) + len(function.args.args) - len(defaults)
        default = defaults[place - first] if 0 <= place - first < len(defaults) else None
        home = room.name if function.name.startswith("_") else ""
        self.passing[home, function.name] = (parameter, place, default, owner)

    def calls(self) -> Iterator[tuple[Room, ast.Call]]:
        """Every call of a plain name."""
        for room in self.rooms:
            for node in ast.walk(room.tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    yield room, node


def _doubts(rooms: list[Room]) -> list[str]:
    """Kinds of what may mean another model: the first of the pairs that the file makes."""
    (tree,) = [room.tree for room in rooms if room.name == DOUBTS]
    return [
        node.elts[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Tuple)
        and len(node.elts) == 2
        and isinstance(node.elts[0], ast.Constant)
        and isinstance(node.elts[1], ast.JoinedStr)
    ]


def kinds() -> dict[str, set[str]]:
    """Every kind that may be raised, with the names of the classes that have it."""
    paths = sorted(PACKAGE.rglob("*.py"))
    rooms = [Room(p.relative_to(PACKAGE).as_posix(), ast.parse(p.read_text())) for p in paths]
    search = _Search(rooms)
    for room, call in search.calls():
        if call.func.id in CLASSES:
            given = {each.arg: each.value for each in call.keywords}
            search.note(room, call, given.get("kind"), call.func.id)
    before: set[tuple[str, str]] = set()
    while before != set(search.passing):
        known = dict(search.passing)
        new, before = set(known) - before, set(known)
        for room, call in search.calls():
            for home in (room.name, ""):
                if (home, call.func.id) in new:
                    parameter, place, default, owner = known[home, call.func.id]
                    given = {each.arg: each.value for each in call.keywords}
                    plain = call.args[place] if place < len(call.args) else default
                    search.note(room, call, given.get(parameter, plain), owner)
    return dict(sorted(search.found.items()))


if __name__ == "__main__":
    for kind, owners in kinds().items():
        print(kind, *sorted(owners))
