"""Families, links and covariances under the names they have elsewhere."""

from __future__ import annotations

__all__ = ["COVARIANCES", "FAMILIES", "LINKS", "OURS"]

REAL = "The families here are of counts; none is of a response of real numbers."

# Names of the families here, which a call in the wrong place is recognised by.
OURS = (
    "poisson", "negbin", "negbin1", "negbinp", "geometric", "genpoisson", "genpoisson2",
    "compoisson", "pig", "bernoulli", "quasipoisson",
)  # fmt: skip

FAMILIES: dict[str, str] = {
    "zip zeroinfl zeroinflated zeroinflatedpoisson zeroinflpoisson": (
        "family='poisson', inflate='1'"
    ),
    "zinb zinb2 zinbp zeroinflatednegativebinomial zeroinflatednegativebinomialp zeroinflnegbin": (
        "family='negbin', inflate='1'"
    ),
    "zinb1": "family='negbin1', inflate='1'",
    "zigp zeroinflatedgeneralizedpoisson": "family='genpoisson', inflate='1'",
    "hurdle hurdlecountmodel hurdlepoisson poissonhurdle pth": "family='poisson', hurdle='1'",
    "hnb hurdlenegbin negbinhurdle": "family='negbin', hurdle='1'",
    "ztp ztpoisson truncatedpoisson zerotruncatedpoisson tpoisson truncatedlfpoisson": (
        "family='poisson', truncated=0"
    ),
    (
        "ztnb tnbreg truncatednegbin truncatednegativebinomial truncnbinom2 "
        "truncatedlfnegativebinomialp"
    ): "family='negbin', truncated=0",
    "cpoisson censoredpoisson": "family='poisson', censored='limit'",
    "nb nbinom nbinom2 negbinomial negbin2 negativebinomial2 glm.nb nbreg glmnb mass.glm.nb "
    "neg_bin": "family='negbin'",
    "nbinom1": "family='negbin1'",
    "negativebinomialp": "family='negbinp'",
    "gnbreg": "family='negbin', dispersion='z1 + z2'",
    "genpois gpoisson generalizedpoisson": (
        "family='genpoisson' (variance proportional to the mean), or 'genpoisson2'"
    ),
    "conwaymaxwellpoisson comp": "family='compoisson'",
    "fepois ppml ppmlhdfe xtpoisson": "family='poisson', with '+ C(g)' in the formula for "
    "fixed effects of g",
    "qpoisson overdispersed odpoisson": "family='quasipoisson'",
    "quasi": "family='quasipoisson', which is R's quasi(link='log', variance='mu')",
    "logit logistic": "family='bernoulli'",
    "probit": "family='bernoulli', link='probit'",
    "cloglog": "family='bernoulli', link='cloglog'",
    "gaussian normal ols lm gamma inversegaussian tweedie beta lognormal t": REAL,
    "quasibinomial betabinomial": "Counts out of a number of trials have no family here; "
    "family='bernoulli' is of 0 and 1.",
    "multinomial ordinal ordered mlogit": "The families here are of counts, and of 0 and 1.",
}

LINKS: dict[str, str] = {
    "ln logarithm loglink": "link='log'",
    "id linear": "link='identity'",
    "canonical default": "link=None, or leave it out: each family has its own",
    "root squareroot": "link='sqrt'",
}

# {0|'g'} is the column of clusters that was named, and else 'g'.
COVARIANCES: dict[str, str] = {
    "robust sandwich white huber huber-white empirical qml heteroskedasticity": (
        "cov='HC0', White's sandwich, or cov='HC1', which is n / (n - k) times that"
    ),
    "hetero heteroskedastic heteroscedastic": "cov='HC1', or cov='HC0' without its factor "
    "n / (n - k)",
    "hc": "cov='HC0', 'HC1', 'HC2' or 'HC3'",
    "hc4 hc4m hc5": "The estimators of that kind are 'HC0', 'HC1', 'HC2' and 'HC3'.",
    "cluster clusters clustered crv crv1 cr cr1 vcovcl groups group": (
        "cov=glmcount.cluster({0|'g'})"
    ),
    "cr0": "cov=glmcount.cluster({0|'g'}, kind='CR0')",
    "crv2 cr2": "cov=glmcount.cluster({0|'g'}, kind='CR2')",
    "crv3 cr3": "cov=glmcount.cluster({0|'g'}, kind='CR3')",
    "hac neweywest newey nw kernel vcovhac bartlett": "cov=glmcount.hac('time')",
    "hac-panel": "cov=glmcount.hac('time', panel='g')",
    "dk driscollkraay scc vcovscc hac-groupsum": "cov=glmcount.driscoll_kraay('time')",
    "iid unadjusted conventional standard classical classic default naive mle": "cov='nonrobust'",
    "oim hessian observed": "cov='nonrobust', information='observed'",
    "eim fisher expected": "cov='nonrobust', information='expected'",
    "bhhh": "cov='opg'",
    "jackknife jack jk": "cov=glmcount.jackknife()",
    "bootstrap boot": "cov=glmcount.bootstrap()",
}
