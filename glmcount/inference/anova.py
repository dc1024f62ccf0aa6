"""Tables of tests term by term: which columns each test drops, and how it judges that.

Type 1 tests a term beside those before it, type 2 beside all that do not contain it, type 3 beside
all others. A test drops the term from a model that has it: by the likelihoods of both, by the score
at the smaller, or by the larger's estimates alone. Wald's statistic of a term is then the gain of
dropping it and what is dropped beside it over dropping the latter alone, which for type 2 is what
car::Anova has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from glmcount.design.measure import measure
from glmcount.design.recall import planned_layout
from glmcount.design.spec import DesignSpec, Part, Variable
from glmcount.errors import ConvergenceError, CovarianceError, NotDefinedError, counted, some
from glmcount.fitted import Fitted
from glmcount.fitting.estimates import names
from glmcount.fitting.identified import confused, in_doubt
from glmcount.fitting.nested import Nested, designed, fit_of, with_parts
from glmcount.fitting.restrict import Restricted, restricted
from glmcount.fitting.run import Fit
from glmcount.inference.profiled import ancillary
from glmcount.inference.score import judge
from glmcount.inference.tests import Tested, TestResult, wald
from glmcount.language.contrasts import Contrast
from glmcount.numerics import Array
from glmcount.numerics.control import USUAL
from glmcount.records import dataclass, replace

__all__ = [
    "Term",
    "by_likelihood",
    "by_wald",
    "held_tests",
    "models",
    "own_columns",
    "table",
    "terms_of",
    "undimensioned",
    "unidentified",
    "untold",
]

SAME = 1e-6
TREATMENT = Contrast("Treatment")

Row = tuple[float, int, float]


@dataclass(frozen=True)
class Term:
    """One test: a term of an equation, and what is dropped from the larger model beside it.

    Parameters
    ----------
    label : str
    equation : int
    name : str
    beside : frozenset of str
        Terms of the equation that neither model has.
    """

    label: str
    equation: int
    name: str
    beside: frozenset[str]

    def larger(self, spec: DesignSpec) -> DesignSpec:
        """The design with the term."""
        return with_parts(spec, self.equation, lambda part: part.term not in self.beside)

    def smaller(self, spec: DesignSpec) -> DesignSpec:
        """The design without it."""
        gone = self.beside | {self.name}
        return with_parts(spec, self.equation, lambda part: part.term not in gone)


def terms_of(
    state: Fitted, orders: Sequence[tuple[str, ...]], type: int, intercepts: bool
) -> list[Term]:
    """The tests of a table.

    Parameters
    ----------
    state : Fitted
    orders : sequence of tuple of str
        Terms of each equation asked for, as they were written.
    type : {1, 2, 3}
    intercepts : bool
        Whether the constant has a row.

    Raises
    ------
    NotDefinedError
        For type 3 beside an interaction that is not coded by contrasts; without any term.
    """
    spec, out = state.asked_spec, []
    for k, (equation, order) in enumerate(zip(state.family.equations, orders, strict=True)):
        factors = _factors(spec.equations[k].parts)
        if type == 3:
            _check_contrasts(spec, spec.equations[k].parts)
        for place, name in enumerate(order):
            if name == "Intercept" and (not intercepts or len(order) == 1):
                continue
            if type == 1:
                beside = frozenset(order[place + 1 :])
            elif type == 2:
                beside = frozenset(o for o in order if factors[name] < factors[o])
            else:
                beside = frozenset()
            out.append(Term(equation.prefix * (k > 0) + name, k, name, beside))
    if not out:
        raise NotDefinedError(
            "The model has no terms but constants, so there is nothing to test term by term.",
            kind="no_terms",
        )
    return out


def _factors(parts: Sequence[Part]) -> dict[str, frozenset[str]]:
    """What each term is made of; the constant of something that is in no other."""
    out: dict[str, frozenset[str]] = {}
    for part in parts:
        own = frozenset((*part.numeric, *part.categorical))
        out[part.term] = out.get(part.term, frozenset()) | own
    return {name: own or frozenset({"1"}) for name, own in out.items()}


def _check_contrasts(spec: DesignSpec, parts: Sequence[Part]) -> None:
    for part in parts:
        if len(part.numeric) + len(part.categorical) < 2:
            continue
        for code in part.categorical:
            if not _balanced(spec.variables[code]):
                raise NotDefinedError(
                    f"Type 3 tests each term beside the interactions that contain it, and in "
                    f"{part.term!r} the levels of {code!r} are compared with the first one: the "
                    "test of the other factor would be that of this level alone. Write "
                    f"C({code}, Sum) in the formula, or take type=2.",
                    kind="type_3_coding",
                )


def _balanced(variable: Variable) -> bool:
    """Whether the columns of a factor add up to zero over its levels."""
    levels = variable.levels or ()
    matrix = (variable.contrast or TREATMENT).coded(levels, full=False)[0]
    return bool(np.allclose(np.asarray(matrix).sum(axis=0), 0.0, atol=1e-9))


def table(terms: Sequence[Term], rows: Sequence[Row]) -> pd.DataFrame:
    """The tests as a frame."""
    statistic, df, pvalue = zip(*rows, strict=True)
    index = pd.Index([term.label for term in terms])
    return pd.DataFrame({"df": df, "statistic": statistic, "pvalue": pvalue}, index=index)


# By the likelihoods of both models -----------------------------------------------------------


def models(state: Fitted, compress: str | bool) -> Callable[[DesignSpec], Nested]:
    """Fits of smaller designs to the rows of a fit, each made once."""
    made: dict[tuple[tuple[str, ...], ...], Nested] = {}

    def of(spec: DesignSpec) -> Nested:
        key = tuple(equation.names for equation in spec.equations)
        if key not in made:
            memory = state.options.control.memory
            rows = designed(state.asked, spec, memory)
            made[key] = fit_of(rows, state.family, state.options, compress)
        return made[key]

    key = tuple(equation.names for equation in state.asked_spec.equations)
    made[key] = Nested(state.rows, state.measured, state.fit)
    return of


def _count(found: Nested) -> int:
    return len(found.fit.kept) + len(found.fit.limits)


def by_likelihood(
    state: Fitted,
    terms: Sequence[Term],
    about: tuple[float, float | None],
    compress: str | bool,
    told: list[str],
) -> Iterator[Row]:
    """Likelihood ratios, every parameter of both models estimated.

    Where parameters of the larger model mean nothing in the smaller one there is no p-value, and
    `told` gets a sentence that says so.
    """
    fitted, (scale, freedom) = models(state, compress), about
    for term in terms:
        large = fitted(term.larger(state.asked_spec))
        small = fitted(term.smaller(state.asked_spec))
        gained = large.fit.llf - small.fit.llf
        _check_gain(term, gained, large.fit.llf)
        df = _count(large) - _count(small)
        statistic, df, pvalue = _row(2.0 * max(gained, 0.0) / scale, df, freedom)
        gone = _gone(state, large, small)
        if gone:
            told.append(
                f"Without {term.label} the likelihood is largest where the coefficients of the "
                f"equation {gone} mean nothing: its ratio has no chi-squared law, and no p-value. "
                "Draw it: glmcount.lr_test(r0, r1, bootstrap=999)."
            )
            pvalue = np.nan
        elif lost := unidentified(state, term.smaller(state.asked_spec), small.fit):
            told.append(untold(term, lost))
            pvalue = np.nan
        yield statistic, df, pvalue


def _row(statistic: float, df: int, freedom: float | None) -> Row:
    """What a term's statistic says; of one that adds no parameter there is nothing to say."""
    if df <= 0:
        return 0.0, 0, np.nan
    value, pvalue, _ = judge(statistic, df, freedom)
    return value, df, pvalue


