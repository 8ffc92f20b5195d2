"""Espalier: a machine-learning backend for Label Studio that trains a project's ontology tree on its frames."""

__version__ = "0.1.0"
