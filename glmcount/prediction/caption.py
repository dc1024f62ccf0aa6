"""What a table of effects says of itself."""

from __future__ import annotations

from glmcount.families.proportion import proportional
from glmcount.prediction.choices import Choices, Margins
from glmcount.prediction.partition import Ask
from glmcount.records import dataclass

__all__ = ["Caption"]


@dataclass(frozen=True)
class Caption:
    """What a table says of itself."""

    margins: Margins
    options: Choices
    ask: Ask
    what: str

    def of(self, exact: bool, left_out: int, unconditional: bool) -> str:
        """All of it, in sentences."""
        state, options = self.margins.state, self.options
        rows = "the fitted rows" if options.newdata is None else "newdata"
        over = f"averaged over {rows}" if options.by is not False else f"in each row of {rows}"
        if self.ask.by:
            over += f" by {', '.join(self.ask.by)}"
        weights = state.spec.weights
        if options.by is not False and weights is not None:
            weighed = self.ask.weighed if options.newdata is None else self.ask.beside is not None
            over += f", {'weighted by' if weighed else 'not weighted by'} {weights.strip('<>')}"
        sentences = [f"{self.what} of {options.which}, {over}.", self._offsets()]
        if left_out and options.newdata is not None:
            sentences.append(f"Rows with missing values left out: {left_out}.")
        if not exact:
            sentences.append("Derivatives of functions in env= by central differences.")
        errors = "rows and estimates sampled" if unconditional else "rows held fixed"
        sentences.append(
            f"Standard errors: delta method, {self.margins.label} covariance, {errors}; "
            f"intervals of {100.0 * (1.0 - options.alpha):.6g} %{self._law(unconditional)}."
        )
        if self.ask.wanted.contrasts[0].how == "ratio" and options.hypothesis is None:
            sentences.append("Ratios are tested against 1.")
        return " ".join(each for each in sentences if each)

    def _law(self, unconditional: bool) -> str:
        law = self.margins.law
        if law.df is None:
            return ""
        if law.of is None:
            return f" by Student's t with {law.df:.5g} degrees of freedom"
        if unconditional:
            # What the sampling of rows adds has none of its own.
            return (
                f" by Student's t with {law.df:.5g} degrees of freedom, the fewest of a parameter"
            )
        return " by Student's t with degrees of freedom of each estimate's own (.attrs['df'])"

    def _offsets(self) -> str:
        spec = self.margins.state.spec
        codes = [*spec.equations[0].offsets, *([] if spec.exposure is None else [spec.exposure])]
        names = [_word(code) for code in codes]
        if not names:
            return ""
        if self.ask.quantity.bare:
            if proportional(self.margins.state.fit.family):
                return f"Per unit of exposure: {', '.join(names)} left out."
            return (
                f"Means at an exposure of 1, {', '.join(names)} left out: they are not in "
                "proportion to the exposure."
            )
        return f"Offset as observed in each row: {', '.join(names)}."


def _word(code: str) -> str:
    return code.replace("Q('<", "").replace(">')", "")
