"""Functions, names and signs of other packages' formulas.

In a text {0}, {1} and {2} stand for the arguments that were written.
"""

from __future__ import annotations

__all__ = ["CONTRASTS", "FACTOR", "FUNCTIONS", "LOOKS_LIKE", "NAMES", "PARSER", "SETTINGS"]

MAKE = "Make the column in the data"
SMOOTH = (
    "bs({0}, df=5) or cr({0}, df=4, constraints='center') for a spline of as many columns; "
    "penalised smooths are not fitted here"
)

FACTOR = "factor as.factor i cat categorical as_factor"

FUNCTIONS: dict[str, str] = {
    FACTOR: "C({0})",
    "ordered as.ordered": "C({0}, Poly, levels=[...]) with the levels in order",
    "relevel fct_relevel": "C({0}, Treatment({1}))",
    "as.numeric as.integer as.double numeric integer float int": "{0} itself, after "
    "data[{name}] = pandas.to_numeric(data[{name}]) if the column holds text",
    "as.character str": "C({0})",
    "as.logical bool": "({0} != 0)",
    "poly": "{0} + I({0}**2), and I({0}**3) and so on: the same curves",
    "polym": "{0} + {1} + I({0}**2) + I({1}**2) + {0}:{1}",
    "ns": "cr({0}, df={1}, constraints='center'), natural cubic splines",
    "rcs": "cr({0}, df=3, constraints='center'), natural cubic splines with knots at quantiles "
    "of their own",
    "s smooth gam lo pb f_smooth": SMOOTH,
    "ti t2": "te(cr({0}, df=4), cr({1}, df=4)), a tensor product that is not penalised",
    "cut cut2 pd.cut pd.qcut qcut ntile binned bin": "C(group), after data['group'] = "
    "pandas.cut(data[{name}], 3)",
    "lag l shift lead f.lag": MAKE + ", by data[{name}].shift(1), within groups by "
    "data.groupby('g')[{name}].shift(1).",
    "diff d": MAKE + ", by data[{name}].diff().",
    "ln loge log.e": "log({0})",
    "logb": "log({0})",
    "square sq": "I({0}**2)",
    "pow power np.power": "I({0}**{1})",
    "square.root": "sqrt({0})",
    "cbrt np.cbrt": "I({0}**(1/3))",
    "inverse reciprocal": "I(1/{0})",
    "pmin min np.minimum.reduce": "minimum({0}, {1})",
    "pmax max": "maximum({0}, {1})",
    "clip np.clip": "minimum(maximum({0}, {1}), {2})",
    "ifelse if_else np.select case_when iif": "where({0}, {1}, {2})",
    "is.na isna isnull is.null pd.isna np.isnull": "isnan({0})",
    "coalesce fillna nvl": "where(isnan({0}), {1}, {0})",
    "round np.round trunc": "floor({0} + 0.5)",
    "zscore standardise": "standardize({0})",
    "demean centre centered": "center({0})",
    "interaction": "{0}:{1}",
    "mean avg average": "center({0}) for {0} less its mean",
    "sd std": "standardize({0}) for {0} less its mean in standard deviations",
    "add_constant sm.add_constant": "Every formula has a constant: leave this term out.",
    "date as.date year month": "Make a number of the date in the data, as by "
    "(data[{name}] - start).dt.days or data[{name}].dt.year.",
    "inflate zeroinfl zi": "inflate='{0}' as an option of fit, and leave the term out",
    "hurdle": "hurdle='{0}' as an option of fit, and leave the term out",
    "strata": "C({0}), constants by stratum: conditional likelihoods are not fitted here",
    "cluster": "cov=glmcount.cluster('{0}') as an option of fit, and leave the term out",
    "re gp ranef random": "C({0}), a constant for each level: random effects are not fitted here",
    "fe fixed absorb": "C({0})",
    "exposure expose": "offset(log({0})), or exposure='{0}' as an option of fit",
    "weights weight": "weights='{0}' as an option of fit, and leave the term out",
    "cbind": "Counts out of a number of trials have no family here: a response is one column "
    "of counts.",
    "log.offset": "offset(log({0}))",
    "treatment_contrast": "C({0}, Treatment({1}))",
    "dummy get_dummies pd.get_dummies model.matrix onehot": "C({0}), which makes the columns",
}

