"""Attributes of results, and functions of the package, under the names they have elsewhere."""

from __future__ import annotations

__all__ = ["INNER", "MEMBERS", "MODULES"]

RESULT: dict[str, str] = {
    "fit": "glmcount.fit(formula, data) alone: what it gives is fitted",
    "coef coefs coefficients beta betas coef_": "r.params",
    "intercept_": "r.params['Intercept']",
    "std_errors std_error stderr se std std_err standard_errors standard_error": "r.bse",
    "vcov cov covariance cov_matrix normalized_cov_params": "r.cov_params()",
    "p_values p_value pvalue": "r.pvalues",
    "tstat tstats zvalues zvalue zstat tvalue": "r.tvalues",
    "ci confint conf_ints confidence_intervals confint_default": "r.conf_int()",
    "rsquared r2 r_squared rsquared_adj pseudo_rsquared pseudo_r2": "r.prsquared, which is "
    "McFadden's 1 - llf / llnull",
    "loglik loglike loglikelihood log_likelihood logl": "r.llf",
    "n n_obs": "r.nobs",
    "get_margeff margeff margins marginal_effects avg_slopes ame": "r.slopes()",
    "avg_comparisons": "r.comparisons()",
    "avg_predictions emmeans lsmeans": "r.predictions()",
    "pairs t_test_pairwise": "r.contrasts('g')",
    "summary2 summ etable print": "r.summary()",
    "params_table coef_table coeftest summary_frame": "r.tidy()",
    "mle_retvals mle_settings fit_history iterations": "r.converged, r.certificate and r.history",
    "get_robustcov_results": "r.with_cov('HC1')",
    "f_test linear_hypothesis linearhypothesis": "r.wald_test('x = 0')",
    "wald_test_terms": "r.anova(test='wald')",
    "drop1": "r.anova()",
    "compare_lr_test lrtest lr_test": "glmcount.lr_test(smaller, larger)",
    "vuong vuong_test": "glmcount.vuong_test(r1, r2)",
    "resid residuals resid_raw resid_generalized": "r.resid_response, r.resid_pearson, "
    "r.resid_deviance or r.resid_quantile()",
    "fitted fitted_values mu yhat": "r.fittedvalues",
    "prediction_interval predict_interval prediction_intervals count_interval obs_ci": (
        "r.get_prediction(newdata).count_interval(0.95)"
    ),
    "predict_proba predict_prob predprob": "r.predict(which='prob', at=[0, 1, 2])",
    "linear_predictor linear_predictors linpred eta": "r.predict(which='linear')",
    "dispersion phi": "r.scale; the parameters of a family are in r.params",
    "alpha theta lnalpha": "r.params['alpha'] of a negative binomial model (theta is 1 / alpha)",
    "df dof": "r.df_resid and r.df_model",
    "bic_llf bic_deviance": "r.bic",
    "to_latex as_latex": "r.summary().as_latex()",
    "to_html as_html": "r.summary().as_html()",
    "irr exp_params": "r.tidy(exponentiate=True)",
    "leverage hatvalues hat_matrix_diag cooks_distance": "r.get_influence()",
    "overdispersion_test check_overdispersion dispersiontest": "r.test_dispersion()",
    "formula": "r.model.formula",
    "family": "r.model.family",
    "exog design_info": "r.design_matrix()",
    "endog": "r.fittedvalues + r.resid_response",
    "update": "r.refit(...)",
    "save to_pickle": "pickle.dumps(r); the rows do not come along",
    "remove_data": "pickle.dumps(r): the rows do not come along",
    "bootstrap": "r.with_cov(glmcount.bootstrap())",
    "plot": "Nothing is drawn here; residuals and predictions are Series to plot.",
}

MEMBERS: dict[str, dict[str, str]] = {
    "Results": RESULT,
    "Prediction": {
        "predicted_mean predicted mean": "p.summary_frame()",
        "se_mean se se_fit std_error": "p.summary_frame()",
        "interval prediction_interval obs_ci": "p.count_interval()",
    },
    "Pooled": {
        "tidy coef coefficients pool": "pooled.summary(), which is a data frame",
        "exponentiate irr exp": "pooled.summary(exponentiate=True)",
        "aic bic llf glance": "Likelihoods do not pool by these rules. Look at each fit's.",
        "std_errors std_error se": "pooled.bse",
        "pvalue p_values": "pooled.pvalues",
        "confint ci": "pooled.conf_int()",
        "vcov cov": "pooled.cov_params()",
        "lambda fraction_missing": "pooled.fmi",
        "predict slopes comparisons wald_test anova": "Only coefficients are pooled. Write "
        "glmcount.pool(fits) for them, and the rest for each fit.",
    },
    "TestResult": {
        "fvalue chi2 stat z t tvalue": "test.statistic",
        "p p_value pval": "test.pvalue",
        "df_num dof degrees_of_freedom": "test.df",
        "effect coef": "test.estimate",
    },
    "Summary": {
        "tables": "r.tidy()",
        "as_csv to_csv": "r.tidy().to_csv()",
        "save write": "str(r.summary()), or as_html(), as_latex() and as_markdown() of it",
    },
}

# Fields of records that nobody is told of.
INNER: dict[str, str] = {"Pooled": "rubin found values slopes ratios"}

PACKAGE: dict[str, str] = {
    "poisson glm fepois ppml poissonregressor": "glmcount.fit('y ~ x', data)",
    "negbin nbreg glm_nb negativebinomial negativebinomialp nb": "glmcount.fit('y ~ x', data, "
    "family='negbin')",
    "quasipoisson": "glmcount.fit('y ~ x', data, family='quasipoisson')",
    "genpoisson generalizedpoisson": "glmcount.fit('y ~ x', data, family='genpoisson')",
    "zip zeroinfl zeroinflatedpoisson": "glmcount.fit('y ~ x', data, inflate='1')",
    "zinb zeroinflatednegativebinomialp": "glmcount.fit('y ~ x', data, family='negbin', "
    "inflate='1')",
    "hurdle hurdlecountmodel": "glmcount.fit('y ~ x', data, hurdle='1')",
    "lrtest": "glmcount.lr_test(smaller, larger)",
    "vuong": "glmcount.vuong_test(r1, r2)",
    "anova": "r.anova()",
    "table compare summary_col modelsummary msummary etable esttab stargazer texreg screenreg": (
        "There is no table of several models yet. One of r.tidy() takes ten lines: see 'Several "
        "models side by side' in docs/how-to/tables.md."
    ),
    "load_data get_dataset": "glmcount.datasets.load('quine')",
    "hc0 hc1 hc2 hc3 robust": "cov='HC1', or the name of another, in fit or r.with_cov",
    "newey_west": "glmcount.hac('time')",
    "from_formula": "glmcount.fit('y ~ x', data)",
}

FAMILIES: dict[str, str] = {
    "negativebinomial nb nb2 negbin2": "glmcount.families.negbin(alpha=0.5) to hold alpha, or "
    "family='negbin' to estimate it",
    "nb1": "glmcount.families.negbin1()",
    "generalizedpoisson genpois": "glmcount.families.genpoisson()",
    "binomial logit": "glmcount.families.bernoulli()",
    "zip zeroinflatedpoisson": "glmcount.families.zero_inflated(glmcount.families.poisson)",
}

# Names in a module of the package.
MODULES: dict[str, dict[str, str]] = {"glmcount": PACKAGE, "glmcount.families": FAMILIES}
