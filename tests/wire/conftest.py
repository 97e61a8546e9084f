"""Hypothesis without a deadline: a slow machine is no failing codec."""

from hypothesis import settings

settings.register_profile("wire", deadline=None)
settings.load_profile("wire")
