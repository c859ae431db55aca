"""What `train` and `evaluate` share: labels, their flags, what is shown."""
