"""Which parameter was meant by a name that there is not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from glmcount.errors import alike, near, some

__all__ = ["nearest_parameter", "of_sign"]

CONSTANTS = ("cons", "const", "constant", "intercept", "(intercept)")
SCALES = ("theta", "lnalpha", "logtheta", "lntheta", "logalpha")
QUOTED = re.compile(r"Q\((['\"])(.*?)\1\)")
# A coefficient of a two-part model as R names it.
PART = re.compile(r"(?:count|zero|zi|infl|inflate|hurdle)[_:.](.+)")
# What stands between equations, or in the place of "=", elsewhere.
COMMA = "several equations are parted by commas, as in 'x = 0, z = 0'."
EQUATION = "a hypothesis is an equation, such as 'x = 0'."
SIGNS = {
    **dict.fromkeys(("and", "&", "&&", ";"), COMMA),
    **dict.fromkeys(("<", ">", "<=", ">=", "!", "!=", "~", "<>", "is"), EQUATION),
    ":": "an interaction is named as in r.params, mostly 'x:z' in the order of the formula.",
    "^": "a hypothesis is linear: parameters times and by numbers.",
}


def of_sign(text: str) -> str:
    """What is said of a sign that hypotheses do not have; empty where nothing is known.

    Examples
    --------
    >>> of_sign(">")
    "a hypothesis is an equation, such as 'x = 0'."
    """
    return SIGNS.get(text.lower(), "") or SIGNS.get(text[:1], "")


def nearest_parameter(name: object, known: Sequence[str], text: str = "") -> str:
    """What to write for a parameter that there is not; `text` is what it stands in.

    Its constant, the coefficients of a factor, the name that other packages give the same one, or
    the names nearest to it.

    Examples
    --------
    >>> nearest_parameter("_cons", ["Intercept", "x"]), nearest_parameter("gb", ["g[T.b]"])
    (" Write 'Intercept'.", " Write 'g[T.b]'.")
    """
    name = str(name)
    for each in known:
        quoted = QUOTED.search(each)
        if quoted is not None and each not in text and quoted[2] in (text or name):
            return f" Write {each!r}."
    if alike(name) in SCALES and "alpha" in known:
        return (
            " Write 'alpha', which is on its own scale: theta is 1 / alpha, lnalpha its logarithm."
        )
    if (part := PART.fullmatch(name)) is not None:
        rest = "Intercept" if alike(part[1]) in CONSTANTS else part[1]
        own = [each for each in known if re.fullmatch(rf"(?:\w+_)?{re.escape(rest)}", each)]
        own = own[:1] if name.startswith("count") else own[1:]
        if own:
            return f" Write {own[0]!r}."
    if alike(name) in CONSTANTS and "Intercept" in known:
        return " Write 'Intercept'."
    own = [
        each
        for each in known
        if re.match(rf"(?:C\({re.escape(name)}\b.*\)|{re.escape(name)})\[", each)
    ]
    if own:
        return (
            f" {name} is a factor, whose coefficients are {some(map(repr, own), 5)}. "
            f"r.anova(test='wald') tests them together, r.contrasts({name!r}) compares levels."
        )
    same = [each for each in known if _bare(each) == _bare(name)]
    return f" Write {same[0]!r}." if len(same) == 1 else near(name, known)


def _bare(name: str) -> str:
    """A coefficient's name as letters and digits: of ``C(g)[T.b]``, ``factor(g)b``, ``b.g``: gb."""
    swapped = re.sub(r"^(\d+)b?\.(\w+)$", r"\2\1", name)
    plain = re.sub(r"\[[TSDH]?\.", "", re.sub(r"\b(?:C|as\.factor|factor)\(", "", swapped))
    return re.sub(r"\W", "", plain)
