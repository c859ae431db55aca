"""Put on PYTHONPATH, not imported."""
