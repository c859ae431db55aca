"""Word vectors, and the vocabulary that they are of."""
