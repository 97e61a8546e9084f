"""Measurement -> score. Pure: no clock, no socket, nothing of the gateway. docs/qos.md has the formula."""