def unidentified(state: Fitted, spec: DesignSpec, fit: Fit) -> str:
    """Parameters that no data could tell apart in a smaller model, in words; empty for none."""
    if not in_doubt(fit):
        return ""
    rows = designed(state.asked, spec, state.options.control.memory)
    measured, layout = measure(rows, planned_layout(spec), state.family)
    if any(own.start == own.stop for own in layout.slices):
        return ""
    known = names(state.family, spec)
    return some([known[j] for j in confused(rows, layout, measured, state.family, USUAL)], 6)


def untold(term: Term, lost: str) -> str:
    """Why a term has no p-value beside which parameters mean nothing."""
    return (
        f"Without {term.label} no data could tell {lost} apart: they mean nothing there, so that "
        "the test has no known law, and no p-value. Hold one of them, as in "
        "family=glmcount.families.negbinp(power=...)."
    )


def _check_gain(term: Term, gained: float, llf: float) -> None:
    if gained < -SAME - 1e-11 * abs(llf):
        raise ConvergenceError(
            f"Without {term.label} the log-likelihood is larger by {-gained:.6g}: the fit with it "
            "is not at its maximum. Fit the model from elsewhere, r.refit(start=...), and look at "
            "r.certificate.",
            kind="larger_null",
        )


def _gone(state: Fitted, large: Nested, small: Nested) -> str:
    """An equation of several coefficients that the larger model has alone."""
    lost = sorted(set(large.fit.left) - set(small.fit.left))
    return ", ".join(state.family.equations[k].name for k in lost if state.columns[k] > 1)


