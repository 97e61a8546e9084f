"""A desk, sampled."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.config import Settings
from tests.hub.desk import Desk
from tests.quality.streams import Sampled


@pytest.fixture
async def sampled() -> AsyncIterator[Sampled]:
    desk = Desk(Settings())
    yield Sampled(desk)
    desk.close()
    await asyncio.sleep(0)  # handshakes that nobody took part in end
