"""How commands are found, parsed and shown by `--help`."""
