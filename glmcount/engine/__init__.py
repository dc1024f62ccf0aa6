"""The engine: blocks of rows to sums, in order."""
