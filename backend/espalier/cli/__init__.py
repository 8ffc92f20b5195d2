"""The command line: each command parses, calls one function, and prints."""

from . import ontology, plugins, runs, serve, setup
from .door import main

__all__ = ["main", "ontology", "plugins", "runs", "serve", "setup"]
