"""Thresholds: how they are written, what they can be about, and whether a run met them."""
