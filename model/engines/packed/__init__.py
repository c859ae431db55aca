"""Scores with the model's weights alone, by a small table of operations over ragged sequences; see `operation`."""
