"""MeCab's tokens from MeCab's dictionaries, by a search of our own that Numba compiles."""
