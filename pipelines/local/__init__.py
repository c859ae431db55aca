"""Runs the pipeline: worker processes, signals, progress on this machine; Beam's runners elsewhere."""
