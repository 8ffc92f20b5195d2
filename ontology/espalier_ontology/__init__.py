"""The ground floor of Espalier: ontology, frames, answers and rules. Standard library only; every function is pure."""
