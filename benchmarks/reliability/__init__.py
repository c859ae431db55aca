"""Nothing lost, nothing let in: each promise tried many times, at random places."""
