"""Measurements by the project's own commands, `make bench`: ratios within one run, since machines are noisy."""
