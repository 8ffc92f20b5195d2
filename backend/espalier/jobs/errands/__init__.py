"""Errands: what the REST API has a worker do or look up, so that the web process needs no model, picture or encoder."""
