"""How good scores are: metrics, intervals, the linear baseline, distributions."""
