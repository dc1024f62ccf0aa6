"""The formula language: text to a checked tree, and the tree to values."""
