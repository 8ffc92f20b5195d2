"""The command line: each command parses, calls one function, and prints."""

from . import configuration, demo, doctor, ontology, plugins, runs, serve
from .door import main

__all__ = ["configuration", "demo", "doctor", "main", "ontology", "plugins", "runs", "serve"]
