"""Which layer reads a model's padding: what its graph lets suspect, and what comes out call by call."""
