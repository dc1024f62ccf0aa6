"""Whether a larger likelihood than that of a fit can be found: 500 heavy-tailed designs a model.

    python docs/study_maxima.py                     # print, some seconds for 20 designs a model
    python docs/study_maxima.py --designs 500 --write
    python docs/study_maxima.py --models zip,zinb --seed 7
    python docs/study_maxima.py --designs 500 --fits fits.json    # minutes instead of hours

Covariates are Student's t with 2 degrees of freedom, a third of the designs have a level of one to
three rows, and 15 to 100 rows. Each model is fitted, and then searched for a larger likelihood:

* by scipy's L-BFGS from 20 random starts, the best followed by BFGS, on the derivatives of the
  family;
* by R's MASS::glm.nb and pscl::zeroinfl, where R is installed and they know the model.

The log-likelihood of every end is computed anew by the formulas of this file, which share nothing
with the package, as is that of the fit. A fit *lies below* where one of them is larger by more than
1e-6. With `--write` the table goes into docs/study_boundaries.md.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import subprocess
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import optimize, special

import glmcount as gc
from glmcount.families.model import model_family

PAGE = Path(__file__).resolve().with_name("study_boundaries.md")
SCRIPT = Path(__file__).resolve().with_name("study_maxima.R")
BEGIN, END = "<!-- maxima: begin -->", "<!-- maxima: end -->"
SEED, STARTS, SAME = 2026, 20, 1e-6

# Independent log-likelihoods ---------------------------------------------------------------------


def poisson(y: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """log f of a Poisson."""
    return y * eta - np.exp(eta) - special.gammaln(y + 1.0)


def negbin(y: np.ndarray, eta: np.ndarray, log_alpha: np.ndarray) -> np.ndarray:
    """log f of NB2: a product of y terms and a power."""
    log_alpha = np.broadcast_to(log_alpha, y.shape)
    alpha = np.exp(np.clip(log_alpha, -300.0, 300.0))
    out = -special.gammaln(y + 1.0) + y * eta
    steps = np.arange(int(y.max(initial=0.0)))
    terms = np.log1p(alpha[:, None] * steps)
    out += np.where(steps < y[:, None], terms, 0.0).sum(axis=1)
    log_t = np.clip(log_alpha, -300.0, 300.0) + eta
    log1p = np.logaddexp(0.0, log_t)
    mu = np.exp(np.minimum(eta, 700.0))
    small = log_t < -15.0
    rest = np.where(small, mu * (1.0 - 0.5 * np.exp(np.minimum(log_t, -15.0))), log1p / alpha)
    return out - y * log1p - rest


def genpoisson(y: np.ndarray, eta: np.ndarray, a: np.ndarray) -> np.ndarray:
    """log f of Consul's generalized Poisson with theta = mu / (1 + a mu), lambda = a theta."""
    mu = np.exp(eta)
    theta = mu / (1.0 + a * mu)
    rate = theta * (1.0 + a * y)
    return np.log(theta) + (y - 1.0) * np.log(rate) - rate - special.gammaln(y + 1.0)


def pig(y: np.ndarray, eta: np.ndarray, log_alpha: np.ndarray) -> np.ndarray:
    """log f of the Poisson-inverse Gaussian by the ratios of Willmot's recursion."""
    mu, alpha = np.broadcast_arrays(np.exp(eta), np.exp(np.clip(log_alpha, -300.0, 300.0)))
    c = np.sqrt(1.0 + 2.0 * alpha * mu)
    out = -2.0 * mu / (1.0 + c)
    ratio = mu / c
    out = out + np.where(y >= 1, np.log(ratio), 0.0)
    for k in range(2, int(y.max(initial=0.0)) + 1):
        step = 2.0 * alpha * mu / c**2 * (1.0 - 1.5 / k)
        ratio = step + (mu / c) ** 2 / (k * (k - 1.0)) / ratio
        out = out + np.where(y >= k, np.log(ratio), 0.0)
    return out


def inflated(
    count: Callable[..., np.ndarray],
    y: np.ndarray,
    eta: np.ndarray,
    z: np.ndarray,
    *rest: np.ndarray,
) -> np.ndarray:
    """log f with a structural zero of logit z."""
    here = special.log_expit(-z) + count(y, eta, *rest)
    return np.where(y == 0, np.logaddexp(special.log_expit(z), here), here)


