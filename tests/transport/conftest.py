"""Hypothesis without a deadline: a slow machine is no failing transport."""

from hypothesis import settings

settings.register_profile("transport", deadline=None)
settings.load_profile("transport")
