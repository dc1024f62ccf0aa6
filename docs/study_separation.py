"""Separation on 2,000 small integer designs against an exact programme.

    python docs/study_separation.py            # print
    python docs/study_separation.py --write    # rewrite docs/study_separation.md, a minute or two

Designs of 3 to 12 rows, one to four columns of small integers (some with an outlier of up to a
million) or a factor, with and without an intercept; counts of 1 to 1e15, about half of them zero.
Which rows are separated, and which coefficients run to which infinity, is decided in integers: the
null space of the rows that must stay by elimination, then every edge of the cone of directions. A
fit is right when it names exactly those rows and, in designs of full rank, exactly those
coefficients with their signs, and has converged.
"""

from __future__ import annotations

import argparse
import itertools
import warnings
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import patsy

import glmcount as gc

PAGE = Path(__file__).resolve().with_name("study_separation.md")
SEED, SIZE = 2026, 2000
SCALES = (1, 10, 10**3, 10**5, 10**6, 10**9, 10**12, 10**15)
OUTCOMES = ("separated", "inside", "unfinished", "WRONG")
KINDS = ("poisson", "negbin", "hurdle", "truncated")
METHODS = ("newton", "irls", "lbfgs", "gradient")
Rows = list[list[Fraction]]


def reduced(rows: Rows, width: int) -> tuple[Rows, list[int]]:
    """Row echelon form, each leading entry 1 and alone in its column, and the leading columns."""
    out = [list(row) for row in rows]
    leading: list[int] = []
    for column in range(width):
        at = len(leading)
        found = next((i for i in range(at, len(out)) if out[i][column] != 0), None)
        if found is None:
            continue
        out[at], out[found] = out[found], out[at]
        out[at] = [value / out[at][column] for value in out[at]]
        for i in range(len(out)):
            if i != at and out[i][column] != 0:
                factor = out[i][column]
                out[i] = [a - factor * b for a, b in zip(out[i], out[at], strict=True)]
        leading.append(column)
    return out[: len(leading)], leading


def null_space(rows: Rows, width: int) -> Rows:
    """A basis of the vectors that every row is orthogonal to."""
    form, leading = reduced(rows, width)
    out = []
    for free in (j for j in range(width) if j not in leading):
        vector = [Fraction(0)] * width
        vector[free] = Fraction(1)
        for row, column in zip(form, leading, strict=True):
            vector[column] = -row[free]
        out.append(vector)
    return out


def dot(a: list[Fraction], b: list[Fraction]) -> Fraction:
    """Inner product."""
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def edges(cone: Rows, width: int) -> Rows:
    """Directions z with cone z <= 0 that generate all such, given that none is a line."""
    out = []
    unlike = [list(row) for row in dict.fromkeys(tuple(row) for row in cone if any(row))]
    for chosen in itertools.combinations(unlike, width - 1):
        null = null_space(list(chosen), width)
        if len(null) != 1:
            continue
        for sign in (1, -1):
            z = [sign * value for value in null[0]]
            if all(dot(row, z) <= 0 for row in unlike):
                out.append(z)
    return out


def exact(design: np.ndarray, ways: np.ndarray) -> tuple[set[int], list[int | None]]:
    """Rows that run off, and for each column the sign of its infinity, 0, or None for neither.

    `ways` has -1 or 1 for a row that may run down or up, 0 for one that must stay.
    """
    p = design.shape[1]
    rows = [[Fraction(int(value)) for value in row] for row in design]
    # Columns that others give are left out, later ones first.
    leading = reduced(rows, p)[1]
    rows = [[row[j] for j in leading] for row in rows]
    null = null_space([row for row, way in zip(rows, ways, strict=True) if way == 0], len(leading))
    if not null:
        return set(), [0] * len(leading)
    moves = [[-int(way) * dot(row, z) for z in null] for row, way in zip(rows, ways, strict=True)]
    # Along a line no row runs off: what all rows leave in place is taken out of the space.
    unlike = reduced(moves, len(null))[1]
    cone = [[move[j] for j in unlike] for move in moves]
    null = [null[j] for j in unlike]
    found = edges(cone, len(unlike))
    gone = {i for i, row in enumerate(cone) if any(dot(row, z) < 0 for z in found)}
    return gone, _signs(rows, gone, len(leading), ways)


def _signs(rows: Rows, gone: set[int], width: int, ways: np.ndarray) -> list[int | None]:
    """Where each parameter goes along every way to the limit in which these rows are gone."""
    still = null_space([row for i, row in enumerate(rows) if i not in gone], width)
    if not still:
        return [0] * width
    cone = [[-int(ways[i]) * dot(rows[i], z) for z in still] for i in sorted(gone)]
    told: list[int | None] = []
    found = edges(cone, len(still))
    for j in range(width):
        moved = {dot([z[j] for z in still], edge) for edge in found}
        up, down = any(m > 0 for m in moved), any(m < 0 for m in moved)
        told.append(None if up and down else int(up) - int(down))
    return told


