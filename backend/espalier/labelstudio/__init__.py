"""Label Studio from outside: its REST API, and what it sends."""
