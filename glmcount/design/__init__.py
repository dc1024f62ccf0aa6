"""From a formula and columns to blocks: parse, learn, encode."""
