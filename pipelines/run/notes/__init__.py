"""Small files that workers leave for the launcher: how far they have come, and why they stopped."""
