"""A desk at which the hub's peers are let in."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.config import Settings
from tests.hub.desk import Desk


@pytest.fixture
def settings() -> Settings:
    """The defaults; override it to change them."""
    return Settings()


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    made = Desk(settings)
    yield made
    made.close()
    await asyncio.sleep(0)  # handshakes that nobody took part in end
