"""A model version that left the house: a directory or ZIP that answers without Label Studio, queue or torch."""
