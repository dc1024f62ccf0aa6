"""Linear hypotheses as users write them: text, mappings and matrices to R b = r.

Text is read without recursion, so that neither a long sum nor deep brackets run out of stack.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from glmcount.allowed import shown
from glmcount.errors import FormulaError, caret, counted, some
from glmcount.inference.naming import nearest_parameter, of_sign
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Names", "linear_constraints", "shortened"]

NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
ORDER = {",": 0, "=": 1, "+": 2, "-": 2, "unary": 2, "*": 3, "/": 3}
SHOWN = 200
MOST = 5_000


@dataclass(frozen=True)
class Names:
    """What a hypothesis may be about, and what is said of other parameters.

    Parameters
    ----------
    known : tuple of str
    absent : tuple of str
        Parameters that the model has, but the fit does not.
    why : callable
        Says of one of those why.
    """

    known: tuple[str, ...]
    absent: tuple[str, ...] = ()
    why: Callable[[str], str] = str


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The place after it."""
        return self.start + len(self.text)


@dataclass(frozen=True)
class _Equations:
    """Linear forms that are 0, and what stands right of the last sign of equality."""

    rows: tuple[Array, ...]
    last: Array


_Value = Array | _Equations


def shortened(hypothesis: Any) -> str:
    """A hypothesis as messages quote it."""
    text = str(hypothesis)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} ..."


def linear_constraints(hypothesis: Any, names: Names) -> tuple[Array, Array]:
    """(R, r) of hypotheses such as ``"x1 = 0, x2 = x3"``, of ``{"x1": 0}``, or of a matrix.

    Raises
    ------
    FormulaError
        If it cannot be read as linear constraints on these names, or a matrix has not
        a column for each.
    """
    if isinstance(hypothesis, str):
        return _from_text(hypothesis, names)
    if isinstance(hypothesis, Mapping):
        return _from_mapping(hypothesis, names)
    if isinstance(hypothesis, list) and any(isinstance(each, str) for each in hypothesis):
        return _from_list(hypothesis, names)
    if hasattr(hypothesis, "coefs") and hasattr(hypothesis, "constants"):
        # patsy's own record of constraints.
        return _from_matrix(hypothesis.coefs, hypothesis.constants, names)
    if isinstance(hypothesis, tuple) and len(hypothesis) == 2:
        return _from_matrix(*hypothesis, names)
    return _from_matrix(hypothesis, None, names)


def _refuse(problem: str, names: Names) -> NoReturn:
    example = names.known[0] if names.known else "x"
    raise FormulaError(
        f"The hypothesis cannot be read: {problem}\nWrite e.g. '{example} = 0'. "
        f"Parameters: {some(names.known, 20)}.",
        kind="hypothesis",
    )


