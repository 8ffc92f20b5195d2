"""Label Studio and Espalier on loopback, with two projects from real pictures: for people to look at, and for tests."""
