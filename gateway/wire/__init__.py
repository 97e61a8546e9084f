"""Bytes from and to the network as typed values: pure functions, no socket, no clock, no event loop."""
