"""The demonstration: two published regressions of doctor visits, fitted again.

Data: NMES1988, n = 4406 (Deb & Trivedi 1997, Journal of Applied Econometrics 12(3),
313-336). Published figures: Zeileis, Kleiber & Jackman (2008), "Regression Models for
Count Data in R", Journal of Statistical Software 27(8), doi:10.18637/jss.v027.i08: the
summary of the Poisson regression and the columns "Poisson ML" and "NB ML" of the table of
fitted models. The paper prints no theta and its log-likelihoods to one decimal; the
further digits are those of R's ``glm`` and ``MASS::glm.nb`` for the same models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from glmcount.api import fit
from glmcount.datasets import load
from glmcount.records import dataclass
from glmcount.report import Group, Row, Table, TableColumn, render

if TYPE_CHECKING:
    from glmcount.results import Results

__all__ = ["FORMULA", "NEGBIN", "POISSON", "Published", "differences", "run", "same"]

FORMULA = (
    "visits ~ hospital + chronic + gender + school + insurance + C(health, Treatment('average'))"
)
SOURCE = (
    "Published: Zeileis, Kleiber & Jackman (2008), JSS 27(8); six decimals and theta: R's glm "
    "and MASS::glm.nb. Standard errors of the negative binomial from the expected information, "
    "as theirs."
)

POOR = "C(health, Treatment('average'))[T.poor]"
EXCELLENT = "C(health, Treatment('average'))[T.excellent]"


@dataclass(frozen=True)
class Published:
    """Figures as they are printed: (term, coefficient, standard error); (name, printings)."""

    model: str
    terms: tuple[tuple[str, str, str], ...]
    figures: tuple[tuple[str, tuple[str, ...]], ...]

    def __len__(self) -> int:
        return 2 * len(self.terms) + sum(len(printings) for _, printings in self.figures)


POISSON = Published(
    "Poisson",
    (
        ("Intercept", "1.028874", "0.023785"),
        ("hospital", "0.164797", "0.005997"),
        (POOR, "0.248307", "0.017845"),
        (EXCELLENT, "-0.361993", "0.030304"),
        ("chronic", "0.146639", "0.004580"),
        ("gender[T.male]", "-0.112320", "0.012945"),
        ("school", "0.026143", "0.001843"),
        ("insurance[T.yes]", "0.201687", "0.016860"),
    ),
    (
        ("log-likelihood", ("-17971.6", "-17971.612811")),
        ("AIC", ("35959", "35959.2")),
        ("BIC", ("36010.4",)),
        ("deviance", ("23168",)),
        ("null deviance", ("26943",)),
    ),
)
NEGBIN = Published(
    "Negative binomial",
    (
        ("Intercept", "0.929", "0.055"),
        ("hospital", "0.218", "0.020"),
        (POOR, "0.305", "0.049"),
        (EXCELLENT, "-0.342", "0.061"),
        ("chronic", "0.175", "0.012"),
        ("gender[T.male]", "-0.126", "0.031"),
        ("school", "0.027", "0.004"),
        ("insurance[T.yes]", "0.224", "0.039"),
    ),
    (
        ("log-likelihood", ("-12170.6", "-12170.553598")),
        ("AIC", ("24359.1",)),
        ("BIC", ("24416.6",)),
        ("theta", ("1.206604",)),
    ),
)

FIGURES: dict[str, Callable[[Results], float]] = {
    "log-likelihood": lambda result: result.llf,
    "AIC": lambda result: result.aic,
    "BIC": lambda result: result.bic,
    "deviance": lambda result: result.deviance,
    "null deviance": lambda result: result.null_deviance,
    "theta": lambda result: 1.0 / result.params["alpha"],
}


def same(printed: str, value: float) -> bool:
    """Whether `value`, rounded to the digits of `printed`, is what is printed.

    Examples
    --------
    >>> same("0.020", 0.020176), same("0.020", 0.0219), same("35959", 35959.23)
    (True, False, True)
    """
    return _to_digits_of(printed, value) == printed


def _to_digits_of(printed: str, value: float) -> str:
    return f"{value:.{len(printed.partition('.')[2])}f}"


def differences(published: Published, result: Results) -> list[str]:
    """What differs between the published figures and those of `result`, a line each."""
    return [
        f"{published.model}, {name}: published {printed}, here {value:.10g}"
        for name, printed, value in _pairs(published, result)
        if not same(printed, value)
    ]


def _pairs(published: Published, result: Results) -> Iterator[tuple[str, str, float]]:
    for term, coef, error in published.terms:
        yield f"coefficient of {term}", coef, float(result.params[term])
        yield f"standard error of {term}", error, float(result.bse[term])
    yield from _figures(published, result)


def _figures(published: Published, result: Results) -> Iterator[tuple[str, str, float]]:
    for name, printings in published.figures:
        for printed in printings:
            yield name, printed, float(FIGURES[name](result))


def run(write: Callable[[str], object] = print) -> bool:
    """Fit both models, write their summaries and the comparison; True where all agree."""
    data = load("nmes1988")
    # The published standard errors of the negative binomial are those of glm.nb, which
    # takes the expected information.
    pairs = (
        (POISSON, fit(FORMULA, data, family="poisson")),
        (NEGBIN, fit(FORMULA, data, family="negbin", information="expected")),
    )
    for _, result in pairs:
        write(f"{result.summary()}\n")
    write(f"{render(_comparison(pairs))}\n")
    found = [line for published, result in pairs for line in differences(published, result)]
    total = sum(len(published) for published, _ in pairs)
    if found:
        write("\n".join([*found, f"published {total} figures, here {len(found)} differ"]))
    else:
        write(f"published {total} figures, here the same {total}: equal to every printed digit")
    return not found


def _comparison(pairs: Sequence[tuple[Published, Results]]) -> Table:
    """The figures of both models, published and here, to the digits that are published."""
    groups = tuple(
        Group(
            published.model,
            tuple(
                Row(name, (printed, _to_digits_of(printed, value)))
                for name, printed, value in _figures(published, result)
            ),
        )
        for published, result in pairs
    )
    return Table(
        "Published and here",
        (TableColumn("published"), TableColumn("here")),
        groups,
        footnotes=(SOURCE,),
    )