def hurdle(
    count: Callable[..., np.ndarray],
    y: np.ndarray,
    eta: np.ndarray,
    z: np.ndarray,
    *rest: np.ndarray,
) -> np.ndarray:
    """log f of a hurdle with P(y > 0) of logit z."""
    zero = count(np.zeros_like(y), eta, *rest)
    above = special.log_expit(z) + count(y, eta, *rest) - np.log(-np.expm1(zero))
    return np.where(y == 0, special.log_expit(-z), above)


def power(y: np.ndarray, eta: np.ndarray, log_alpha: np.ndarray, p: np.ndarray) -> np.ndarray:
    """log f of NB-P: NB2 with alpha mu^(P - 2)."""
    return negbin(y, eta, log_alpha + (p - 2.0) * eta)


@dataclass(frozen=True)
class Model:
    """A model of the study: how it is fitted, and its own formula."""

    family: str
    formula: Callable[..., np.ndarray]
    options: dict = field(default_factory=dict)
    zeros: bool = False
    r: str = ""


MODELS = {
    "negbin": Model("negbin", negbin, r="glm.nb"),
    "pig": Model("pig", pig),
    "genpoisson": Model("genpoisson", lambda y, e, a: genpoisson(y, e, np.exp(a - e))),
    "genpoisson2": Model("genpoisson2", lambda y, e, a: genpoisson(y, e, np.exp(a))),
    "negbin1": Model("negbin1", lambda y, e, a: negbin(y, e, a - e)),
    "negbinp": Model("negbinp", power),
    "negbin dispersion": Model("negbin", negbin, {"dispersion": "x"}),
    "pig dispersion": Model("pig", pig, {"dispersion": "x"}),
    "poisson inflate": Model(
        "poisson", partial(inflated, poisson), {"inflate": "x"}, True, "poisson"
    ),
    "negbin inflate": Model("negbin", partial(inflated, negbin), {"inflate": "x"}, True, "negbin"),
    "negbin inflate 1": Model("negbin", partial(inflated, negbin), {"inflate": "1"}, True),
    "pig inflate": Model("pig", partial(inflated, pig), {"inflate": "x"}, True),
    "genpoisson inflate": Model(
        "genpoisson",
        partial(inflated, lambda y, e, a: genpoisson(y, e, np.exp(a - e))),
        {"inflate": "x"},
        True,
    ),
    "negbin hurdle": Model("negbin", partial(hurdle, negbin), {"hurdle": "x"}, True),
}


def drawn(seed: tuple[int, ...], zeros: bool) -> pd.DataFrame:
    """One data set."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    n = int(rng.integers(15, 101))
    x = np.clip(rng.standard_t(2, n), -6, 6).round(2)
    eta = rng.normal(0.3, 0.7) + rng.choice([-1, 1]) * rng.uniform(0, 1) * x
    data = {"x": x}
    if rng.random() < 1 / 3:
        rare = int(rng.integers(1, 4))
        g = np.array(["a"] * n, dtype=object)
        g[:rare], g[rare : rare + n // 3] = "b", "c"
        data["g"] = g
        eta = eta + rng.normal(0, 0.7) * (g == "b") + rng.normal(0, 0.5) * (g == "c")
    mu, kind = np.exp(np.minimum(eta, 6.0)), rng.integers(3)
    alpha = np.exp(rng.uniform(-3, 1)) * np.ones(n)
    if kind == 1:
        mu, alpha = mu * np.exp(0.3 * np.clip(rng.standard_t(2, n), -6, 6)), 1e-6 * np.ones(n)
    elif kind == 2:
        alpha = np.exp(rng.normal(-1, 0.5) + np.clip(0.5 * x, -3, 3))
    y = rng.poisson(mu * rng.gamma(1 / alpha, alpha))
    if zeros:
        share = special.expit(rng.normal(-0.3, 0.7) + rng.normal(0, 1) * x)
        y = np.where(rng.random(n) < share, 0, y)
    return pd.DataFrame(data | {"y": y.astype(float)})


def columns(model: Model, family: gc.families.Family, data: pd.DataFrame) -> list[np.ndarray]:
    """The columns of each equation, (p, n)."""
    one, x = np.ones(len(data)), data["x"].to_numpy()
    levels = sorted(data["g"].unique())[1:] if "g" in data else []
    mean = [one, x, *((data["g"] == level).to_numpy(float) for level in levels)]
    out = [np.array(mean)]
    for equation in family.equations[1:]:
        regressed = model.options.get(equation.name, "1") == "x"
        regressed |= equation.name == "alpha" and "dispersion" in model.options
        out.append(np.array([one, x]) if regressed else one[None])
    return out


def llf(model: Model, y: np.ndarray, design: list[np.ndarray], theta: np.ndarray) -> float:
    """The log-likelihood by this file's formulas; -inf where it cannot be computed."""
    cuts = np.cumsum([len(part) for part in design])[:-1]
    etas = [part @ rows for part, rows in zip(np.split(theta, cuts), design, strict=True)]
    with np.errstate(all="ignore"):
        value = float(np.sum(model.formula(y, *etas)))
    return value if math.isfinite(value) else -math.inf


