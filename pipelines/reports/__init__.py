"""What a person reads in a browser: one file each, without scripts, that opens without a network."""
