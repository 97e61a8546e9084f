"""Hypothesis without a deadline: a slow machine is no failing stream."""

from hypothesis import settings

settings.register_profile("stream", deadline=None)
settings.load_profile("stream")
