"""Parquet: every row a record."""
