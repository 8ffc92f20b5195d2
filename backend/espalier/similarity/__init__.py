"""What embeddings alone say of frames: arrays in, arrays out; no files, no jobs, no Label Studio."""