# With dispersion held at its estimate --------------------------------------------------------


def held_tests(
    state: Fitted, terms: Sequence[Term], about: tuple[float, float | None], score: bool
) -> Iterator[Row]:
    """Likelihood ratios or score tests, dispersion held at the fit's own.

    Raises
    ------
    NotDefinedError
        If the dispersion has terms.
    """
    fit, (scale, freedom) = state.fit, about
    held = {state.fit.left[k] for k in ancillary(state)}
    if any(term.equation in held for term in terms):
        raise NotDefinedError(
            "nuisance='held' holds the dispersion at its estimates, and here it has a regression, "
            "whose terms would be tested. Leave nuisance= out.",
            kind="held_dispersion",
        )
    for term in terms:
        own = _columns(state, term.equation, {term.name})
        beside = _columns(state, term.equation, term.beside)
        small = _without(state, [*beside, *own])
        df = len(own)
        if score:
            free = _free(state, beside)
            found = small.score[free]
            statistic = float(np.dot(found, small.information.kept(free).solve(found)))
        else:
            large = _without(state, beside).llf if beside else fit.llf
            _check_gain(term, large - small.llf, fit.llf)
            statistic = 2.0 * max(large - small.llf, 0.0)
        yield _row(statistic / scale, df, freedom)


def own_columns(state: Fitted, term: Term) -> int:
    """How many parameters of a term are estimated."""
    return len(_columns(state, term.equation, {term.name}))


def _columns(
    state: Fitted, equation: int, names: set[str] | frozenset[str], kept: bool = True
) -> list[int]:
    """Parameters of some terms of an equation asked for, by place in the fit's own layout."""
    if equation not in state.fit.left:
        return []
    number = state.fit.left.index(equation)
    at = state.fit.layout.slices[number].start
    out: list[int] = []
    for part in state.spec.equations[number].parts:
        if part.term in names:
            out += range(at, at + len(part.names))
        at += len(part.names)
    there = set(state.fit.kept.tolist())
    return [place for place in out if place in there] if kept else out


def _dispersion(state: Fitted) -> list[int]:
    slices, kept = state.fit.layout.slices, state.fit.kept.tolist()
    own = [slices[k] for k in ancillary(state)]
    return [p for p in kept if any(s.start <= p < s.stop for s in own)]


