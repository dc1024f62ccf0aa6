"""Fitting: passes over the rows, the solvers on their sums, and what certifies the end."""
