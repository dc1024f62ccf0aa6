"""Options, arguments and values of options under the names they have elsewhere."""

from __future__ import annotations

__all__ = ["ARGUMENTS", "FLAGS", "OF", "OPTIONS", "PLACED", "VALUES"]

# Of `fit`.
OPTIONS: dict[str, str] = {
    "cov_type covtype": "cov='HC1', or cov=glmcount.cluster('g') for clusters of g",
    "vcov vce se robust cov_est": "cov='HC0' (White's sandwich), cov='HC1' (times n / (n - k)), or "
    "cov=glmcount.cluster('g') for clusters of g",
    "cov_kwds groups cluster clusters crv1": "cov=glmcount.cluster({0|'g'})",
    "use_t": "Statistics are z, of quasi-Poisson t; with clusters write "
    "cov=glmcount.cluster('g', df='t') for t with G - 1 degrees of freedom.",
    "ssc small_sample": "cov=glmcount.cluster('g', like='fixest') for another package's factor",
    "lags maxlags kernel time": "cov=glmcount.hac('time', lags=...)",
    "reps nboot bootstrap": "cov=glmcount.bootstrap(reps=999)",
    "disp verbose trace full_output iprint print_level": "Fits print nothing. Write "
    "control=glmcount.Control(progress=True) to follow a long one.",
    "freq_weights fweights fweight fw frequency_weights": (
        "weights={0|'w'}, whose numbers are copies of a row by default (weights_type='frequency')"
    ),
    "var_weights iweights iweight aweights aweight analytic_weights exposure_weights": (
        "weights={0|'w'}, weights_type='importance'"
    ),
    "pweights pweight sampling_weights probability_weights survey_weights": (
        "weights={0|'w'}, weights_type='probability'"
    ),
    "weight w wt wts wgt prior_weights sample_weight": "weights={0|'w'}",
    "subset filter where if if_": "data[data['x'] > 0], or another condition, in the place of data",
    "na_action na_rm dropna nan_policy": "missing='drop' (the default) or missing='raise'",
    "start_params startparams init init_params x0 mustart etastart start_values initial from": (
        "start=[...], a number for each parameter in order, those of dispersion as logarithms"
    ),
    "maxiter maxit max_iter iterate iter": "control=glmcount.Control(maxiter=...)",
    "tol ftol gtol xtol epsilon tolerance": "control=glmcount.Control(tol=...)",
    "n_jobs nthreads num_threads": "control=glmcount.Control(threads=...)",
    "alpha theta init_theta": "family='negbin' to estimate alpha, or "
    "family=glmcount.families.negbin(alpha=0.5) to hold it (theta is 1 / alpha). The level of "
    "intervals is an argument of r.summary(alpha=0.05) and r.conf_int(alpha=0.05)",
    "level conf_level ci": "r.summary(alpha=0.05) and r.conf_int(alpha=0.05) for a level of 95 %: "
    "intervals are made after the fit",
    "irr eform exponentiate": "r.summary(exponentiate=True): ratios are made after the fit",
    "ziformula zi_formula zeroinfl zero_inflation zero_inflated infl exog_infl zi zi_form": (
        "inflate='z1 + z2', or inflate='1' for a constant"
    ),
    "inflation": "zero='logit', 'probit' or 'cloglog' for the link of the zero part, and "
    "inflate='z1 + z2' for its terms",
    "zero_dist zerodist": "hurdle='z1 + z2' with zero='poisson', 'negbin' or 'geometric'",
    "dispformula sigma_formula lnalpha exog_precision exog_dispersion": "dispersion='z1 + z2'",
    "dist distribution distr model model_type": "family='negbin', or the name of another family",
    "loglike_method": "family='negbin' (nb2), family='negbin1' (nb1) or family='geometric'",
    "p": "family='negbin1' or 'genpoisson' for p=1, family='negbin' or 'genpoisson2' for p=2, "
    "family='negbinp' to estimate it",
    "endog exog x": "glmcount.fit_arrays(y, X) for arrays",
    "optimizer optim solver algorithm": "method='newton', 'irls', 'lbfgs' or 'gradient': each goes "
    "to the same maximum",
    "fe fixef absorb fixed_effects entity_effects time_effects dummies": "'+ C(g)' in the formula: "
    "fixed effects are columns of the design here",
    "re random random_effects i panel group": "Random effects are not fitted here. For standard "
    "errors that allow for groups write cov=glmcount.cluster('g').",
    "noconstant nocons hasconst intercept fit_intercept constant": "'y ~ 0 + x' to leave the "
    "constant out; it is in every formula by default",
    "contrasts contrast contr": "C(g, Sum) or C(g, Treatment('b')) in the formula",
    "eval_env": "env={'f': f} for functions of your own in the formula",
    "scale": "family='quasipoisson' for a scale estimated by Pearson's statistic",
    "penalty l1 l2 l1_ratio lambda reg_alpha": "Fits are not penalised here.",
    "random_state seed rng": "Fits draw no random numbers; rng= is of r.simulate and "
    "glmcount.bootstrap.",
    "truncation left_truncated ll": "truncated=0 where zeros are never seen",
    "cens censoring right_censored ul": "censored='limit', a column, or censored=5",
    "expose": "exposure={0|'days'}",
}

