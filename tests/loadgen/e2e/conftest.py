"""The servers that are loaded. What a test starts is gone after it."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.conftest import cleanup, gateway, measured, start_gateway
from tests.e2e.network import skip_without_gathered_addresses
from tests.loadgen.stock.process import StockServer

__all__ = ["cleanup", "gateway", "measured", "start_gateway"]


@pytest.fixture
async def stock() -> AsyncIterator[StockServer]:
    """The independent server."""
    skip_without_gathered_addresses()
    async with StockServer() as server:
        yield server
