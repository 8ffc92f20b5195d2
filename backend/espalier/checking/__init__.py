"""Does everything answer, and if not, what to do: what `espalier doctor` and the pages say of this installation."""
