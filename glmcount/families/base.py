"""What a family is: a frozen value that knows one log-likelihood, and nothing of data.

A family with q equations maps the response and q predictors ("etas": log-mean, log alpha,
a logit ...) to the row-wise log-likelihood with its derivatives. Links, zero inflation or
truncation are functions from families to families.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from glmcount.allowed import refuse, refuse_nameless, shown
from glmcount.errors import UsageError, alike, near, some
from glmcount.families.probe import probe_family
from glmcount.families.recipe import Recipe, recorded
from glmcount.front import public
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet
from glmcount.records import cached_property, dataclass, field, replace
from glmcount.spellings.lookup import LIKE, advice, or_listed, told
from glmcount.spellings.models import FAMILIES

__all__ = [
    "Boundary",
    "Equation",
    "Family",
    "Limit",
    "StartSums",
    "a_family",
    "count_part",
    "families",
    "natural_exp",
    "register",
    "resolve",
]

Etas = Sequence[Array]
Curvature = tuple[tuple[Array | None, ...], ...]
Mask = NDArray[np.bool_] | None
Flat = tuple[tuple[Mask, Mask], ...]
# A mean of which an endless link makes a predictor far below zero.
TINY = 1e-300


@dataclass(frozen=True)
class StartSums:
    """Weighted sums over the used rows that closed-form starting values are made of.

    Parameters
    ----------
    weight, response, square : float
        Sums of w, w y and w y^2.
    log_exposure : float
        log(sum w exp(offset)), the offset being that of the mean equation.
    offset : float
        Weighted mean of that offset.
    zero : float
        Sum of w over the rows with y = 0.
    largest : float

    Examples
    --------
    >>> from glmcount.families import StartSums
    >>> StartSums(weight=4.0, response=12.0, square=50.0, log_exposure=1.386, offset=0.0).mean
    3.0
    """

    weight: float
    response: float
    square: float
    log_exposure: float
    offset: float
    zero: float = 0.0
    largest: float = 1.0

    @property
    def mean(self) -> float:
        """Weighted mean of the response."""
        return self.response / self.weight


def natural_exp(value: Array) -> tuple[Array, Array]:
    """exp and its derivative: a log parameter on its natural scale."""
    # One that ran off is infinite, of which a boundary tells.
    with np.errstate(over="ignore"):
        natural = np.exp(value)
    return natural, natural


@dataclass(frozen=True)
class Equation:
    """One predictor of a family.

    Parameters
    ----------
    name : str
        ``"mean"``, or the name of the ancillary parameter, such as ``"alpha"``.
    heading : str
        What a table prints above its coefficients; empty for the mean.
    prefix : str
        Put before a coefficient's name when the equation is a regression.
    natural : callable, optional
        Maps an intercept-only predictor to the parameter's natural scale, with the
        derivative; the parameter is then reported under `name`.
    scale : {"plain", "log"}
        What the predictor is of that parameter: itself, or its logarithm, whose interval then
        is the exponential of the predictor's.
    ratio : {"", "rate", "odds"}
        What the predictor is the logarithm of, beside what `scale` tells: with the mean of a count
        exp(coefficient) is a rate ratio, with odds an odds ratio.

    Examples
    --------
    >>> import numpy as np
    >>> from glmcount.families import Equation
    >>> from glmcount.families.base import natural_exp
    >>> alpha = Equation("alpha", "Dispersion (alpha)", natural=natural_exp, scale="log")
    >>> [float(part[0]) for part in alpha.natural(np.zeros(1))]
    [1.0, 1.0]
    """

    name: str
    heading: str = ""
    prefix: str = ""
    natural: Callable[[Array], tuple[Array, Array]] | None = None
    scale: Literal["plain", "log"] = "plain"
    ratio: Literal["", "rate", "odds"] = ""


@dataclass(frozen=True)
class Boundary:
    """Where a maximum lies, in plain words and numbers.

    Parameters
    ----------
    equation, name, value, lost
        As `Limit` has them.
    becomes : str
        What the family is called there.

    Examples
    --------
    >>> from glmcount.families.base import Boundary
    >>> Boundary(1, "alpha", 0.0, (), "Poisson").label
    'alpha = 0'
    """

    equation: int
    name: str
    value: float
    lost: tuple[int, ...]
    becomes: str

    @property
    def label(self) -> str:
        """The boundary in words, such as ``"alpha = 0"``."""
        return f"{self.name} = {self.value:g}"

    @property
    def gone(self) -> tuple[int, ...]:
        """Equations of the family that its limit does not have."""
        return (self.equation, *self.lost)


@dataclass(frozen=True)
class Limit:
    """A boundary of an ancillary parameter, where the family becomes another one.

    Parameters
    ----------
    equation : int
        Which predictor runs off.
    name : str
        Of the parameter that is on its boundary.
    value : float
        The parameter's natural value there.
    family : Family
        What the family becomes; its predictors are the remaining ones, in order.
    score : callable
        ``(y, etas of the limit family) -> (score, information)`` by row: the one-sided
        derivative of the log-likelihood in the natural parameter at the boundary and its
        expected information. A sum of scores <= 0 means the maximum is at the boundary.
    start : callable
        Maps ``sum score / sum information`` to a starting value of the predictor.
    lost : tuple of int
        Further predictors that mean nothing at the boundary, such as a variance's power where
        the variance vanishes; `family` does without them too, and `score` is taken at the
        values that the family's `start` gives them.
    opens : bool
        True where the limit is fitted first: its maximum starts the family's own, and a score
        <= 0 there says that nothing is to be found inside.

    Examples
    --------
    >>> import glmcount as gc
    >>> limit = gc.families.negbin().limits[0]
    >>> limit.label, limit.family.label
    ('alpha = 0', 'Poisson')
    """

    equation: int
    name: str
    value: float
    family: Family
    score: Callable[[Array, Etas], tuple[Array, Array]]
    start: Callable[[float], float]
    lost: tuple[int, ...] = ()
    opens: bool = True

    @property
    def boundary(self) -> Boundary:
        """Where it is."""
        return Boundary(self.equation, self.name, self.value, self.lost, self.family.label)

    @property
    def label(self) -> str:
        """The boundary in words, such as ``"alpha = 0"``."""
        return self.boundary.label

    @property
    def gone(self) -> tuple[int, ...]:
        """Equations of the family that its limit does not have."""
        return (self.equation, *self.lost)


@dataclass(frozen=True, repr=False)
class Family:
    """A distribution of counts given its predictors.

    Parameters
    ----------
    name, aliases, label : str, tuple of str, str
        How it is asked for, and how tables call it.
    equations : tuple of Equation
    terms : callable
        ``(y, etas) -> Jet`` of the log-likelihood without the part that depends on y only.
        `y` is (m, n), row 0 the count; an intercept-only predictor may come as shape (1,).
    constant : callable
        ``y -> ndarray``: that y-only part, summed once a fit.
    moments : callable
        ``etas -> (mean, variance)``, each a `Jet`.
    sample : callable
        ``(rng, etas) -> counts``.
    start : callable
        ``StartSums -> tuple of float``: an intercept for each predictor.
    proper : bool
        Whether `label` begins with a name, which keeps its capital inside a sentence.
    collapse : {"mean", "eta", "value"}
        What rows must share to be one weighted row. "mean": the design, where log mu is the
        predictor and an offset the logarithm of an exposure (Poisson). "eta": design and
        offset, where `terms` are linear in y and their derivative is (y - mu) mu' / V, for y
        between the counts too. "value": those and the response, true of every family.
    expected : callable, optional
        ``etas -> q x q entries``: minus the expected second derivatives; an entry None
        means that the observed one stands in.
    deviance : callable, optional
        ``(y, etas) -> ndarray``: unit deviances 2 (saturated - fitted), written so that
        they do not cancel. None: the deviance refuses by name.
    mass : callable, optional
        ``(y, etas) -> ndarray``: the whole log P(Y = y), written without large parts that
        cancel. None: the value of `terms` plus `constant`.
    tails : callable, optional
        ``(y, etas) -> (log F(y-1), log F(y), log S(y-1), log S(y))``, S(y) = P(Y > y). None,
        and rows with a NaN: sums of probabilities.
    above : callable, optional
        ``(etas, counts) -> Jet`` of log P(Y > count), where a family of several parts knows it
        by these. None: sums of probabilities.
    observed : callable, optional
        ``(y, etas) -> (count, mean, variance)``: what is seen of a count and its moments, where
        that is not the count itself, as under censoring.
    pooled : callable, optional
        ``(rng, etas, w) -> counts``: draws of the sum of w counts, where that has a law of the
        same family.
    limits : tuple of Limit
    scale : {1.0, "pearson"}
        "pearson" scales the covariance by Pearson chi-squared / df.
    likelihood : bool
        False for quasi-likelihoods: llf, aic and tests built on them refuse.
    canonical : bool
        Whether expected and observed information are one.
    curvature : float, optional
        M with ``|l'''| <= M |l''|`` in the predictor, for the certified error bound.
    concave_links : tuple of str
        Links of the mean under which the log-likelihood is concave in all predictors together,
        so that a maximum is the maximum; elsewhere it is the best of those found.
    mean_equation : bool
        True where the mean's equation speaks of the mean of the counts themselves, as leverages
        and working residuals need; not where the mean comes from several parts.
    mean_log : bool
        True where the mean's linear predictor is its logarithm, so that exp(coefficient)
        is a rate ratio.
    columns : tuple of str
        What further rows of `y` hold.
    typical : tuple of (low, high)
        Ranges of the predictors from which tests draw.
    link : str
        Name of the mean's link.
    lift : callable
        From means to the mean's predictor, for least-squares starting values.
    wider : str
        The family to look at where the data vary more than this one allows.
    support : tuple of float
        Smallest and largest count there can be.
    parts : mapping of str to callable
        Further quantities a model of several parts has, ``etas -> Jet`` by name:
        ``"mean-main"``, the mean of its count part, ``"zero"``, the probability of a
        structural zero.
    flat : callable, optional
        ``y -> ((down, up) for each equation)``: masks of the rows whose log-likelihood
        tends to its supremum as the predictor runs to minus or plus infinity, None for no
        row. Default: rows with y = 0 as the mean's predictor falls.
    certain : callable, optional
        As `flat`, of the rows that do so whatever their other predictors are. Default: `flat`.
    domain : {"log", "logit"}
        What the mean's own predictor is, before links.
    binary : callable, optional
        ``etas -> (log P(Y = 0), log P(Y > 0))`` as jets, where the two are cheaper together.
    slack : callable, optional
        ``(y, etas) -> Jet`` of the logarithm of what keeps a count possible, where parameters
        can make one impossible.
    relative : (Family, tuple of float), optional
        A family of the same equations that is easy to fit, and by what to multiply its
        parameters, equation by equation, to start this one from there.
    further : callable, optional
        ``(y, the mean's predictor) -> constants of the other predictors``: from where to look
        for maxima that lie far from what is typical.
    several : bool
        False where no second maximum was ever found inside with constant ancillary parameters,
        so that another is looked for only from a boundary, or where one of them has a regression.
    apart : tuple of int
        Equations of a concave part of its own, whose regression brings no further maxima.
    recipe : Recipe, optional
        How it was made, as plain data: from which another process makes it again.

    Raises
    ------
    UsageError
        Where it is used or registered, if a function of it does not give what it must: it is called
        with a few counts, and its derivatives are held against differences.

    Examples
    --------
    The Poisson family by hand:

    >>> from scipy.special import gammaln
    >>> import numpy as np
    >>> import glmcount as gc
    >>> from glmcount.families import Equation, Family
    >>> from glmcount.numerics.jets import Jet
    >>> def terms(y, etas):
    ...     mean = np.exp(etas[0])
    ...     return Jet(y[0] * etas[0] - mean, (y[0] - mean,), ((-mean,),))
    >>> def moments(etas):
    ...     mean = np.exp(etas[0])
    ...     jet = Jet(mean, (mean,), ((mean,),))
    ...     return jet, jet
    >>> own = Family(
    ...     name="own",
    ...     aliases=(),
    ...     label="Own",
    ...     equations=(Equation("mean"),),
    ...     terms=terms,
    ...     constant=lambda y: -gammaln(y[0] + 1.0),
    ...     moments=moments,
    ...     sample=lambda rng, etas: rng.poisson(np.exp(etas[0])).astype(float),
    ...     start=lambda sums: (float(np.log(sums.response)) - sums.log_exposure,),
    ...     mean_equation=True,
    ...     mean_log=True,
    ... )
    >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}, family=own)
    >>> [round(float(b), 6) for b in np.exp(r.params)]
    [1.5, 3.0]
    """

    name: str
    aliases: tuple[str, ...]
    label: str
    equations: tuple[Equation, ...]
    terms: Callable[[Array, Etas], Jet]
    constant: Callable[[Array], Array]
    moments: Callable[[Etas], tuple[Jet, Jet]]
    sample: Callable[[np.random.Generator, Etas], Array]
    start: Callable[[StartSums], tuple[float, ...]]
    proper: bool = False
    collapse: Literal["mean", "eta", "value"] = "value"
    expected: Callable[[Etas], Curvature] | None = None
    deviance: Callable[[Array, Etas], Array] | None = None
    tails: Callable[[Array, Etas], tuple[Array, Array, Array, Array]] | None = None
    mass: Callable[[Array, Etas], Array] | None = None
    above: Callable[[Etas, Array], Jet] | None = None
    observed: Callable[[Array, Etas], tuple[Array, Array, Array]] | None = None
    pooled: Callable[[np.random.Generator, Etas, Array], Array] | None = None
    limits: tuple[Limit, ...] = ()
    scale: float | Literal["pearson"] = 1.0
    likelihood: bool = True
    canonical: bool = False
    curvature: float | None = None
    concave_links: tuple[str, ...] = ()
    mean_equation: bool = False
    mean_log: bool = False
    columns: tuple[str, ...] = ()
    typical: tuple[tuple[float, float], ...] = ((-1.0, 2.0),)
    link: str = "log"
    lift: Callable[[Array], Array] = np.log
    wider: str = ""
    support: tuple[float, float] = (0.0, math.inf)
    parts: Mapping[str, Callable[[Etas], Jet]] = field(default_factory=dict)
    flat: Callable[[Array], Flat] | None = None
    certain: Callable[[Array], Flat] | None = None
    domain: Literal["log", "logit"] = "log"
    binary: Callable[[Etas], tuple[Jet, Jet]] | None = None
    slack: Callable[[Array, Etas], Jet] | None = None
    relative: tuple[Family, tuple[float, ...]] | None = None
    further: Callable[[Array, Array], list[tuple[float, ...]]] | None = None
    several: bool = True
    apart: tuple[int, ...] = ()
    recipe: Recipe | None = None

    def __repr__(self) -> str:
        return f"<Family {self.name}: {self.title}>"

    @property
    def inside(self) -> str:
        """The label inside another."""
        return self.label if self.proper else self.label[0].lower() + self.label[1:]

    @cached_property
    def q(self) -> int:
        """Number of predictors."""
        return len(self.equations)

    @cached_property
    def concave(self) -> bool:
        """Whether the log-likelihood is known to be concave in all predictors together."""
        return self.link in self.concave_links

    def runs_off(self, y: Array) -> Flat:
        """Rows that lose nothing where a predictor runs to infinity, (down, up) by equation.

        Parameters
        ----------
        y : ndarray, shape (m, n)
            The response, row 0 the count.

        Returns
        -------
        tuple of (down, up), one for each equation
            Each a mask of shape (n,), or None for no row.

        Examples
        --------
        >>> import numpy as np
        >>> import glmcount as gc
        >>> gc.families.poisson.runs_off(np.array([[0.0, 2.0]]))[0][0].tolist()
        [True, False]
        """
        if self.flat is not None:
            return self.flat(y)
        return ((y[0] == 0, None), *(((None, None),) * (self.q - 1)))

    def surely_off(self, y: Array) -> Flat:
        """As `runs_off`, of the rows that lose nothing whatever their other predictors are.

        Under a link that reaches a mean of 0 at a finite predictor no row runs off downwards.

        Parameters
        ----------
        y : ndarray, shape (m, n)
            The response, row 0 the count.

        Returns
        -------
        tuple of (down, up), one for each equation
            Each a mask of shape (n,), or None for no row.

        Examples
        --------
        >>> import numpy as np
        >>> import glmcount as gc
        >>> poisson, y = gc.families.poisson, np.array([[0.0, 2.0]])
        >>> poisson.surely_off(y)[0][0].tolist()
        [True, False]
        >>> gc.families.compose(poisson, "identity").surely_off(y)[0][0] is None
        True
        """
        first, *rest = self.runs_off(y) if self.certain is None else self.certain(y)
        with np.errstate(divide="ignore"):
            endless = self.domain == "logit" or float(self.lift(np.array(TINY))) < -10.0
        return (first if endless else (None, first[1]), *rest)

    @cached_property
    def title(self) -> str:
        """Heading of a summary."""
        return f"{self.label} regression, {self.link} link"

    def with_(self, **changes: Any) -> Family:
        """The same law with some fields changed, such as its name.

        Parameters
        ----------
        **changes
            Fields of a family, each with its new value.

        Returns
        -------
        Family
            Without a recipe, unless one is given.

        Raises
        ------
        UsageError
            If a family has no such field.

        Examples
        --------
        >>> import glmcount as gc
        >>> gc.families.poisson.with_(label="Rare events").title
        'Rare events regression, log link'
        """
        _refuse_unknown(changes)
        return replace(self, **({"recipe": None} | changes))

    def derived(self, **facts: Any) -> Family:
        """Another law made of this one: of what a family may know it has only what is named.

        What every family must have is as here unless it is named too. So no fact is taken over
        that need not hold any more.

        Parameters
        ----------
        **facts
            Fields of a family, each with its value.

        Returns
        -------
        Family
            With `name aliases label equations terms constant moments sample start` of this one, and
            of all else only `facts`.

        Raises
        ------
        UsageError
            If a family has no such field.

        Examples
        --------
        >>> import glmcount as gc
        >>> plain = gc.families.poisson.derived(name="plain")
        >>> plain.deviance is None, gc.families.poisson.deviance is None
        (True, False)
        """
        _refuse_unknown(facts)
        needed = {name: getattr(self, name) for name in NEEDED}
        return Family(**(needed | facts))

    @cached_property
    def tried(self) -> Family:
        """The family, of which functions of a user's own were called at a harmless point.

        Raises
        ------
        UsageError
            That names the function which gives no number, or another shape than it must.
        """
        how = self.recipe
        if how is None or how.maker == "reparametrise":
            probe_family(self, _sums_of)
        else:
            for value in (*how.given, *(value for _, value in how.settings)):
                _ = value.tried if isinstance(value, Family) else None
        return self

    @property
    def described(self) -> dict[str, Any]:
        """Facts of the counts and of the mean's predictor, for a law that leaves them alone."""
        return {name: getattr(self, name) for name in DESCRIBED}

    @public
    def __call__(self, *given: Any, **settings: Any) -> NoReturn:
        """Refuse to be called, as only makers of families are.

        Raises
        ------
        UsageError
        """
        raise UsageError(
            f"The family {self.name!r} is ready as it stands: leave the brackets out, or write "
            f"family={self.name!r}.",
            kind="family_called",
        )

    def __reduce__(self) -> tuple[Any, ...]:
        if self.recipe is not None:
            return self.recipe.made, ()
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name, value in fields.items():
            if callable(value):
                refuse_nameless(f"{name} of the family {self.name!r}", value)
        return _rebuilt, (fields,)


# `dataclasses.replace` makes another family by hand, which no function of ours makes again.
Family.__dataclass_fields__["recipe"].init = False

NEEDED = (
    "name",
    "aliases",
    "label",
    "equations",
    "terms",
    "constant",
    "moments",
    "sample",
    "start",
)
DESCRIBED = ("columns", "domain", "lift", "likelihood", "link", "scale", "support", "typical")


def _refuse_unknown(changes: Mapping[str, Any]) -> None:
    own = Family.__dataclass_fields__
    for name in changes:
        if name not in own:
            raise UsageError(
                f"A family has no field {name!r}.{near(name, own)} It has: {some(own, 50)}.",
                kind="family_field",
            )


def _sums_of(count: Array) -> StartSums:
    """Those of so many counts, each once."""
    n, total = float(len(count)), float(count.sum())
    zero, square = float((count == 0).sum()), float(np.dot(count, count))
    return StartSums(n, total, square, math.log(n), 0.0, zero, float(count.max()))


def a_family(what: str, value: Any) -> Family:
    """A family, as functions from families to families take one.

    Raises
    ------
    UsageError
        For anything else; of a name it says how to get the family of that name.
    """
    if not isinstance(value, Family):
        advice = (
            f"glmcount.families.resolve({value!r}) gives the family of that name."
            if isinstance(value, str)
            else ""
        )
        allowed = "a Family, such as glmcount.families.poisson"
        refuse(what, value, allowed, "family_type", advice)
    return value


def count_part(maker: str, value: Any) -> Family:
    """A family that other families are made of: a likelihood of all counts from 0 on.

    Raises
    ------
    UsageError
    """
    family = a_family(f"The first argument of {maker}", value)
    if not family.likelihood:
        raise UsageError(
            f"{maker} needs a likelihood, and {family.label} has only a mean and a variance. Use "
            "poisson or negbin().",
            kind="no_likelihood",
        )
    if not (family.support == (0.0, math.inf) and family.mean_equation):
        raise UsageError(
            f"{maker} is made of a family whose counts are 0, 1, 2 and so on without end; "
            f"{family.label} is none.",
            kind="incompatible_parts",
        )
    return family


def _rebuilt(fields: dict[str, Any]) -> Family:
    return Family(**fields)


families: dict[str, Family] = {}
_aliases: dict[str, str] = {}


def register(family: Family) -> Family:
    """Make a family known by its name and aliases; returns it.

    Parameters
    ----------
    family : Family

    Returns
    -------
    Family
        The same one.

    Raises
    ------
    UsageError
        If a name is taken, or a function of the family does not give what it must.

    Examples
    --------
    >>> import glmcount as gc
    >>> from glmcount.families import register
    >>> register(gc.families.poisson)
    Traceback (most recent call last):
    glmcount.errors.UsageError: A family named 'poisson' is registered already.
    """
    a_family("family", family)
    if family.recipe is None or family.recipe.maker != "resolve":
        _ = family.tried
    for name in (family.name, *family.aliases):
        if name in _aliases:
            raise UsageError(f"A family named {name!r} is registered already.", kind="family_taken")
    families[family.name] = family
    _aliases.update(dict.fromkeys((family.name, *family.aliases), family.name))
    return family


@recorded
def resolve(family: str | Family) -> Family:
    """The family of that name, or the value itself.

    Parameters
    ----------
    family : str or Family
        A name or an alias, in capitals or not.

    Returns
    -------
    Family

    Raises
    ------
    UsageError
        With the names there are, nearest first.

    Examples
    --------
    >>> from glmcount.families import resolve
    >>> resolve("nb2").name
    'negbin'
    """
    if isinstance(family, Family):
        return family.tried
    if not isinstance(family, str):
        raise UsageError(
            f"family must be a name or a Family value; got {shown(family)}."
            f"{or_listed(_meant(_title(family), family), f' Names: {some(families, 20)}.')}",
            kind="unknown_family",
        )
    found = _aliases.get(family.strip().lower())
    if found is None:
        hint, listed = (
            _meant(family.partition("(")[0].strip()),
            f" Families: {some(families, 20)}.",
        )
        raise UsageError(
            f"There is no family {family!r}.{or_listed(hint, listed)}",
            kind="unknown_family",
        )
    return families[found]


def _title(value: Any) -> str:
    """What a function, a class or an object of another package is called."""
    owner = getattr(value, "__self__", value)
    return str(getattr(owner, "__name__", type(owner).__name__))


def _meant(title: str, value: Any = None) -> str:
    """What to write for a family that is called so elsewhere."""
    names = {alike(each): families[own].name for each, own in _aliases.items()}
    text = advice(FAMILIES, title)
    if text is None and alike(title) in names:
        text = f"family={names[alike(title)]!r}"
    held = getattr(value, "alpha", None)
    if text is not None and isinstance(held, int | float):
        return told(f"family=glmcount.families.negbin(alpha={held:g}) to hold alpha, or {text}")
    return near(title, _aliases, LIKE) if text is None else told(text)
