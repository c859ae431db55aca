"""Measurements inside one process, each a program of its own that writes JSON on standard output."""
