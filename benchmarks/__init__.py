"""What Saiten costs, measured beside what a user would otherwise do; run by hand, never by the tests."""
