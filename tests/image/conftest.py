"""The built image, for the tests that look into it."""

import pytest

from tests.image.layers import Archive
from tests.image.podman import built_image


@pytest.fixture(scope="session")
def image() -> str:
    """Its name in podman's store; a test that asks for it is also marked `podman`."""
    return built_image()


@pytest.fixture(scope="session")
def archive(image: str, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """All that whoever pulls it gets."""
    return Archive(image, tmp_path_factory.mktemp("image"))
