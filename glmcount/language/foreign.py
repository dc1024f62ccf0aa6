"""What a formula says in the language of another package, found in text that cannot be read.

Only a formula that is refused comes here, so that one that can be read costs nothing.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator

from glmcount.errors import some
from glmcount.language.node import WORDS
from glmcount.records import dataclass
from glmcount.spellings.formulas import FACTOR, FUNCTIONS, LOOKS_LIKE, NAMES, PARSER
from glmcount.spellings.lookup import advice, filled, told

__all__ = [
    "Found",
    "called_elsewhere",
    "foreign",
    "look_alike",
    "other_name",
    "plainly",
    "quoted",
    "random",
    "skeleton",
]

# Beyond, a formula is not searched for names of columns that need quotes.
MOST_COLUMNS = 2_000
# Texts beyond, which nobody wrote by hand, are not searched for what has another meaning.
LONG = 5_000
RANDOM = (
    "Random effects such as ({0}) are not fitted here. C(g) gives each level of g a constant of "
    "its own, and cov=glmcount.cluster('g') standard errors that allow for groups."
)
# Words that are numbers wherever they stand.
WORDLESS = "inf", "infinity", "nan"


# What is said of a match, with the names of the columns.
Said = Callable[[re.Match[str], Collection[str]], str]


@dataclass(frozen=True)
class Found:
    """What to write in the place of a piece of a formula."""

    advice: str
    start: int
    end: int


def quoted(name: str) -> str:
    """A column's name as formulas write it.

    Examples
    --------
    >>> quoted("x"), quoted("my col"), quoted("class")
    ('x', "Q('my col')", "Q('class')")
    """
    plain = name.isidentifier() and not keyword.iskeyword(name)
    return name if plain and name.lower() not in WORDLESS else f"Q({name!r})"


def skeleton(name: str) -> str:
    """A name with look-alike letters and signs as the plain ones.

    Examples
    --------
    >>> skeleton("a" + chr(0xA0) + "b"), skeleton(chr(0x445))
    ('a b', 'x')
    """
    plain = "".join(LOOKS_LIKE.get(sign, sign) for sign in name)
    return unicodedata.normalize("NFKC", plain)


def plainly(message: str) -> str:
    """What a parser says, in the words of those who write formulas."""
    known = (text for begin, text in PARSER.items() if message.startswith(begin))
    return next(known, message)


def called_elsewhere(name: str, arguments: Collection[str]) -> str:
    """What to write for a function of another package; empty for one that is not known."""
    bare = name.rpartition("::")[2]
    if bare in WORDS:
        return told(f"{bare}({', '.join(map(str.strip, arguments))})") if bare != name else ""
    text = advice(FUNCTIONS, bare)
    if text is None:
        return ""
    values = [re.sub(r"^\w+\s*=(?!=)\s*", "", each.strip()) for each in arguments]
    if bare == "poly" and values[1:] and values[1].isdigit() and 2 <= int(values[1]) < 9:
        powers = [f"I({values[0]}**{power})" for power in range(2, int(values[1]) + 1)]
        return told(f"{' + '.join([values[0], *powers])}: the same curves")
    if values:
        values[0] = re.sub(r"^(?:as\.)?factor\((.*)\)$", r"\1", values[0])
    if text == FUNCTIONS[FACTOR] and any(each.strip().startswith("levels") for each in arguments):
        return told(f"C({values[0]}, levels=['a', 'b']) with the levels in their order")
    if bare == "i" and values and not values[0].isidentifier():
        return told(f"I({values[0]})")
    named = text.replace("{name}", repr(values[0]) if values else "'x'")
    return told(filled(named, values))


def foreign(text: str, columns: Collection[str]) -> Found | None:
    """The first thing in a text that belongs elsewhere, with what to write here.

    Parameters
    ----------
    text : str
        A formula, or a piece of one.
    columns : collection of str
        Names of the data's columns.

    Examples
    --------
    >>> foreign("y ~ my col", ["y", "my col"]).advice
    "The column 'my col' is written Q('my col'), since its name holds a space."
    >>> foreign("y ~ as.factor(g)", ["y", "g"]).advice
    'Write C(g).'
    """
    # Quotes of another kind are what is wrong, and hide nothing.
    blank = re.sub(r"'[^']*'|\"[^\"]*\"", lambda found: " " * len(found[0]), text)
    for look in (_columns, _signs, _patterns):
        found = next(look(blank, columns), None)
        if found is not None:
            return found
    return None


def _columns(text: str, columns: Collection[str]) -> Iterator[Found]:
    """Names that formulas cannot hold as they are."""
    names = [name for name in map(str, list(columns)[:MOST_COLUMNS]) if name not in ("0", "1")]
    for name in sorted(names, key=len, reverse=True):
        if quoted(name) == name or not re.search(r"\w", name):
            continue
        pattern = r"\s+".join(map(re.escape, name.split()))
        before = r"(?<![\w.])" if re.match(r"\w", name) else ""
        after = r"(?![\w.(])" if re.search(r"\w\Z", name) else ""
        found = re.search(before + pattern + after, text)
        if found:
            yield Found(
                f"The column {name!r} is written {quoted(name)}, since its name {_reason(name)}.",
                *found.span(),
            )


def _reason(name: str) -> str:
    if keyword.iskeyword(name) or name.lower() in WORDLESS:
        return "is a word of its own in formulas"
    if name[0].isdigit():
        return "begins with a digit"
    sign = next((s for s in name if not (s.isalnum() or s == "_")), name[0])
    return f"holds {_sign(sign)}"


def _sign(sign: str) -> str:
    known = {" ": "a space", ".": "a dot", "-": "a minus", "\u00a0": "a no-break space"}
    return known.get(sign, repr(sign) if sign.isascii() else _unicode(sign))


def _unicode(sign: str) -> str:
    shown = repr(sign) if sign.isprintable() else "a sign that is not seen"
    return f"{shown} (U+{ord(sign):04X}, {unicodedata.name(sign, 'no name').lower()})"


def _signs(text: str, columns: Collection[str]) -> Iterator[Found]:
    """Signs that look like those of formulas."""
    for place, sign in enumerate(text):
        if sign.isascii() or (sign.isidentifier() and sign not in LOOKS_LIKE):
            continue
        meant = skeleton(sign)
        if sign.isalpha() and not meant.isascii():
            continue
        where = place, place + 1
        if unicodedata.decomposition(sign).startswith("<super>"):
            yield Found(f"A power is written I(x**{meant}).", *where)
        elif meant == sign:
            yield Found(f"{_unicode(sign)} is no sign of formulas.", *where)
        elif not meant:
            yield Found(f"Take out {_unicode(sign)}.", *where)
        else:
            yield Found(
                f"{_unicode(sign)} stands where {meant!r} is meant. {_typed(meant)}", *where
            )


def _typed(meant: str) -> str:
    return "Write a plain space." if meant.isspace() else f"Write {meant}"[:40] + " there."


def _patterns(text: str, columns: Collection[str]) -> Iterator[Found]:
    """Signs and functions of other packages, those first that are understood best."""
    if len(text) > LONG:
        return
    for pattern, said in PATTERNS:
        for match in re.finditer(pattern, text):
            meant = said(match, columns)
            if meant:
                yield Found(meant.strip(), *match.span())


def _function(match: re.Match[str], columns: Collection[str]) -> str:
    inner = match[2] or ""
    if match[1][:3] in ("as.", "is.") and advice(FUNCTIONS, match[1]) is None:
        return f"{match[1]} is not a function of formulas: make the column in the data first."
    return called_elsewhere(match[1].replace(" ", ""), inner.split(",") if inner else [])


def random(text: str) -> str:
    """What is said of random effects."""
    return filled(RANDOM, [text])


def _random(match: re.Match[str], columns: Collection[str]) -> str:
    return random(match[0][1:-1])


def _stata(name: str) -> str:
    """A variable with Stata's prefix, as formulas write it."""
    match = re.fullmatch(r"(i|c|o|b|ib|bn|ibn)(\d*)\.(\w+)", name, re.IGNORECASE)
    if match is None:
        return name
    prefix, base, column = match.groups()
    if prefix.lower() == "c":
        return column
    return f"C({column}, Treatment({base}))" if base else f"C({column})"


