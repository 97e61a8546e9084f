"""Fixtures of the sidecar's tests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from tests.cordon.api_server import ApiServerStub, api_server


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[ApiServerStub]:
    """An API server with one node that takes pods."""
    async with api_server(tmp_path) as stub:
        yield stub


@pytest.fixture(autouse=True)
def structlog_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()
