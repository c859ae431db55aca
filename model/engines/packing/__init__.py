"""Turns a Keras model into the packed engine's operations, or says why it cannot; see `pack_model`."""
