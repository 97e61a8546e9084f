"""The component that puts the sidecar beside a gateway says what the sidecar understands."""

from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from gateway.cordon.__main__ import CREDENTIALS, main

DAEMONSET = Path(__file__).parent.parent.parent / "daemonset"
COMPONENT = DAEMONSET / "components" / "cordon"


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def added() -> dict[str, dict[str, Any]]:
    """Name -> what is added to the pod."""
    operations = _read(COMPONENT / "gateway-daemonset-patch.yaml")
    return {operation["value"]["name"]: operation["value"] for operation in operations}


def _options(container: dict[str, Any]) -> dict[str, Any]:
    name, *arguments = container["command"]
    assert name == "railbird-cordon"
    variables = {variable["name"] for variable in container["env"]}
    assert variables == {"NODE_NAME"}
    with click.Context(main) as context:
        main.parse_args(context, [*arguments, "--node", "edge-1"])
    return context.params


def test_command_is_understood_and_keeps_the_file_that_the_gateway_looks_for(added: dict[str, Any]) -> None:
    options = _options(added["cordon"])
    settings = _read(DAEMONSET / "base" / "railbird.yml")
    assert str(options["file"]) == settings["drain"]["file"]
    assert {mount["name"]: mount["mountPath"] for mount in added["cordon"]["volumeMounts"]} == {
        "run": str(options["file"].parent),
        "cordon-token": str(CREDENTIALS),
    }


@pytest.mark.parametrize("probe", ["livenessProbe", "readinessProbe"])
def test_probe_asks_where_the_sidecar_listens(added: dict[str, Any], probe: str) -> None:
    container = added["cordon"]
    (port,) = container["ports"]
    assert port["containerPort"] == _options(container)["port"]
    assert container[probe]["httpGet"] == {"path": "/livez", "host": "127.0.0.1", "port": port["name"]}


def test_sidecar_is_let_do_nothing_but_read_nodes(added: dict[str, Any]) -> None:
    container = added["cordon"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["requests"] == container["resources"]["limits"]
    role = _read(COMPONENT / "cordon-clusterrole.yaml")
    assert role["rules"] == [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]
    binding = _read(COMPONENT / "cordon-clusterrolebinding.yaml")
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    account = _read(DAEMONSET / "base" / "gateway-serviceaccount.yaml")
    assert account["automountServiceAccountToken"] is False
    assert [subject["name"] for subject in binding["subjects"]] == [account["metadata"]["name"]]


def test_token_and_authority_are_where_the_sidecar_reads_them(added: dict[str, Any]) -> None:
    sources = added["cordon-token"]["projected"]["sources"]
    assert sources[0]["serviceAccountToken"]["path"] == "token"
    assert "audience" not in sources[0]["serviceAccountToken"], "the API server takes its own alone"
    assert sources[1]["configMap"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]
