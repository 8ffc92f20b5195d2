"""The web process: Label Studio's routes. It touches no model, and answers within milliseconds."""
