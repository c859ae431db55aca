"""What turns token ids into scores: Keras itself, and the packed engine without padding and without TensorFlow."""
