"""How the tables of foreign spellings are read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from glmcount.errors import alike, near

__all__ = ["LIKE", "advice", "filled", "instead", "or_listed", "told"]

# A method or a family that is only similar is another one.
LIKE = 0.75
# What stands for arguments that were not given.
USUAL = ("x", "4", "0")


def told(text: str) -> str:
    """What to write, as a sentence with a space before it.

    Examples
    --------
    >>> told("cov='HC1'"), told("Fits print nothing.")
    (" Write cov='HC1'.", ' Fits print nothing.')
    """
    return f" {text}" if text.endswith(".") and text[:1].isupper() else f" Write {text}."


def advice(table: Mapping[str, str], name: str) -> str | None:
    """What a table has for a spelling, as it stands there.

    Examples
    --------
    >>> advice({"cov_type vcov": "cov='HC1'"}, "Cov.Type")
    "cov='HC1'"
    """
    own = alike(name)
    for spellings, text in table.items():
        if own in map(alike, spellings.split()):
            return text
    return None


def instead(
    table: Mapping[str, str], name: str, choices: Sequence[object] = (), given: str = ""
) -> str:
    """What to write for a spelling: from the table, else the nearest choice, else nothing.

    Parameters
    ----------
    table : mapping
    name : str
    choices : sequence
        Names there are.
    given : str
        What takes the place of the column in ``{0|'g'}``.

    Examples
    --------
    >>> instead({"crv1": "cov=glmcount.cluster({0|'g'})"}, "CRV1", given="'id'")
    " Write cov=glmcount.cluster('id')."
    """
    text = advice(table, name)
    if text is None:
        return near(name, choices, LIKE)
    return told(re.sub(r"\{0\|([^}]*)\}", lambda usual: given or usual[1], text))


def or_listed(hint: str, listed: str) -> str:
    """A hint, and what there is unless the hint is sure.

    Examples
    --------
    >>> or_listed(" Write cov='HC1'.", " Names: a, b."), or_listed("", " Names: a, b.")
    (" Write cov='HC1'.", ' Names: a, b.')
    """
    sure = hint and not hint.startswith(" Did you mean")
    return hint if sure else hint + listed


def filled(text: str, arguments: Sequence[str]) -> str:
    """A text with arguments in the places of {0}, {1} and {2}."""
    padded = [*arguments, *USUAL[len(arguments) :]]
    for place, argument in enumerate(padded[: len(USUAL)]):
        text = text.replace(f"{{{place}}}", argument)
    return text
