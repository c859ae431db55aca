"""Saiten as a library: what `import saiten` gives to other programs."""
