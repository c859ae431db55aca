"""The output directory: its layout, who may write to it, what is left of an unfinished run, its manifest and report."""
