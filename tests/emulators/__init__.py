"""Servers of our own that speak Google's protocols on this machine, strictly: what they do not know is an error.

They stand for what cannot be reached from here, never for code of ours. Each listens on a port of the system's choice.
"""
