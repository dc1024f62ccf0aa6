"""Tests of glmcount; a package, so that no other package called tests is found first."""
