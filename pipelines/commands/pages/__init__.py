"""What `saiten inspect` shows of a bundle and of a run: rows of a name and a value."""
