"""Reads what was measured, and lets `qos` make a score of it."""