def searched(model: Model, data: pd.DataFrame, rng: np.random.Generator) -> float:
    """The largest log-likelihood of L-BFGS from random starts, the best followed by BFGS."""
    part = next((name for name in ("inflate", "hurdle") if name in model.options), None)
    family = model_family(model.family, part=part)
    design = columns(model, family, data)
    y = data["y"].to_numpy()
    cuts = np.cumsum([len(rows) for rows in design])[:-1]

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        etas = [
            np.clip(b @ rows, -60, 60)
            for b, rows in zip(np.split(theta, cuts), design, strict=True)
        ]
        with np.errstate(all="ignore"):
            jet = family.terms(y[None], etas)
            slopes = [
                np.zeros(len(rows)) if d is None else rows @ np.broadcast_to(d, y.shape)
                for d, rows in zip(jet.d1, design, strict=True)
            ]
        value, slope = -jet.value.sum(), -np.concatenate(slopes)
        return (value, slope) if np.isfinite([value, *slope]).all() else (1e10, 0.0 * slope)

    quick = {"maxiter": 300, "ftol": 1e-12, "gtol": 1e-6}
    ends = [
        optimize.minimize(loss, first, jac=True, method="L-BFGS-B", options=quick).x
        for first in (start(family, design, y, rng) for _ in range(STARTS))
    ]
    where = max(ends, key=lambda theta: llf(model, y, design, theta))
    last = optimize.minimize(loss, where, jac=True, method="BFGS", options={"gtol": 1e-8}).x
    return max(llf(model, y, design, theta) for theta in (where, last))


