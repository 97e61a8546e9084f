"""The recording that all rules are held against: made once, before the first test that asks for it."""

import asyncio

import pytest

from tests.hls_conformance.recording import Recording, Stream
from tests.hls_conformance.scenario import record


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """What a gateway answered in one run."""
    return asyncio.run(record(tmp_path_factory.mktemp("hls_conformance")))


@pytest.fixture(scope="session")
def steady(recording: Recording) -> Stream:
    """The stream whose publisher did nothing but publish."""
    return recording.steady


@pytest.fixture(scope="session")
def returns(recording: Recording) -> Stream:
    """The stream whose publisher was followed by another."""
    return recording.returns


@pytest.fixture(scope="session")
def leaves(recording: Recording) -> Stream:
    """The stream that ended."""
    return recording.leaves