def drawn(seed: int, number: int) -> tuple[pd.DataFrame, str]:
    """A small data set and its formula."""
    rng = np.random.default_rng(np.random.SeedSequence((seed, number)))
    n, k = int(rng.integers(3, 13)), int(rng.integers(1, 5))
    columns = {}
    for j in range(k):
        spread = int(rng.choice([1, 1, 2, 3]))
        x = rng.integers(-spread if rng.uniform() < 0.3 else 0, spread + 1, size=n)
        x = x * (rng.uniform(size=n) < rng.choice([0.3, 0.6, 1.0]))
        columns[f"x{j}"] = x
    terms = list(columns)
    if rng.uniform() < 0.3:
        columns["g"] = np.array(list("abcd"))[rng.integers(0, int(rng.integers(2, 5)), size=n)]
        terms = [*terms[:-1], "g"]
    scale = int(rng.choice(SCALES))
    y = np.where(rng.uniform(size=n) < rng.choice([0.3, 0.5, 0.7]), 0, rng.integers(1, 6, size=n))
    mixed = rng.uniform() < 0.3
    y = y * (np.array([int(rng.choice([1, scale])) for _ in range(n)]) if mixed else scale)
    if not y.any():
        y[rng.integers(n)] = scale
    none = np.flatnonzero(y == 0)
    if len(none) and rng.uniform() < 0.2:
        # Far out among the zeros: a mean that underflows long before the others.
        columns["x0"][rng.choice(none)] = int(rng.choice([50, 1000, 10**6]))
    constant = "" if rng.uniform() < 0.7 else "0 + "
    return pd.DataFrame({"y": y.astype(float), **columns}), f"y ~ {constant}{' + '.join(terms)}"


def asked(kind: str, data: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray, dict]:
    """The data for a kind of model, the way each row may run in its tested part, and options."""
    y = data.y.to_numpy()
    if kind == "hurdle":
        return data, np.where(y > 0, 1, -1), {"hurdle": "~"}
    if kind == "truncated":
        data = data.assign(y=y + 1)
        return data, np.where(y == 0, -1, 0), {"truncated": 0}
    return data, np.where(y == 0, -1, 0), {"family": kind}


def outcome(kind: str, method: str, seed: int, number: int) -> tuple[str, str]:
    """How one fit ends: right (separated, or with its maximum inside), or wrong and how."""
    data, formula = drawn(seed, number)
    data, ways, options = asked(kind, data)
    gone, signs = exact(design_of(formula, data), ways)
    if kind == "hurdle":
        # The zero part has the design, the counts a constant: it runs off where all are 1.
        formula, options = "y ~ 1", {"hurdle": formula.removeprefix("y ~ ")}
        positive = data.y[data.y > 0]
        gone |= set(positive.index) if (positive == 1).all() else set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = gc.fit(formula, data, method=method, **options)
        except gc.errors.GlmcountError as error:
            return "WRONG", f"refused: {error.kind}: {str(error)[:60]}"
    return judged(result, gone, signs, "hurdle_" if kind == "hurdle" else "")


def design_of(formula: str, data: pd.DataFrame) -> np.ndarray:
    """The columns of the formula, in whole numbers, its terms as they are written."""
    right = formula.removeprefix("y ~ ")
    matrix = patsy.dmatrix(right, data)
    slices = matrix.design_info.term_slices
    terms = patsy.ModelDesc.from_formula(right).rhs_termlist
    columns = np.concatenate([np.asarray(matrix)[:, slices[term]] for term in terms], axis=1)
    return np.rint(columns).astype(np.int64)


def judged(
    result: gc.Results, gone: set[int], signs: list[int | None], prefix: str
) -> tuple[str, str]:
    """The verdict of a fit against the exact one."""
    named = result.separation
    rows = set() if named is None else set(np.flatnonzero(named.rows).tolist())
    if rows != gone:
        return "WRONG", f"rows {sorted(rows)}, right {sorted(gone)}"
    told = {} if named is None else dict(zip(named.columns, named.signs, strict=True))
    own = [name for name in result.params.index if name.startswith(prefix) and name != "alpha"]
    if len(own) == len(signs):
        found = [told.get(name, 0) for name in own]
        lost = [bool(np.isnan(result.params[name])) for name in own]
        if found != [sign or 0 for sign in signs] or lost != [sign is None for sign in signs]:
            return "WRONG", f"{dict(zip(own, found, strict=True))}, right {signs}"
    if not result.converged:
        return "unfinished", f"rho {result.certificate.rho:.1e}"
    return ("separated" if gone else "inside"), ""


def study(seed: int, size: int) -> tuple[Counter, list[str]]:
    """Counts of the outcomes by kind, and a line for each that is wrong."""
    counts: Counter = Counter()
    lines = []
    for number in range(size):
        kind = KINDS[0] if number % 2 else KINDS[number // 2 % len(KINDS)]
        method = METHODS[0] if number % 4 else METHODS[number // 4 % len(METHODS)]
        # First-order methods take their thousands of passes; the verdict is the same.
        how, word = outcome(kind, method, seed, number)
        counts[kind, how] += 1
        if how in ("WRONG", "unfinished"):
            lines.append(f"| {number} | {kind} | {method} | {how} | {word} |")
    return counts, lines


def page(seed: int, size: int) -> str:
    """The page that tells the outcomes."""
    counts, lines = study(seed, size)
    rows = [
        f"| {kind} | " + " | ".join(str(counts[kind, how]) for how in OUTCOMES) + " |"
        for kind in KINDS
    ]
    wrong = chr(10).join(lines) if lines else "None."
    head = (
        "| number | family | method | outcome | what |\n|---:|---|---|---|---|\n" if lines else ""
    )
    return f"""# Separation on {size:,} small designs

Written by `python docs/study_separation.py --write` with seed {seed}; the script tells what is
drawn, and decides in whole numbers which rows are separated. *Separated*, *inside*: the fit says
so, lists exactly the rows that are, gives every coefficient its right infinity, and has converged.
*Unfinished*: so too, but the fit, or that of its limit, warns that it did not converge: an outlier
of a million in a column, or counts of 1e15 beside small ones, whose shares are below rounding.

| family | {" | ".join(OUTCOMES)} |
|---|{"---:|" * len(OUTCOMES)}
{chr(10).join(rows)}

## Unfinished and wrong

{head}{wrong}
"""


def main() -> None:
    """Write or print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--size", type=int, default=SIZE)
    options = parser.parse_args()
    text = page(options.seed, options.size)
    print(text)
    if options.write:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
