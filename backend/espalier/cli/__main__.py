"""`python -m espalier.cli`: the command line where its program is not on the path."""

from . import main

main()
