"""What a mask changes: one network with it and without it, padded to several widths."""
