"""Measurement -> score. Pure: no clock, no socket, nothing of the gateway."""
