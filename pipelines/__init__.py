"""Beam wiring and the command line: files in, Parquet out."""