def _prefixed(match: re.Match[str], columns: Collection[str]) -> str:
    name = match[0]
    if re.match(r"[LFDS]\d*\.", name):
        column = name.partition(".")[2]
        return called_elsewhere({"D": "diff"}.get(name[0], "lag"), [column])
    return "" if _stata(name) == name else told(_stata(name))


def _crossed(match: re.Match[str], columns: Collection[str]) -> str:
    sign = " * " if match[2] == "##" else ":"
    if _stata(match[3]) == match[3] and match[3] not in columns:
        return "Leave out what stands behind #: formulas have no comments."
    return told(f"{_stata(match[1])}{sign}{_stata(match[3])}")


def _power(match: re.Match[str], columns: Collection[str]) -> str:
    base, power = match[1], match[2]
    if base.startswith("(") and re.search(r"[+*:]", base):
        return (
            f"Write {base}**{power} for the terms and their products, I({base}**{power}) for the "
            "power of the sum."
        )
    return f"Write I({base}**{power}): ^ is no power here, and ** of terms crosses them."


def _noted(text: str) -> Said:
    """The text with groups of the match in the places of {0} and so on."""

    def said(match: re.Match[str], columns: Collection[str]) -> str:
        return told(filled(text, [match[0], *(group or "" for group in match.groups())]))

    return said


