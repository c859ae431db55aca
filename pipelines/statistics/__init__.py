"""What a run counts of its records on the way: sizes that do not grow with them, and that can be added up."""