# Of the command line.
FLAGS: dict[str, str] = {
    "irr eform or exp": "--exponentiate",
    "vcov vce cov-type robust se": "--cov HC1",
    "level conf-level ci": "--alpha 0.05 for intervals of 95 %",
    "dist distribution model": "--family negbin",
    "zero-inflated zi infl": "--inflate 1",
    "out o save": "--output FILE",
    "json": "--format json",
    "latex tex": "--format latex",
    "html": "--format html",
    "weight fweight": "--weights COLUMN",
    "theta": "--family negbin --family-alpha A, where A is 1 / theta",
}

# Of other functions than `fit`.
ARGUMENTS: dict[str, str] = {
    "level conf_level conf ci_level": "alpha=0.05 for a level of 95 %",
    "irr eform exp exponentiated transform": "exponentiate=True",
    "exog new_data df newdf": "newdata={'x': [0, 1]}, or a data frame",
    "dydx": "slopes('x')",
    "atexog": "newdata={'x': [0, 1]}, or a data frame",
    "typ": "type=2",
    "se_fit se std_error interval": "r.get_prediction(newdata).summary_frame() for standard errors "
    "and intervals",
    "seed random_state random": "rng=1",
    "nsim size nrep": "n=100",
    "cols which_params": "parameters=['x']",
    "vcov cov_type robust": "r.with_cov('HC1') first: a result has its covariance",
    "use_f": "r.wald_test('x = 0'), whose statistic is chi-squared",
    "xname yname title float_format": "r.tidy() for a data frame to be named and formatted at will",
    "conf_int": "r.tidy() as it is: intervals are in it",
    "digits": "r.tidy().round(3)",
    "method": "Leave it out.",
}

# Of single functions.
OF: dict[str, dict[str, str]] = {
    "predict get_prediction": {
        "data x_new x": "newdata=..., the first argument",
        "type": "which='mean', 'rate', 'linear', 'prob' or another quantity",
        "transform linear": "which='linear' for the linear predictor",
        "y_values": "which='prob', at=[0, 1, 2]",
    },
    "simulate": {"reps draws": "n=100"},
    "contrasts": {
        "by at": "r.comparisons('g', by='h') for comparisons by another column",
        "method": "kind='pairwise', 'reference', 'sequential' or 'mean'",
        "adjustment p_adjust": "adjust='holm'",
        "ref base": "kind='reference', reference='b'",
        "specs": "contrasts('g'), the name of a factor",
        "*": "contrasts('g', kind='reference', reference='b')",
    },
    "slopes comparisons predictions": {
        "vcov cov": "r.with_cov('HC1').slopes(...): a result has its covariance",
        "conf_level level": "alpha=0.05 for a level of 95 %",
        "exponentiate irr exp": "comparison='lnratio' or 'ratio' in r.comparisons(...)",
        "type": "which='mean', 'rate' or another quantity",
        "method": "slope='dydx', 'eyex', 'dyex' or 'eydx'",
    },
    "wald_test t_test": {
        "r_matrix hypotheses h0 test terms": "r.wald_test('x = 0')",
        "*": "the hypothesis as one text, 'x = 0, z = 0', the first argument",
        "cov_p": "r.with_cov('HC1').wald_test('x = 0')",
    },
    "anova": {"test_type": "test='lr', 'wald' or 'score'"},
    "tidy summary": {"conf_level level": "alpha=0.05 for a level of 95 %"},
    "count_interval": {"alpha": "level=0.95"},
    "with_cov": {
        "cov_type vcov vce type": "r.with_cov('HC1')",
        "groups cov_kwds cluster": "r.with_cov(glmcount.cluster('g'))",
    },
    "negbin negbin1 negbinp": {"theta k size": "alpha=..., which is 1 / theta"},
    "fit_arrays": {"data": "glmcount.fit(formula, data) for a table"},
    "lr_test vuong_test": {"test": "Leave it out."},
}

