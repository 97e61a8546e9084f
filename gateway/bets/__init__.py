"""Bets: which are taken, and how they get to their upstream."""
