"""The command line: each command parses, calls one function, and prints."""

from .door import main

__all__ = ["main"]