def _joined(match: re.Match[str], columns: Collection[str]) -> str:
    """Another sign between the response and the terms."""
    alone = re.fullmatch(r"\s*[\w.()/]+\s*", match.string[: match.start()])
    if alone is None or "~" in match.string:
        return ""
    return told("~ between the response and the terms")


def _side_by_side(match: re.Match[str], columns: Collection[str]) -> str:
    one, other = match[1], match[2]
    if keyword.iskeyword(one) or keyword.iskeyword(other):
        return ""
    if advice(FUNCTIONS, one) or one in ("log", "exp", "sqrt", "abs"):
        return told(f"{one}({other})")
    return f"An operator is missing between {one} and {other}: write {one} + {other}."


def _reserved(match: re.Match[str], columns: Collection[str]) -> str:
    word = match[0]
    if not keyword.iskeyword(word) or word in ("and", "or", "not", "if", "else", "in", "is"):
        return ""
    if word in ("True", "False", "None"):
        return ""
    return f"{word!r} is a word of its own: a column of that name is written Q({word!r})."


_NAME = r"[A-Za-z_]\w*"
PATTERNS: tuple[tuple[str, Said], ...] = (
    (r"`([^`]*)`", _noted("{1} or, for a name with spaces or signs, Q('{1}')")),
    (rf"\(\s*(?:[01]\b[\w+.:* ]*\|\|?|[\w+.:* ]+\|\|)\s*{_NAME}[\w:/ ]*\)", _random),
    (rf"(?<!\w)((?:{_NAME}\s*::\s*)?{_NAME}(?:\.{_NAME})*)\s*\(([^()]*)\)?", _function),
    (r"(?<![\w.])([\w.]+)\s*(##?)\s*([\w.]+)", _crossed),
    (rf"\b[A-Za-z]{{1,3}}\d*\.{_NAME}\b(?!\s*\()", _prefixed),
    (rf"(?<!\w)({_NAME}(?:\([^()]*\))?|\([^()]*\))\s*\^\s*(-?\d+(?:\.\d*)?)", _power),
    (r"\^", _noted("I(x**2) for a power of x")),
    (rf"(?<!\w)({_NAME})\s*%in%\s*({_NAME})", _noted("{1}:{2}")),
    (r"%\W?\w*%", _noted("the product as {0}")),
    (
        r"(?<![\w.)])\.(?![\w.])",
        _noted("the columns out, as y ~ x1 + x2, or as 'y ~ ' + ' + '.join(names)"),
    ),
    (r"&&", _noted("I((x > 0) & (z > 1)), with & for 'and'")),
    (r"\|\|", _noted("I((x > 0) | (z > 1)), with | for 'or'")),
    (rf"!\s*({_NAME})", _noted("I(~{1})")),
    (r"!(?!=)", _noted("I(~(x > 0)), with ~ for 'not'")),
    (rf"(?<!\w)({_NAME})\$({_NAME})", _noted("{2}: a name is that of a column of data")),
    (r"<-|:=|==?", _joined),
    (r";", _noted("+ between terms")),
    (
        r"\b(\d+)(?![eE]\d)([A-Za-z_]\w*)",
        _noted("I({1} * {2}) if a product is meant; no name begins with a digit"),
    ),
    (rf"(?<![\w.])({_NAME})\s+({_NAME})(?![\w(])", _side_by_side),
    (rf"(?<![\w.]){_NAME}(?![\w.(])", _reserved),
)


def other_name(name: str) -> str:
    """What to write for a name that is no column: constants of other packages."""
    text = advice(NAMES, name)
    return "" if text is None else told(text)


def look_alike(name: str, columns: Collection[str]) -> str:
    """A column that is drawn like a name and written otherwise; empty where there is none."""
    own = skeleton(name)
    for column in map(str, columns):
        if column != name and skeleton(column).strip() == own.strip():
            odd = [sign for sign in name + column if not sign.isascii()]
            signs = some(map(_unicode, dict.fromkeys(odd)), 3)
            return f" It looks like {column!r}: one of the two has {signs}." if odd else ""
    return ""
