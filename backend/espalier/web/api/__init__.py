"""The REST API, /api/v1: one file per noun. The documents at /openapi.json and /docs are made from these very files."""
