"""The recording that all rules are held against: made before the first test that asks for it, and anew for a rerun."""

import asyncio

import pytest

from tests.hls_conformance.recording import Recording
from tests.hls_conformance.scenario import record
from tests.reruns import Kept


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Kept[Recording]:
    """Of one run of a gateway."""
    return Kept(lambda: asyncio.run(record(tmp_path_factory.mktemp("hls_conformance"))))


@pytest.fixture
def recording(recordings: Kept[Recording], request: pytest.FixtureRequest) -> Recording:
    """What a gateway answered in one run."""
    return recordings.of(request.node)
