"""How good the scores are, and what the default network costs."""
