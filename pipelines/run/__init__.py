"""The output directory: its layout, who may write to it, what is left of an unfinished run and its manifest."""
