"""Recipes for footage, good and nasty, made on the spot: no media file is kept in git."""
