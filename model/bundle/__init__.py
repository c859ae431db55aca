"""The bundle: a model with its tokenizer and the proof of both, in a directory."""
