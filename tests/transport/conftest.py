"""A media port without a network, and Hypothesis without a deadline: a slow machine is no failing transport."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import settings

from gateway.transport.port import MediaPort
from tests.transport.remote import EMPTY, Wiretap, tables_of

settings.register_profile("transport", deadline=None)
settings.load_profile("transport")

IDLE_TIMEOUT_S = 15.0
HANDSHAKE_TIMEOUT_S = 10.0


@pytest.fixture
async def port() -> AsyncIterator[MediaPort]:
    """A port on a wiretap. Afterwards no task has failed, and closing all sessions empties every table."""
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context))
    made = MediaPort(Wiretap(), IDLE_TIMEOUT_S, HANDSHAKE_TIMEOUT_S)
    yield made
    for session in made.sessions():
        session.close("test_over")
    await asyncio.sleep(0)
    assert failures == []
    assert tables_of(made) == EMPTY
