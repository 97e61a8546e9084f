"""The hub between a studio and its players: tracks, the packet cache, and the fan-out."""