def start(
    family: gc.families.Family, design: list[np.ndarray], y: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """A random start: coefficients of some units over the span of their columns."""
    out = []
    for equation, rows in zip(family.equations, design, strict=True):
        wide = 3.0 if equation.name in ("inflate", "hurdle") else 1.0
        own = wide * rng.normal(size=len(rows)) / np.maximum(np.abs(rows).max(axis=1), 1.0)
        if equation.name == "mean":
            own[0] = math.log(max(y.mean(), 0.1)) + rng.normal(0, 0.7)
        elif equation.name == "alpha":
            own[0] = rng.uniform(-4, 2)
        elif equation.name == "power":
            own[0] = rng.uniform(0.5, 2.5)
        out.append(own)
    return np.concatenate(out)


@dataclass(frozen=True)
class Ended:
    """How one fit compares."""

    kind: str
    certificate: str
    below: float
    word: str


def formula(data: pd.DataFrame) -> str:
    """The mean's formula."""
    return "y ~ x + C(g)" if "g" in data else "y ~ x"


def compared(name: str, seed: int, number: int, r_theta: list[float] | None) -> Ended:
    """One fit beside what can be found."""
    model = MODELS[name]
    data = drawn((seed, number, model.zeros), model.zeros)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = gc.fit(formula(data), data, family=model.family, **model.options)
        except gc.errors.GlmcountError as error:
            return Ended("refused", "", 0.0, error.kind)
    best = searched(model, data, np.random.default_rng([seed, number]))
    if r_theta is not None:
        part = next((n for n in ("inflate", "hurdle") if n in model.options), None)
        design = columns(model, model_family(model.family, part=part), data)
        best = max(best, llf(model, data["y"].to_numpy(), design, np.array(r_theta, dtype=float)))
    below = best - result.llf
    kind = "converged" if result.converged else "unfinished"
    return Ended(kind, result.certificate.maximum, below, f"{name} {number}")


def from_r(name: str, seed: int, designs: int) -> list[list[float] | None]:
    """R's estimates of each design, in our order; None where it has none."""
    model = MODELS[name]
    if not model.r or shutil.which("Rscript") is None:
        return [None] * designs
    frames = [drawn((seed, number, model.zeros), model.zeros) for number in range(designs)]
    with tempfile.TemporaryDirectory() as folder:
        given, got = Path(folder) / "data.json", Path(folder) / "theta.json"
        given.write_text(json.dumps([frame.to_dict("list") for frame in frames]))
        run = subprocess.run(["Rscript", str(SCRIPT), model.r, str(given), str(got)], check=False)
        if run.returncode:
            return [None] * designs
        found = json.loads(got.read_text())
    return [theta if theta and None not in theta and "NA" not in theta else None for theta in found]


def study(names: list[str], seed: int, designs: int, workers: int) -> list[str]:
    """A line of the table for each model."""
    lines = []
    for name in names:
        r_found = from_r(name, seed, designs)
        numbers = range(designs)
        work = partial(compared, name, seed)
        if workers > 1:
            with ProcessPoolExecutor(workers) as pool:
                ended = list(pool.map(work, numbers, r_found, chunksize=10))
        else:
            ended = [work(number, theta) for number, theta in zip(numbers, r_found, strict=True)]
        kinds = Counter(one.kind for one in ended)
        below = [one for one in ended if one.below > SAME]
        converged = [one for one in below if one.kind == "converged"]
        proven = [one for one in below if one.certificate == "proven"]
        told = ", ".join(f"{one.word.split()[-1]} ({one.below:.1g})" for one in converged[:5])
        own = "L-BFGS, R" if any(theta is not None for theta in r_found) else "L-BFGS"
        lines.append(
            f"| {name} | {own} | {kinds['converged']} | {kinds['unfinished']} | {kinds['refused']} "
            f"| {len(converged)} | {len(proven)} | {len(below) - len(converged)} | {told} |"
        )
        print(lines[-1], flush=True)
    return lines


def fits(names: list[str], seed: int, designs: int) -> dict[str, list[list]]:
    """Of every fit its log-likelihood and how it ended."""
    out: dict[str, list[list]] = {}
    for name in names:
        model = MODELS[name]
        for number in range(designs):
            data = drawn((seed, number, model.zeros), model.zeros)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    r = gc.fit(formula(data), data, family=model.family, **model.options)
                    found = [r.llf, "converged" if r.converged else "unfinished"]
                except gc.errors.GlmcountError as error:
                    found = [-math.inf, error.kind]
            out.setdefault(name, []).append(found)
    return out


def compare(names: list[str], seed: int, designs: int, file: Path) -> None:
    """Write the fits into a file, or search where they are not those that a file holds."""
    now = fits(names, seed, designs)
    if not file.exists():
        file.write_text(json.dumps(now), encoding="utf-8")
        return
    before = json.loads(file.read_text(encoding="utf-8"))
    for name in names:
        both = list(enumerate(zip(before[name], now[name], strict=True)))
        other = [k for k, (a, b) in both if a[1] != b[1] or abs(a[0] - b[0]) > SAME]
        print(f"{name}: {len(other)} of {designs} fits differ", flush=True)
        for number in other:
            one = compared(name, seed, number, None)
            more = now[name][number][0] - before[name][number][0]
            told = f"below by {one.below:.1g}" if one.below > SAME else "not below"
            print(f"  {number}: {one.kind}, {more:+.1g} by itself, {told}", flush=True)


def section(lines: list[str], seed: int, designs: int) -> str:
    """The table with what it means."""
    body = "\n".join(lines)
    return f"""{BEGIN}

## Whether a larger likelihood can be found

Written by `python docs/study_maxima.py --designs {designs} --write` (seed {seed}); the script
tells what is drawn and how it is searched. *Below*: the best of 20 starts of L-BFGS, and of R's fit
where R knows the model, has a log-likelihood that is larger by more than 1e-6.

| model | searched by | converged | unfinished | refused | converged and below | proven and below \
| others below | which (by how much) |
|---|---|---:|---:|---:|---:|---:|---:|---|
{body}

{END}
"""


def main() -> None:
    """Print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--designs", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument(
        "--fits",
        type=Path,
        metavar="FILE",
        help="write the fits alone into a new file; of a file that is there, as an earlier version "
        "wrote it, search only the designs whose fit is another",
    )
    options = parser.parse_args()
    names = options.models.split(",")
    if options.fits is not None:
        compare(names, options.seed, options.designs, options.fits)
        return
    lines = study(names, options.seed, options.designs, options.workers)
    if options.write:
        text = PAGE.read_text(encoding="utf-8")
        before = text.split(BEGIN)[0].rstrip()
        found = section(lines, options.seed, options.designs)
        PAGE.write_text(f"{before}\n\n{found}", encoding="utf-8")


if __name__ == "__main__":
    main()
