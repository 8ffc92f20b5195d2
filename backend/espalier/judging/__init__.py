"""Judging: how good a model is, how sure its answers must be, and whether it may serve."""
