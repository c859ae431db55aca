"""What reports draw; importing it imports pygal."""
