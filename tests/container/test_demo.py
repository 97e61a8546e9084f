"""The gateway's container with the demo table, and a browser in another network namespace that watches it."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.container.node import SCRATCH, Node
from tests.e2e.chromium import WatchPage, chromium
from tests.image.podman import BUILD_LIMIT_S
from tests.node_tuner.namespaces import Namespace

pytestmark = [pytest.mark.podman, pytest.mark.netns, pytest.mark.browser, pytest.mark.timeout(BUILD_LIMIT_S)]

LIVE_WITHIN_S = 45.0
"""The page comes before the studio, and waits for it."""
LEAST_CONTRAST = 20.0
"""Standard deviation of the picture's brightness, of 255: a blank one has none, the table some 60."""


def in_namespace(namespace: Namespace, executable: str, directory: Path) -> Path:
    """An executable that runs `executable` there."""
    script = directory / "in-namespace"
    script.write_text(f'#!/bin/sh\nexec ip netns exec {namespace.name} {executable} "$@"\n')
    script.chmod(0o755)
    return script


async def contrast(page: WatchPage) -> float:
    """Standard deviation of the brightness of what the picture shows."""
    with Image.open(io.BytesIO(await page.page.locator("#picture").screenshot())) as image:
        return float(np.asarray(image.convert("L"), dtype=np.float32).std())


async def test_player_in_another_namespace_watches_the_demo(
    node: Node,
    chromium_executable: str,
    cleanup: contextlib.AsyncExitStack,
    artifacts: Path,
    tmp_path: Path,
    measured: Callable[[str], None],
) -> None:
    outside = in_namespace(node.outside, chromium_executable, tmp_path)
    browser = await cleanup.enter_async_context(chromium(outside))
    started_s = time.monotonic()
    cleanup.enter_context(node.gateway("--demo", flags=SCRATCH))
    ready = node.until_answered("/readyz", 200)
    ready_s = time.monotonic() - started_s
    assert ready.lines[:2] == ["ok", "node: not looked at"]

    watch = await WatchPage.opened(browser, node.url, "demo")
    cleanup.push_async_callback(watch.close)
    await watch.until_state("live", within_s=LIVE_WITHIN_S)
    shown_s = time.monotonic() - started_s
    first_frame_ms = await watch.first_frame_ms()
    inbound = await watch.until_decoded(60)
    figures = await watch.figures()
    assert inbound["remote"] == node.address
    assert 0 <= figures["timecodeDelayMs"] < 2000  # read from the pixels: it is the table that the demo draws now
    assert await contrast(watch) > LEAST_CONTRAST
    await watch.page.screenshot(path=artifacts / "container-demo.png")
    measured(
        f"ready {ready_s:.1f} s after podman run, live in Chromium after {shown_s:.1f} s, the first frame"
        f" {first_frame_ms:.0f} ms after its POST: {' | '.join(ready.lines)}"
    )
