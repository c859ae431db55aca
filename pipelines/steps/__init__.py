"""The steps of the scoring pipeline; `score` wires them."""
