"""A desk, for what docs/qos.md says of a scrape."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.config import Settings
from tests.hub.desk import Desk


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk(Settings())
    yield made
    made.close()
    await asyncio.sleep(0)  # handshakes that nobody took part in end
