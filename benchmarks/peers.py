"""The other side of the cases: fits of other packages, to estimates as arrays."""

import contextlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
from threadpoolctl import ThreadpoolController

from benchmarks import fits
from benchmarks.fits import FACTORS, Estimates
from benchmarks.frames import PARTS, numbered

# glum stops on its mean gradient. At its default, 1e-4, coefficients are 3e-4 to 7e-4 standard
# errors off; these bring them within 1e-6, on 1e6 rows and on 1e7, where 5e-7 leaves them 3e-4 off
# and rounding keeps it from going far below 1e-7.
GLUM_TOL = 1e-6
GLUM_TOL_CELLS = 2e-7
# scikit-learn stops on the largest entry of its gradient, and after 4 steps at its default and at
# this alike.
SKLEARN_TOL = 1e-6
# Which pools of threads are held to one thread.
SETTINGS = {
    "all threads": None,
    "BLAS on one thread": "blas",
    "OpenMP on one thread": "openmp",
    "all on one thread": ("blas", "openmp"),
}
R_SCRIPT = Path(__file__).with_name("peers.R")


def statsmodels_glm(formula):
    """The GLM of statsmodels with the same formula, with standard errors."""

    def load(frame):
        import statsmodels.api as sm
        import statsmodels.formula.api as smf

        def fit():
            result = smf.glm(formula, data=frame, family=sm.families.Poisson()).fit()
            return Estimates(result.params.to_numpy(), result.bse.to_numpy())

        return fit

    return load


def statsmodels_first(frame):
    """The same with a formula that the process has not seen."""
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    def fit():
        renamed, formula = fits.unseen(frame)
        begin = perf_counter()
        result = smf.glm(formula, data=renamed, family=sm.families.Poisson()).fit()
        coefficients, errors = result.params, result.bse
        spent = perf_counter() - begin
        return Estimates(coefficients.to_numpy(), errors.to_numpy(), seconds=spent)

    return fit


def statsmodels_refit(formula):
    """The GLM of statsmodels for one response after another."""

    def load(frame):
        import statsmodels.api as sm
        import statsmodels.formula.api as smf

        drawn = fits.responses(frame)

        def fit():
            changed = frame.assign(breaks=next(drawn))
            begin = perf_counter()
            result = smf.glm(formula, data=changed, family=sm.families.Poisson()).fit()
            coefficients, errors = result.params, result.bse
            spent = perf_counter() - begin
            return Estimates(coefficients.to_numpy(), errors.to_numpy(), seconds=spent)

        return fit

    return load


def statsmodels_refit_arrays(formula):
    """The same on a design that is kept, which spares it the formula."""

    def load(frame):
        import statsmodels.api as sm
        import statsmodels.formula.api as smf

        design = smf.glm(formula, data=frame, family=sm.families.Poisson()).exog
        drawn = fits.responses(frame)

        def fit():
            y = next(drawn)
            begin = perf_counter()
            result = sm.GLM(y, design, family=sm.families.Poisson()).fit()
            coefficients, errors = result.params, result.bse
            spent = perf_counter() - begin
            return Estimates(coefficients, errors, seconds=spent)

        return fit

    return load


def statsmodels_arrays(count):
    """The GLM of statsmodels from columns alone, which spares it the formula."""

    def load(frame):
        import statsmodels.api as sm

        def fit():
            design = sm.add_constant(frame[list(numbered(count))])
            result = sm.GLM(frame["y"], design, family=sm.families.Poisson()).fit()
            return Estimates(result.params.to_numpy(), result.bse.to_numpy())

        return fit

    return load


def _discrete(result):
    converged = bool(result.mle_retvals["converged"])
    return Estimates(result.params.to_numpy(), result.bse.to_numpy(), converged)


def statsmodels_discrete(formula):
    """The discrete Poisson model of statsmodels with the same formula, at its default settings."""

    def load(frame):
        import statsmodels.formula.api as smf

        return lambda: _discrete(smf.poisson(formula, data=frame).fit(disp=0))

    return load


def statsmodels_columns(name, columns):
    """A discrete model of statsmodels from columns, at its default settings."""

    def load(frame):
        import statsmodels.api as sm

        model, names = getattr(sm, name), list(columns)
        return lambda: _discrete(model(frame["y"], sm.add_constant(frame[names])).fit(disp=0))

    return load


def statsmodels_resampled(name, response, columns, draws):
    """Fits of a discrete model of statsmodels to some draws of rows, one after the other."""

    def load(frame):
        import statsmodels.api as sm

        model, names = getattr(sm, name), list(columns)
        design, counts = sm.add_constant(frame[names]).to_numpy(), frame[response].to_numpy()

        def loop():
            rng = np.random.default_rng(1)
            found = []
            for _ in range(draws):
                rows = rng.integers(len(counts), size=len(counts))
                found.append(model(counts[rows], design[rows]).fit(disp=0).params)
            values = np.array(found)
            return Estimates(values.mean(axis=0), values.std(axis=0, ddof=1))

        return loop

    return load


