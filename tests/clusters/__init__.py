"""Engines beyond one machine, on the loopback: started and stopped for `scripts/flink` and `scripts/test-engines`.

The checks in here are named `check_*.py`, so that only `scripts/test-engines` runs them.
"""
