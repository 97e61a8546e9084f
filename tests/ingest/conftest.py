"""Hypothesis without a deadline: a slow machine is no failing studio."""

from hypothesis import settings

settings.register_profile("ingest", deadline=None)
settings.load_profile("ingest")
