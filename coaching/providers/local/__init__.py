"""Adapters that run on this machine alone: the embedded default. Reached only through the registry."""
