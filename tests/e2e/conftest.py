"""A gateway, studios, players and browsers for each test, all ended after it; and the figures that tests measure."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

import pytest
from playwright.async_api import Browser

from tests.e2e.chromium import chromium
from tests.e2e.gateway_process import GatewayProcess

UDP = "[::]:0"
HTTP = "127.0.0.1:0"
_FIGURES = pytest.StashKey[list[str]]()


class StartGateway(Protocol):
    """`start_gateway`: a gateway that listens at `udp` and `http`, with RAILBIRD_* `settings`."""

    async def __call__(self, udp: str = UDP, http: str = HTTP, **settings: str) -> GatewayProcess:
        """Started, and stopped after the test."""


@pytest.fixture
async def cleanup() -> AsyncIterator[contextlib.AsyncExitStack]:
    """What a test starts goes in here: it ends in reverse order."""
    async with contextlib.AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def start_gateway(tmp_path: Path, cleanup: contextlib.AsyncExitStack) -> StartGateway:
    """Starts gateways. After the test each is ended by SIGTERM, and its log searched for what only a bug writes."""
    logs = (tmp_path / f"gateway-{number}.log" for number in itertools.count())

    async def start(udp: str = UDP, http: str = HTTP, **settings: str) -> GatewayProcess:
        gateway = GatewayProcess(next(logs), udp, http, settings)
        cleanup.callback(_print_log, gateway)
        cleanup.push_async_callback(gateway.stop)
        return await gateway.start()

    return start


def _print_log(gateway: GatewayProcess) -> None:
    """Captured: pytest shows it where the test, or its end, failed."""
    print(f"--- {gateway.log_path.name}\n{gateway.log()}")


@pytest.fixture
async def gateway(start_gateway: StartGateway) -> GatewayProcess:
    """A gateway as it is without any setting."""
    return await start_gateway()


@pytest.fixture
async def browser(chromium_executable: str, cleanup: contextlib.AsyncExitStack) -> Browser:
    """A Chromium of the test's own."""
    return await cleanup.enter_async_context(chromium(chromium_executable))


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """Where screenshots go: RAILBIRD_ARTIFACTS, else the test's own directory."""
    directory = Path(os.environ.get("RAILBIRD_ARTIFACTS", tmp_path))
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes a sentence with a figure; all of them are printed at the end of the run."""
    figures = request.config.stash.setdefault(_FIGURES, [])

    def note(sentence: str) -> None:
        figures.append(f"{request.node.name}: {sentence}")

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what the tests have measured."""
    figures = config.stash.get(_FIGURES, [])
    if figures:
        terminalreporter.section("measured end to end")
        for figure in figures:
            terminalreporter.write_line(figure)
