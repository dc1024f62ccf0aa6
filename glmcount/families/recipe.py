"""How a family was made, as plain data, from which another process makes it again.

Functions cannot travel to another process unless they have a name there. A family that was made by
one of our own functions travels as that function's name and what it was given.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar

from glmcount.allowed import refuse_nameless
from glmcount.front import public
from glmcount.records import dataclass

__all__ = ["Recipe", "named", "recorded"]

P = ParamSpec("P")


class Made(Protocol):
    """What knows how it was made."""

    @property
    def recipe(self) -> Recipe | None:
        """How."""

    def with_(self, **changes: Any) -> Any:
        """A copy with some fields changed."""


F = TypeVar("F", bound=Made)
_makers: dict[str, Callable[..., Any]] = {}


@dataclass(frozen=True)
class Recipe:
    """A function that makes families, and what it was given.

    Parameters
    ----------
    maker : str
        Name of the function.
    given : tuple
    settings : tuple of (str, object)
        Arguments by name.

    Examples
    --------
    >>> from glmcount.families import negbin, resolve
    >>> negbin(alpha=0.5).recipe
    Recipe(maker='negbin', given=(), settings=(('alpha', 0.5),))
    >>> resolve("poisson").recipe.made() is resolve("poisson")
    True
    """

    maker: str
    given: tuple[Any, ...] = ()
    settings: tuple[tuple[str, Any], ...] = ()

    def made(self) -> Any:
        """The family, made again.

        Returns
        -------
        Family
            As the function of that name makes it of what it was given.

        Examples
        --------
        >>> from glmcount.families import negbin
        >>> negbin(alpha=0.5).recipe.made().recipe.settings
        (('alpha', 0.5),)
        """
        return _makers[self.maker](*self.given, **dict(self.settings))

    def __reduce__(self) -> tuple[Any, ...]:
        for value in (*self.given, *(value for _, value in self.settings)):
            # A family answers calls as well, but is no function of a user's.
            if callable(value) and not hasattr(value, "recipe"):
                refuse_nameless(f"what {self.maker} was given", value)
        return Recipe, (self.maker, self.given, self.settings)


def named(name: str) -> Recipe:
    """Of a family that is known by its name wherever the package is."""
    return Recipe("resolve", (name,))


def recorded(maker: Callable[P, F]) -> Callable[P, F]:
    """A function whose families remember what it was given."""

    @public
    @wraps(maker)
    def made(*given: P.args, **settings: P.kwargs) -> F:
        family = maker(*given, **settings)
        known = family.recipe is not None and family.recipe.maker == "resolve"
        if known or any(family is one for one in (*given, *settings.values())):
            return family
        how = Recipe(maker.__name__, given, tuple(settings.items()))
        changed: F = family.with_(recipe=how)
        return changed

    _makers[maker.__name__] = made
    return made
