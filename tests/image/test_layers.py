"""What lies in the built image: what it must not have, and that what it has fits together."""

import os
import re
import ssl
import stat
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from tests.image.layers import Archive
from tests.image.podman import BUILD_LIMIT_S, ROOT

pytestmark = [pytest.mark.podman, pytest.mark.timeout(BUILD_LIMIT_S)]

TOOLS = re.compile(
    r"^(ba|da|z|k|c|tc|a|fi)?sh$|^busybox$|^(apt|dpkg|debconf|pip|npm|conda)|^perl|^(gcc|g\+\+|cc|ld|as|make)$"
    r"|^(curl|wget|ssh|nc|su|sudo|mount|env|cat|ls)$"
)
SETTINGS = re.compile(r"^(pip\.conf|pip\.ini|\.?npmrc|\.netrc|\.git.*|auth\.json|sources\.list|.*\.pem\.key)$")
OWN = {"run/railbird", "var/lib/railbird"}
"""Where the gateway's account may write: mount points, both."""


def programs(archive: Archive) -> list[str]:
    """Names of what can be started."""
    return [PurePosixPath(file.path).name for file in archive.files if file.is_program or file.link]


def test_there_is_no_shell_no_package_tool_and_no_compiler(archive: Archive) -> None:
    assert "railbird-gateway" in programs(archive)
    assert [name for name in programs(archive) if TOOLS.search(name)] == []


def test_every_script_has_its_interpreter(archive: Archive) -> None:
    firsts = {
        file.path: file.content.split(b"\n", 1)[0].decode(errors="replace") for file in archive.files if file.is_program
    }
    scripts = {path: first.removeprefix("#!").split()[0] for path, first in firsts.items() if first.startswith("#!")}
    assert len(scripts) >= 4
    assert {path: used for path, used in scripts.items() if used.lstrip("/") not in archive.paths} == {}


def test_nothing_gives_privileges(archive: Archive) -> None:
    assert [file.path for file in archive.files if file.is_regular and file.mode & (stat.S_ISUID | stat.S_ISGID)] == []


def test_only_mount_points_belong_to_the_account_or_to_all(archive: Archive) -> None:
    assert {file.path for file in archive.files if file.uid != 0} == OWN
    writable = {file.path for file in archive.files if file.mode & 0o002 and not stat.S_ISLNK(file.mode)}
    assert writable <= {"tmp", "var/tmp", "run/lock", "var/lock"}


def test_layers_hide_nothing(archive: Archive) -> None:
    """Of three layers, none takes away or writes over what an earlier one has."""
    regular = [file.path for file in archive.files if file.is_regular]
    assert [path for path in regular if PurePosixPath(path).name.startswith(".wh.")] == []
    twice = {path for path in regular if regular.count(path) > 1} if len(set(regular)) < len(regular) else set()
    assert twice == {"opt/railbird/pyvenv.cfg"}


def test_no_settings_of_the_builder_are_in_it(archive: Archive) -> None:
    assert [path for path in archive.paths if SETTINGS.match(PurePosixPath(path).name)] == []
    assert [path for path in archive.paths if path.startswith(("run/secrets", "build", "root/"))] == []


def test_only_debians_authorities_are_believed(archive: Archive) -> None:
    certificate = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
    of_debian = {
        found
        for file in archive.files
        if file.path.startswith("usr/share/ca-certificates/mozilla/")
        for found in certificate.findall(file.content)
    }
    bundles = [file.content for file in archive.files if file.path == "etc/ssl/certs/ca-certificates.crt"]
    assert len(of_debian) > 100
    assert [set(certificate.findall(bundle)) == of_debian for bundle in bundles] == [True]


def lines_of_this_machines_settings() -> set[bytes]:
    """Of the files that `make image` mounts: what is long enough to be told from chance."""
    home = Path.home()
    named = (os.environ.get(name, "") for name in ("PIP_CONFIG_FILE", "PIP_CONF", "NPMRC", "NPM_CONFIG_USERCONFIG"))
    paths = [*map(Path, filter(None, named)), Path("/etc/pip.conf"), home / ".config/pip/pip.conf", home / ".npmrc"]
    lines = (line.strip() for path in paths if path.is_file() for line in path.read_bytes().splitlines())
    return {line for line in lines if len(line) > 12}


