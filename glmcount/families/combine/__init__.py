"""Functions from families to families."""