# Where an argument was given without its name.
PLACED: dict[str, str] = {
    "fit": "family={0|'poisson'}",
    "predict get_prediction": "which='mean', or the name of another quantity",
    "refit": "refit(formula='y ~ x'), or another option by its name",
    "slopes comparisons predictions": "slopes('x', by='g')",
    "wald_test": "all hypotheses in one text, 'x = 0, z = 0'",
    "with_cov": "r.with_cov(glmcount.cluster('g')): what a covariance takes is in its call",
    "summary": "r.summary(exponentiate=True)",
}

# Values of options, by the option.
VALUES: dict[str, dict[str, str]] = {
    "missing": {
        "none skip ignore keep pass": "missing='raise' to be told of missing values; 'drop', the "
        "default, leaves their rows out and counts them",
        "omit na_omit exclude": "missing='drop'",
        "fail na_fail": "missing='raise'",
    },
    "method": {
        "bfgs nm powell cg ncg basinhopping minimize ml mle optim nlm em dfp bhhh nr": "Leave "
        "method= out: the default, 'newton', goes to the maximum, as each method here does.",
        "newton-raphson": "method='newton'",
        "fisher scoring irwls": "method='irls'",
        "likelihood lr profiled": "method='profile'",
        "boot": "method='bootstrap'",
        "delta normal asymptotic": "method='wald'",
        "reml": "Estimates are of maximum likelihood: leave method= out.",
    },
    "weights_type": {
        "freq fweights fweight fw": "weights_type='frequency'",
        "aweights analytic var var_weights iweights iweight": "weights_type='importance'",
        "sampling pweights pweight pw prob survey": "weights_type='probability'",
    },
    "separation": {
        "drop fe ir simplex mu": "separation='warn', which keeps the rows and names them "
        "(r.separation)",
    },
    "information": {
        "oim hessian": "information='observed'",
        "eim fisher": "information='expected'",
    },
    "test": {
        "chisq lrt likelihood": "test='lr'",
        "rao": "test='score'",
        "f": "test='lr': it is an F test of family='quasipoisson', whose scale is estimated",
    },
    "kind": {
        "tukey pairs revpairwise all": "kind='pairwise'",
        "dunnett trt.vs.ctrl treatment": "kind='reference'",
        "consec": "kind='sequential'",
        "eff gmean": "kind='mean'",
    },
    "adjust": {
        "tukey dunnett mvt singlestep": "adjust='single-step', by the joint distribution of the "
        "estimates",
        "bh fdr_bh benjamini": "adjust='fdr'",
        "bonf": "adjust='bonferroni'",
    },
    "comparison": {
        "differenceavg diff": "comparison='difference'",
        "ratioavg risk_ratio rr": "comparison='ratio'",
        "lnratioavg logratio": "comparison='lnratio'",
    },
    "slope": {"elasticity elast": "slope='eyex'"},
    "df": {
        "g-1 g1 student": "df='t'",
        "normal inf": "df='z'",
        "bm bell-mccaffrey": "df='satterthwaite'",
    },
    "like": {"pyfixest": "like='fixest'", "r": "like='sandwich'"},
    "zero": {
        "binomial log bernoulli": "zero='logit'",
        "negbin2 nb nb2": "zero='negbin'",
    },
    "which": {
        "response mu fitted n": "which='mean'",
        "count": "which='mean', or which='mean-main' for the count part of a two-part model",
        "link lp eta xb linpred lin linear_predictor": "which='linear'",
        "variance": "which='var'",
        "pr density pmf probability probabilities class": "which='prob', at=[0, 1, 2]",
        "ir": "which='rate'",
        "median": "which='quantile', at=0.5",
    },
}
