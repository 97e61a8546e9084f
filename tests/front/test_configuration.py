"""daemonset/front: nginx accepts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.front.conftest import LUA, PLAIN
from tests.front.nginx_process import NginxProcess

pytestmark = pytest.mark.nginx


@pytest.mark.parametrize("conf", [LUA, PLAIN])
async def test_configuration_is_accepted_without_a_warning(conf: str, tmp_path: Path) -> None:
    said = await NginxProcess(tmp_path, 9, conf).check()
    assert "test is successful" in said
    assert "[warn]" not in said