def _at(text: str, start: int, end: int) -> str:
    """The place in the text, on a line of its own and with what stands around it."""
    first = max(0, start - SHOWN // 2)
    part = re.sub(r"\s", " ", text[first : first + SHOWN])
    return caret(part, start - first, min(end, first + SHOWN) - first)


def _from_text(text: str, names: Names) -> tuple[Array, Array]:
    if not text.strip():
        _refuse("it is empty.", names)
    rows = _Parser(text, names).rows()
    return np.stack([row[:-1] for row in rows]), np.array([0.0 - row[-1] for row in rows])


def _from_list(hypotheses: Sequence[Any], names: Names) -> tuple[Array, Array]:
    for each in hypotheses:
        if not isinstance(each, str):
            _refuse(f"a list of texts holds {shortened(repr(each))}.", names)
    found = [_from_text(each, names) for each in hypotheses]
    return np.vstack([r for r, _ in found]), np.concatenate([q for _, q in found])


def _from_mapping(hypothesis: Mapping[Any, Any], names: Names) -> tuple[Array, Array]:
    rows = np.zeros((len(hypothesis), len(names.known)))
    for i, name in enumerate(hypothesis):
        if name in names.absent:
            _refuse(names.why(name), names)
        if name not in names.known:
            _refuse(f"there is no parameter {name!r}.{nearest_parameter(name, names.known)}", names)
        rows[i, names.known.index(name)] = 1.0
    return _from_matrix(rows, list(hypothesis.values()), names)


def _from_matrix(matrix: Any, constants: Any, names: Names) -> tuple[Array, Array]:
    count = len(names.known)
    wanted = f"a matrix of numbers has {count} columns, one for each parameter"
    if matrix is None:
        _refuse(f"it is None; {wanted}.", names)
    try:
        r = np.asarray(matrix, dtype=np.float64)
        q = np.zeros(1) if constants is None else np.asarray(constants, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        told = shown(matrix if constants is None else (matrix, constants))
        _refuse(f"it is {told}, neither text nor a matrix: {wanted}.", names)
    r, q = np.atleast_2d(r), q.ravel()
    if r.ndim != 2 or r.shape[1] != count or not len(r):
        shape = " x ".join(str(size) for size in np.shape(matrix)) or "a single number"
        _refuse(f"its shape is {shape}; {wanted}.", names)
    if len(q) not in (1, len(r)):
        _refuse(
            f"{counted(len(r), 'row')} of a matrix cannot have {counted(len(q), 'value')} on "
            f"the right.",
            names,
        )
    if not (np.isfinite(r).all() and np.isfinite(q).all()):
        _refuse("its numbers must be finite.", names)
    return r, np.array(np.broadcast_to(q, (len(r),)))


class _Parser:
    """Linear equations by operator precedence, on two stacks."""

    def __init__(self, text: str, names: Names) -> None:
        self.text, self.names = text, names
        self.places = {name: j for j, name in enumerate(names.known)}
        self.values: list[_Value] = []
        self.waiting: list[_Token] = []

    def refuse(self, problem: str, token: _Token) -> NoReturn:
        """Refuse, showing where."""
        _refuse(f"{problem}\n{_at(self.text, token.start, token.end)}", self.names)

    def tokens(self) -> Iterator[_Token]:
        """Names, the longest first; numbers; signs."""
        every = sorted({*self.names.known, *self.names.absent}, key=len, reverse=True)
        # As they stand first, then with other spaces around signs: I(x**2) is I(x ** 2).
        named = "|".join([_whole(name) for name in every if name] + [*map(_spaced, every)])
        pattern = re.compile(
            rf"\s*(?:(?P<name>{named or '(?!)'})|(?P<number>{NUMBER})|(?P<sign>[-+*/=,()])"
            r"|(?P<other>[^\s=,+*/-]+)|$)"
        )
        at = 0
        while at < len(self.text):
            found = pattern.match(self.text, at)
            assert found is not None
            if found.lastgroup is not None:
                text = found[found.lastgroup]
                if found.lastgroup == "name" and text not in every:
                    text = next(name for name in every if re.fullmatch(_spaced(name), text))
                yield _Token(found.lastgroup, text, found.start(found.lastgroup))
            at = max(found.end(), at + 1)

    def rows(self) -> tuple[Array, ...]:
        """What the text says is 0: coefficients, and a constant last."""
        ready = False
        end = _Token("end", " ", len(self.text))
        for token in self.tokens():
            ready = self.read(token, ready)
        if not ready:
            self.refuse("it breaks off.", end)
        self.settle(-1)
        if self.waiting:
            self.refuse("this bracket is not closed.", self.waiting[-1])
        return self.equations(self.values.pop(), end).rows

    def read(self, token: _Token, ready: bool) -> bool:
        """Take a token; `ready` says that a value stands left of it, and so does the answer."""
        if token.kind == "sign" and token.text != "(":
            if token.text == ")":
                self.close(token, ready)
                return True
            self.operator(token, ready)
            return False
        if ready:
            told = of_sign(token.text)
            self.refuse(told or "an operator is missing before this.", token)
        if token.text == "(" and token.kind == "sign":
            self.waiting.append(token)
            return False
        self.values.append(self.operand(token))
        return True

    def operand(self, token: _Token) -> Array:
        """A name or a number as a linear form."""
        form = np.zeros(len(self.names.known) + 1)
        if token.kind == "number":
            form[-1] = float(token.text)
            if not np.isfinite(form[-1]):
                self.refuse("this number is too large.", token)
            return form
        if token.text in self.places:
            form[self.places[token.text]] = 1.0
            return form
        if token.text in self.names.absent:
            self.refuse(self.names.why(token.text), token)
        self.refuse(
            f"there is no parameter {token.text!r}."
            f"{nearest_parameter(token.text, self.names.known, self.text)}",
            token,
        )

    def operator(self, token: _Token, ready: bool) -> None:
        """Put an operator on the stack, after those that bind more closely."""
        if ready:
            self.settle(ORDER[token.text])
        elif token.text not in "+-":
            again = token.text == "=" and self.waiting and self.waiting[-1].text == "="
            told = "one sign = is enough." if again else "a value is missing before this."
            self.refuse(told, token)
        else:
            token = _Token("unary", token.text, token.start)
        self.waiting.append(token)

    def close(self, token: _Token, ready: bool) -> None:
        """Work off what stands in a pair of brackets."""
        if not ready:
            self.refuse("a value is missing before this.", token)
        self.settle(-1)
        if not self.waiting:
            self.refuse("this bracket was not opened.", token)
        self.waiting.pop()

    def settle(self, least: int) -> None:
        """Work off operators that bind at least so closely, back to a bracket."""
        while self.waiting and self.waiting[-1].text != "(":
            token = self.waiting[-1]
            if ORDER["unary" if token.kind == "unary" else token.text] < least:
                return
            self.waiting.pop()
            right = self.values.pop()
            if token.kind == "unary":
                form = self.form(right, token)
                self.values.append(-form if token.text == "-" else form)
            else:
                self.values.append(self.combined(self.values.pop(), right, token))

    def combined(self, left: _Value, right: _Value, token: _Token) -> _Value:
        """Two values by an operator."""
        if token.text == ",":
            one, other = self.equations(left, token), self.equations(right, token)
            if len(one.rows) >= max(MOST, len(self.names.known)):
                self.refuse(f"it has more than {len(one.rows):,} equations.", token)
            return _Equations((*one.rows, *other.rows), other.last)
        if token.text == "=":
            return self.equal(left, self.form(right, token), token)
        a, b = self.form(left, token), self.form(right, token)
        if token.text in "+-":
            return a + b if token.text == "+" else a - b
        if b[:-1].any() and (token.text == "/" or a[:-1].any()):
            self.refuse("a hypothesis is linear: parameters times and by numbers.", token)
        if token.text == "/" and b[-1] == 0.0:
            self.refuse("nothing can be divided by 0.", token)
        with np.errstate(over="ignore"):
            if token.text == "/":
                out = a / b[-1]
            else:
                out = a[-1] * b if b[:-1].any() else a * b[-1]
        if not np.isfinite(out).all():
            self.refuse("this comes to a number that is too large.", token)
        return out

    def equal(self, left: _Value, right: Array, token: _Token) -> _Equations:
        """``a = b``, and after another sign of equality ``a = b = c``."""
        before = left.rows if isinstance(left, _Equations) else ()
        row = (left.last if isinstance(left, _Equations) else left) - right
        self.told(row, token)
        return _Equations((*before, row), right)

    def equations(self, value: _Value, token: _Token) -> _Equations:
        """A value as equations: a linear form alone is 0."""
        if isinstance(value, _Equations):
            return value
        self.told(value, token)
        return _Equations((value,), value)

    def told(self, row: Array, token: _Token) -> None:
        """Refuse an equation between numbers."""
        if not row[:-1].any():
            self.refuse("no parameter is left in this equation.", token)

    def form(self, value: _Value, token: _Token) -> Array:
        """A value that is a linear form."""
        if isinstance(value, _Equations):
            self.refuse("an equation cannot be computed with.", token)
        return value


def _whole(name: str) -> str:
    """A pattern of a name that is not a piece of a longer one."""
    before = r"(?<!\w)" if re.match(r"\w", name) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", name) else ""
    return f"{before}{re.escape(name)}{after}"


def _spaced(name: str) -> str:
    """A pattern of the name with any spaces around signs within its brackets.

    Of a name without brackets one that matches nothing: ``a-b`` is not a - b.
    """
    if "(" not in name:
        return "(?!)"
    loose = re.sub(r"(?:\\ )*((?:\\?[*/+:<>=%&|-])+)(?:\\ )*", r"\\s*\1\\s*", re.escape(name))
    return rf"(?<!\w){loose}(?!\w)"
