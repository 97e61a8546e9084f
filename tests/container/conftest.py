"""A node for each test; and the figures that tests measure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.container.node import Node, node
from tests.e2e.conftest import artifacts, cleanup, measured
from tests.image.conftest import image

__all__ = ["artifacts", "cleanup", "image", "measured"]


@pytest.fixture(name="node")
def fresh_node(image: str, tmp_path: Path) -> Iterator[Node]:
    """Untuned, and without anything that runs; the image is there."""
    with node(tmp_path) as made:
        yield made
