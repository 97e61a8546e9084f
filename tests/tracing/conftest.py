"""The SDK's own logger is silenced by the gateway: here only as long as a test lasts."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def restored_logger() -> Iterator[None]:
    """See the module."""
    logger = logging.getLogger("opentelemetry")
    level = logger.level
    yield
    logger.setLevel(level)
