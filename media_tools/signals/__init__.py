"""Measures films: series of numbers from sound and picture on a grid of half seconds. What they mean is not said."""
