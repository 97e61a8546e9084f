"""Bet signals: what players and the gateway tell one another beside the media (docs/signals.md)."""
