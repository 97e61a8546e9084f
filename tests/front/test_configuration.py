"""daemonset/front: nginx accepts it, and what is told to change of it for a node without IPv6 is so."""

from __future__ import annotations

import os
import re
import textwrap
from pathlib import Path

import pytest
import yaml

from tests.daemonset.rendering import DAEMONSET, rendered
from tests.front.conftest import LUA, PLAIN
from tests.front.nginx_process import FRONT, NginxProcess

COMPONENT = DAEMONSET / "components" / "front"


@pytest.mark.nginx
@pytest.mark.parametrize("conf", [LUA, PLAIN])
async def test_configuration_is_accepted_without_a_warning(conf: str, tmp_path: Path) -> None:
    said = await NginxProcess(tmp_path, 9, conf).check()
    assert "test is successful" in said
    assert "[warn]" not in said


def _told_patch() -> str:
    (found,) = re.findall(
        r"^    patches:\n(?:    .+\n)+", (FRONT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    return textwrap.dedent(found)


@pytest.mark.kubectl
def test_patch_for_a_node_without_ipv6_takes_out_that_line_alone(tmp_path: Path) -> None:
    region = {
        "resources": [os.path.relpath(DAEMONSET / "base", tmp_path)],
        "components": [os.path.relpath(COMPONENT, tmp_path)],
        **yaml.safe_load(_told_patch()),
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(region), encoding="utf-8")
    (site,) = (each for each in rendered(tmp_path) if each["metadata"]["name"].startswith("railbird-front-site"))
    theirs = (COMPONENT / "site" / "listen.conf").read_text(encoding="utf-8").splitlines()
    kept = [line for line in theirs if not line.startswith(("#", "listen [::]"))]
    assert site["data"]["listen.conf"].splitlines() == kept
    assert site["data"]["gateway.conf"] == (COMPONENT / "site" / "gateway.conf").read_text(encoding="utf-8")
