"""What is kept: the mirror of Label Studio, model versions, predictions and runs (SQL), and embeddings (files)."""