# Second arguments of C.
CONTRASTS: dict[str, str] = {
    "contr.treatment contr_treatment": "Treatment",
    "contr.sum contr_sum effects deviation": "Sum",
    "contr.helmert": "Helmert",
    "contr.poly polynomial": "Poly",
    "contr.sdif": "Diff",
}

# Settings of functions; {0|4} is what was given, and else 4.
SETTINGS: dict[str, str] = {
    "base ref reference": "C(..., Treatment({0|'b'})) for another reference level",
    "contr contrasts": "C(..., Sum), or the name of another contrast",
    "intercept": "include_intercept={0|True}",
    "boundary.knots": "lower_bound= and upper_bound=",
    "k nknots": "df={0|4}",
}

# Names that are no columns.
NAMES: dict[str, str] = {
    "true": "True",
    "false": "False",
    "na nan null nil none": "isnan(x) for a condition on missing values; rows that have them are "
    "left out",
    "pi": "3.141592653589793",
    "logit probit cloglog": "zero='logit', or another link, beside inflate='1' or hurdle='1' with "
    "the terms of the zero part",
    "_cons const constant intercept (intercept) one": "1 for the constant, which every formula has "
    "unless 0 + stands in it",
}

# What a bar says elsewhere, by what stands behind it.
BAR = (
    "What stands behind a bar in zeroinfl and hurdle, here {0} and what follows it, is an option: "
    "inflate={1} or hurdle={1}. Fixed effects are terms, '+ C({0})', and random effects are not "
    "fitted here."
)

# What signs are taken for, beside those that Unicode itself calls compatible.
LOOKS_LIKE: dict[str, str] = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-"),
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u00d7\u2217\u22c5", "*"),
    **dict.fromkeys("\u00b7\u2236\uff1a", ":"),
    **dict.fromkeys("\u223c\uff5e\u02dc\u301c", "~"),
    **dict.fromkeys("\u2044\u2215\u00f7", "/"),
    **dict.fromkeys("\u2264", "<="),
    **dict.fromkeys("\u2265", ">="),
    **dict.fromkeys("\u2260", "!="),
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
}
# Letters of other alphabets that are drawn as Latin ones.
LOOKS_LIKE.update(
    zip(
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u0410\u0412\u0415"
        "\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0405\u03bf\u0391\u0392\u0395\u0396"
        "\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u0261\u0131",
        "aeopcyxijsdqABEKMHOPCTXISoABEZHIKMNOPTYXgi",
        strict=True,
    )
)

# What patsy and Python say of a text that they cannot read, by how it begins.
PARSER: dict[str, str] = {
    "expected a noun, but instead": "it ends where a term should follow",
    "expected a noun, not": "a term should stand here",
    "expected an operator": "an operator such as + is missing before this",
    "missing '(' or extra ')'": "this bracket was not opened",
    "Unmatched '('": "this bracket is not closed",
    "unclosed bracket": "a bracket is not closed",
    "error tokenizing": "this sign is not part of formulas, or a quote is not closed",
    "comments are not": "# is not part of formulas",
    "numbers besides": "of numbers only 0 and 1 are terms. Arithmetic stands in I(...), as "
    "I(2 * x), and a column named by a number in Q('...')",
    "'**' requires": "** of terms takes a whole number. Of numbers write I(x**0.5)",
    "Unary minus": "a minus before a column is arithmetic: write I(-x)",
    "~ can only": "'~' stands once, between the response and the terms",
    "invalid syntax": "this cannot be read",
    "'(' was never closed": "a bracket is not closed",
    "unmatched ')'": "this bracket was not opened",
    "invalid decimal literal": "a name does not begin with a digit",
    "leading zeros": "a number does not begin with 0",
}
