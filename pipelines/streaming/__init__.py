"""Unbounded input: files as they arrive and messages of a subscription, written window by window."""