def authorities_of_this_machine_alone(archive: Archive) -> set[bytes]:
    """A line of each certificate that this machine believes and Debian does not."""
    bundle = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile or ""
    text = Path(bundle).read_bytes() if Path(bundle).is_file() else b""
    of_debian = next(file.content for file in archive.files if file.path == "etc/ssl/certs/ca-certificates.crt")
    bodies = re.findall(rb"-----BEGIN CERTIFICATE-----\s+(.*?)\s+-----END", text, re.DOTALL)
    middles = {body.splitlines()[len(body.splitlines()) // 2] for body in bodies}
    return {middle for middle in middles if middle not in of_debian}


def test_no_line_of_the_builders_secrets_is_in_any_layer(archive: Archive) -> None:
    secrets = lines_of_this_machines_settings() | authorities_of_this_machine_alone(archive)
    found = {secret: file.path for secret in secrets for file in archive.files if secret in file.content}
    assert found == {}
    described = str(archive.description).encode()
    assert [secret for secret in secrets if secret in described] == []


def test_bytecode_is_there_and_believed_without_a_look_at_its_source(archive: Archive) -> None:
    compiled = [file for file in archive.files if file.path.endswith(".cpython-311.pyc")]
    assert len(compiled) > 2000
    assert {file.content[4:8] for file in compiled} == {b"\x01\0\0\0"}
    ours = [file.path for file in archive.files if re.search(r"site-packages/(gateway|node_tuner)/.*\.py$", file.path)]
    names = {file.path for file in compiled}
    assert len(ours) > 200
    assert [
        path for path in ours if re.sub(r"([^/]+)\.py$", r"__pycache__/\1.cpython-311.pyc", path) not in names
    ] == []


def test_debian_packages_are_recorded_as_scanners_look_for_them(archive: Archive) -> None:
    listed = {
        line.split()[0] for line in (ROOT / "daemonset/image/packages.txt").read_text().splitlines() if line[0] != "#"
    }
    prefix = "var/lib/dpkg/status.d/"
    records = {file.path.removeprefix(prefix): file for file in archive.files if file.path.startswith(prefix)}
    assert {name for name in records if not name.endswith(".md5sums")} == listed
    assert all(b"\nVersion: " in records[name].content and f"{name}.md5sums" in records for name in listed)
    assert "usr/lib/os-release" in archive.paths


def test_pages_have_what_npm_has(archive: Archive) -> None:
    vendor = "opt/railbird/lib/python3.11/site-packages/gateway/web/vendor/"
    files = {"hls.min.mjs", "hls.min.mjs.gz", "hls.js.LICENSE", "uPlot.esm.js", "uPlot.esm.js.gz", "uPlot.min.css"}
    assert {f"{vendor}{name}" for name in files} <= archive.paths


def test_package_data_is_all_there(archive: Archive) -> None:
    """Each file of the packages that git has, but what kustomize reads there."""
    command = ["git", "ls-files", "--", "gateway", "loadgen", "node_tuner", "qos"]
    tracked = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    site_packages = "opt/railbird/lib/python3.11/site-packages/"
    present = [path for path in tracked if (ROOT / path).exists() and not path.endswith("/kustomization.yaml")]
    assert len(present) > 300
    assert [path for path in present if f"{site_packages}{path}" not in archive.paths] == []


def test_configuration_is_the_contract(archive: Archive) -> None:
    settings = archive.description["config"]
    assert settings["User"] == "65532:65532"
    assert settings["StopSignal"] == "SIGTERM"
    assert settings["Cmd"] == ["railbird-gateway"]
    assert settings["WorkingDir"] == "/opt/railbird"
    assert settings.get("Entrypoint") is None
    assert set(settings["ExposedPorts"]) == {"8080/tcp", "9108/tcp", "8189/udp"}
    wanted = {"title", "description", "version", "revision", "created", "base.name"}
    assert {f"org.opencontainers.image.{name}" for name in wanted} <= settings["Labels"].keys()