def _without(state: Fitted, gone: Sequence[int]) -> Restricted:
    """The model without some columns, its dispersion held."""
    fit, held = state.fit, _dispersion(state)
    places = [*gone, *held]
    functions = np.zeros((len(places), fit.layout.size))
    functions[range(len(places)), places] = 1.0
    values = fit.layout.unshift(fit.settled)[places]
    values[: len(gone)] = 0.0
    rows, measured = state.seen_here
    return restricted(rows, measured, fit, state.options, (functions, values))


def _free(state: Fitted, gone: Sequence[int]) -> Array:
    """Among the kept parameters those that the larger model estimates."""
    out = {*gone, *_dispersion(state)}
    return np.array([i for i, p in enumerate(state.fit.kept.tolist()) if p not in out])


# By the estimates alone ----------------------------------------------------------------------


def by_wald(state: Fitted, terms: Sequence[Term], about: Tested, told: list[str]) -> Iterator[Row]:
    """Wald statistics by whatever covariance the result has.

    Of infinite coefficients there is none, nor of more than the covariance has dimensions, and
    `told` gets a sentence that says so.
    """
    kept = state.fit.kept.tolist()
    plain = replace(about, df=None, freedom=None)
    for term in terms:
        own = [kept.index(p) for p in _columns(state, term.equation, {term.name})]
        beside = [kept.index(p) for p in _columns(state, term.equation, term.beside)]
        if not own:
            yield 0.0, 0, np.nan
            continue
        if taken := _taken_over(state, term):
            told.append(
                f"{term.label} has no Wald test: the column {taken}, which was left out of the "
                "fit, would take its place without it. Take test='lr'."
            )
            yield np.nan, len(own), np.nan
            continue
        if beside and about.freedom is not None:
            told.append(
                f"{term.label} is tested beside terms that contain it or follow it, and degrees of "
                "freedom by Satterthwaite are of one test at a time. Take type=3, or df='t'."
            )
            yield np.nan, len(own), np.nan
            continue
        try:
            if not beside:
                found = _test(about, own, term.label)
                yield found.statistic, len(own), found.pvalue
                continue
            whole = _dropped(plain, [*own, *beside], term.label)
            rest = _dropped(plain, beside, term.label)
        except CovarianceError as error:
            if error.kind != "singular_covariance":
                raise
            told.append(undimensioned(term, len(own), about.found.names[own[0]]))
            yield np.nan, len(own), np.nan
            continue
        except NotDefinedError:
            told.append(
                f"{term.label} has a coefficient that is infinite, of which there is no Wald test. "
                "Take test='lr'."
            )
            yield np.nan, len(own), np.nan
            continue
        statistic, pvalue, _ = judge(whole - rest, len(own), about.df)
        yield statistic, len(own), pvalue


def undimensioned(term: Term, count: int, name: str = "") -> str:
    """Why a term has no test by the covariance of a result."""
    beside = " and those it is tested beside" if term.beside else ""
    own = counted(count, "coefficient")
    instead = f"a few of them, as by r.wald_test({f'{name} = 0'!r})" if name else "a few of them"
    return (
        f"{term.label} has no joint test: the covariance has fewer dimensions than its {own}"
        f"{beside}, as one of so many clusters, times or draws has. Test {instead}."
    )


def _taken_over(state: Fitted, term: Term) -> str:
    """A column of other terms that was left out for what the term's columns give."""
    own = _columns(state, term.equation, {term.name})
    if not own:
        return ""
    known = [n for k in state.fit.left for n in state.spec.equations[k].names]
    inside = set(_columns(state, term.equation, {term.name} | term.beside, kept=False))
    for one in state.fit.dependences:
        null = one.null(state.fit.layout.sizes)
        if one.column not in inside and np.any(state.fit.layout.unshift(null)[own] != 0.0):
            return repr(known[one.column])
    return ""


def _dropped(about: Tested, places: Sequence[int], label: str) -> float:
    return _test(about, places, label).statistic


def _test(about: Tested, places: Sequence[int], label: str) -> TestResult:
    rows = np.zeros((len(places), len(about.found.names)))
    rows[range(len(places)), list(places)] = 1.0
    return wald(about, rows, np.zeros(len(places)), label)
