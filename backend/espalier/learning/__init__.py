"""The learning room: from answers and embeddings to scores, and from scores to answers.

It knows arrays and the ontology. It knows nothing of media files, jobs, networks or Label Studio.
"""
