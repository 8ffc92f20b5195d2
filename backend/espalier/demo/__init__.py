"""A Label Studio beside Espalier with two projects to look at, all on loopback."""
