"""Ports to what Django lacks (speech, video models, vector search, object storage) and their adapters."""
