"""What the gateway and the tuner read in their containers are settings that they take."""

import os
from ipaddress import ip_address
from pathlib import Path

import pytest

from gateway import config
from gateway.config import Settings
from gateway.errors import ConfigError
from node_tuner.profile import loading
from node_tuner.profile.schema import Profile
from tests.daemonset import edge
from tests.daemonset.pods import gateway, of_kind
from tests.daemonset.trees import EDGES, objects

pytestmark = pytest.mark.kubectl

TREE = pytest.mark.parametrize("tree", EDGES)
CONFIG = "/etc/railbird/railbird.yml"
PROFILE = "/etc/railbird/profile.yml"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in os.environ if each.upper().startswith("RAILBIRD_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def settings(tree: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Those of the gateway of this tree."""
    return _settings(tree, tmp_path, monkeypatch)


def _settings(tree: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    rendered = objects(tree)
    pod = gateway(rendered)
    container = pod.container("gateway")
    for name, value in edge.variables(rendered, container).items():
        monkeypatch.setenv(name, value)
    read = edge.file(rendered, pod, container, CONFIG)
    assert read is not None
    assert read.text is not None
    path = tmp_path / "railbird.yml"
    path.write_text(read.text)
    return config.load(path)


@TREE
def test_file_and_variables_are_settings(settings: Settings) -> None:
    assert settings.public_addresses == tuple(map(ip_address, edge.FIELDS["status.hostIPs"].split(",")))
    assert settings.open_doors == ()
    assert settings.node.result is not None


@pytest.mark.parametrize("tree", ["base"])
def test_variable_that_is_no_setting_is_refused(tree: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAILBIRD_JURISDICTIONS", "SE")
    with pytest.raises(ConfigError, match="RAILBIRD_JURISDICTIONS"):
        _settings(tree, tmp_path, monkeypatch)


@TREE
def test_file_that_a_setting_names_lies_on_a_volume(tree: str, settings: Settings) -> None:
    pod = gateway(objects(tree))
    container = pod.container("gateway")
    named = [
        settings.auth.jwks,
        settings.node.result,
        settings.drain.file,
        settings.rounds.ledger,
        settings.audit.directory,
    ]
    for path in filter(None, map(str, (each for each in named if each is not None))):
        mount = edge.mount_of(container, path)
        assert mount is not None, path
        assert mount["name"] in pod.volumes


@TREE
def test_keys_are_a_file_of_the_secret(tree: str, settings: Settings) -> None:
    rendered = objects(tree)
    pod = gateway(rendered)
    keys = edge.file(rendered, pod, pod.container("gateway"), str(settings.auth.jwks))
    assert keys == edge.File("Secret railbird-keys")


@TREE
def test_tuner_writes_where_the_gateway_reads(tree: str, settings: Settings) -> None:
    pod = gateway(objects(tree))
    reads = edge.mount_of(pod.container("gateway"), str(settings.node.result))
    writes = edge.mount_of(pod.container("tune"), str(settings.node.result))
    assert reads is not None
    assert writes is not None
    assert reads["name"] == writes["name"]
    assert not writes.get("readOnly", False)


@TREE
def test_profile_is_one_that_the_tuner_takes_and_of_the_gateways_port(
    tree: str, settings: Settings, tmp_path: Path
) -> None:
    rendered = objects(tree)
    pod = gateway(rendered)
    for container in (each for each in pod.containers if each.name in ("tune", "watch")):
        read = edge.file(rendered, pod, container, PROFILE)
        assert read is not None
        assert read.text is not None
        path = tmp_path / "profile.yml"
        path.write_text(read.text)
        profile = loading.load(path)
        assert isinstance(profile, Profile)
        assert settings.udp.port in profile.media_ports


@TREE
def test_result_grows_old_only_where_somebody_renews_it(tree: str, settings: Settings) -> None:
    names = {each.name for each in gateway(objects(tree)).containers}
    assert (settings.node.max_age_s is not None) == ("watch" in names)


@TREE
def test_proxy_is_believed_only_where_there_is_one(tree: str, settings: Settings) -> None:
    names = {each.name for each in gateway(objects(tree)).containers}
    assert settings.trusted_proxies == ((ip_address("127.0.0.1"),) if "front" in names else ())


@TREE
def test_pod_has_time_to_drain(tree: str, settings: Settings) -> None:
    pod = gateway(objects(tree))
    stop = pod.container("gateway").spec["lifecycle"]["preStop"]["exec"]["command"]
    waits_s = float(stop[stop.index("--wait-s") + 1])
    assert waits_s >= settings.drain.longest_s
    assert pod.spec["terminationGracePeriodSeconds"] >= waits_s + settings.timeouts.shutdown_s


@TREE
def test_balancers_have_notice_where_players_come_again_by_the_same_address(tree: str, settings: Settings) -> None:
    """At the least as long as kubelet takes to see that the gateway is not ready."""
    probe = gateway(objects(tree)).container("gateway").spec["readinessProbe"]
    assert settings.drain.notice_s > probe["periodSeconds"] * probe["failureThreshold"]


@TREE
def test_gateway_is_reached_by_both_families_as_its_services_say(tree: str, settings: Settings) -> None:
    services = (
        each["spec"] for each in of_kind(objects(tree), "Service") if "railbird-gateway" in each["metadata"]["name"]
    )
    assert {each["ipFamilyPolicy"] for each in services} == {"PreferDualStack"}
    assert settings.http.host == settings.udp.host == "::"


@TREE
def test_drain_file_is_the_one_that_is_made(tree: str, settings: Settings) -> None:
    command = gateway(objects(tree)).container("gateway").spec["lifecycle"]["preStop"]["exec"]["command"]
    assert command[command.index("--file") + 1] == str(settings.drain.file)
