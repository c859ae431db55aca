"""Labelled text to a bundle."""
