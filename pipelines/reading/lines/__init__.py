"""Formats whose files are lines: plain text, JSON Lines, CSV and TSV."""
