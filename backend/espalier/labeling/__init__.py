"""Labeling: what there is to learn from, what is doubtful in it, and what to label next."""
