"""Search over every frame that has been embedded: what the search worker answers."""
