"""A module for each row, or a few, of the table of promises."""