def statsmodels_inflated(name):
    """A zero-inflated model of statsmodels from columns, all in both parts, at its defaults."""

    def load(frame):
        import statsmodels.api as sm

        def fit():
            design = sm.add_constant(frame[list(PARTS)])
            result = getattr(sm, name)(frame["y"], design, exog_infl=design).fit(disp=0)
            values, errors, converged, *_ = _discrete(result)
            # The zero part comes first there, and between the count part and alpha here.
            k = design.shape[1]
            order = [*range(k, 2 * k), *range(k), *range(2 * k, len(values))]
            return Estimates(values[order], errors[order], converged)

        return fit

    return load


def _of_glum(model):
    converged = model.n_iter_ < model.max_iter
    return Estimates(np.r_[model.intercept_, model.coef_], converged=converged)


def glum(terms, exposure=None, tol=GLUM_TOL):
    """Unpenalised glum on columns of a DataFrame, without standard errors."""

    def load(frame):
        from glum import GeneralizedLinearRegressor

        def fit():
            model = GeneralizedLinearRegressor(
                family="poisson", alpha=0, drop_first=True, gradient_tol=tol
            )
            offset = None if exposure is None else np.log(frame[exposure])
            model.fit(frame[list(terms)], frame["y"], offset=offset)
            return _of_glum(model)

        return fit

    return load


def _columns(frame, count):
    # Column by column: nothing is held twice, and the order of memory is the faster one.
    x = np.empty((len(frame), count), order="F")
    for j, name in enumerate(numbered(count)):
        x[:, j] = frame[name]
    return x, frame["y"].to_numpy()


def glum_array(count):
    """Unpenalised glum on an array that is there already, without standard errors."""

    def load(frame):
        from glum import GeneralizedLinearRegressor

        x, y = _columns(frame, count)

        def fit():
            model = GeneralizedLinearRegressor(family="poisson", alpha=0, gradient_tol=GLUM_TOL)
            model.fit(x, y)
            return _of_glum(model)

        return fit

    return load


def sklearn_array(count):
    """Unpenalised PoissonRegressor of scikit-learn on an array that is there already."""

    def load(frame):
        from sklearn.linear_model import PoissonRegressor

        x, y = _columns(frame, count)

        def fit():
            model = PoissonRegressor(alpha=0, solver="newton-cholesky", tol=SKLEARN_TOL).fit(x, y)
            return Estimates(np.r_[model.intercept_, model.coef_])

        return fit

    return load


def tuned(side):
    """The same at the fastest of the ways to limit its threads, found by trying each twice."""

    def load(frame):
        several = side(frame)
        several()
        # After the first fit: a library that is loaded late is not limited.
        controller = ThreadpoolController()

        def within(pools):
            if pools is None:
                return contextlib.nullcontext()
            names = (pools,) if isinstance(pools, str) else pools
            return controller.limit(limits=dict.fromkeys(names, 1))

        def spent(pools):
            begin = perf_counter()
            with within(pools):
                several()
            return perf_counter() - begin

        name = min(SETTINGS, key=lambda name: min(spent(SETTINGS[name]) for _ in range(2)))

        def fit():
            with within(SETTINGS[name]):
                return several()._replace(note=name)

        return fit

    return load


def pyfixest(frame):
    """pyfixest with the factors absorbed, standard errors of the two numeric columns."""
    import pyfixest

    # Without its adjustment of the degrees of freedom, so that standard errors compare.
    plain = pyfixest.ssc(k_adj=False, G_adj=False)
    absorbed = "y ~ u + v | " + " + ".join(FACTORS[:-2])
    # A column of the data is what it takes for an offset; making it does not count.
    frame = frame.assign(log_t=np.log(frame["t"]))

    def fit():
        result = pyfixest.fepois(absorbed, frame, offset="log_t", vcov="iid", ssc=plain)
        coefficients, errors = result.coef()[["u", "v"]], result.se()[["u", "v"]]
        return Estimates(coefficients.to_numpy(), errors.to_numpy(), part=slice(-2, None))

    return fit


def patsy_matrix(formula):
    """The design matrix alone, as patsy builds it."""

    def load(frame):
        import patsy

        def fit():
            patsy.dmatrix(formula, frame)
            return Estimates()

        return fit

    return load


def r_fit(package, model):
    """A fit of an R package at its defaults, in a process of its own that times itself."""

    def load(frame):
        def fit():
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "frame.csv"
                frame.to_csv(path, index=False, float_format="%.17g")
                command = ["Rscript", str(R_SCRIPT), package, model, str(path)]
                done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
            found = json.loads(done.stdout.splitlines()[-1])
            values, errors = np.array(found["coefficients"]), np.array(found["errors"])
            return Estimates(values, errors, found["converged"], found["seconds"])

        return fit

    return load


def r_versions():
    """Versions of R and of the R packages that are fitted, as far as they are installed."""
    if shutil.which("Rscript") is None:
        return {}
    command = ["Rscript", str(R_SCRIPT), "versions"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return dict(line.split() for line in done.stdout.splitlines())
