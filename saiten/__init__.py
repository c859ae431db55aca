"""Saiten scores Japanese text in bulk."""
