"""Profile files, and what they are refused for: every refusal names its line."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from node_tuner.errors import ProfileError
from node_tuner.profile.loading import MAX_FILE_BYTES, MAX_PROBLEMS, load, shipped
from node_tuner.profile.schema import Profile

HEAD = "schema: 1\nname: mine\nmedia_ports: 8189\n"
WHY = "why: it is so, source: a page"
SYSCTL = HEAD + "sysctls:\n"
MEDIA_EDGE = next(path.read_text() for path in shipped() if path.stem == "media-edge")

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(content: str | bytes) -> Path:
        path = tmp_path / "mine.yml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


def refusal(path: str | Path) -> list[str]:
    with pytest.raises(ProfileError) as refused:
        load(path)
    return str(refused.value).splitlines()


def test_profile_is_read_from_a_file(write: Write) -> None:
    profile = load(write(HEAD + f"qdisc: {{kind: fq, {WHY}}}\n"))
    assert (profile.name, str(profile.media_ports)) == ("mine", "8189")
    assert profile.qdisc is not None


def test_shipped_profile_goes_by_its_name() -> None:
    assert [path.stem for path in shipped()] == ["media-edge"]
    assert load("media-edge") == load(shipped()[0])


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        # Keys.
        (HEAD + "sysctl: {}\n", 4, "sysctl: there is no such key; did you mean `sysctls`?"),
        (HEAD + "zzzzzz: 5\n", 4, "zzzzzz: there is no such key"),
        (HEAD + "schema_version: 1\n", 4, "schema_version: there is no such key"),
        (HEAD + "nic:\n  chanels: {}\n", 5, "nic.chanels: there is no such key; did you mean `channels`?"),
        (HEAD + "name: other\n", 4, "name: it is there twice, first in line 2"),
        ("name: mine\nmedia_ports: 8189\n", 1, "schema: it is missing"),
        ("\n\nschema: 1\nname: mine\n", 1, "media_ports: it is missing"),
        (HEAD + f"conntrack:\n  {{{WHY}}}\n", 4, "conntrack.bypass: it is missing"),
        (HEAD + "qdisc:\n  kind: fq\n  why: so\n", 4, "qdisc.source: it is missing"),
        (HEAD + "5: 6\n", 4, "5: there is no such key"),
        (HEAD + "(x): 1\n", 4, "(x): there is no such key"),
        (HEAD + "'[x]': 1\n", 4, "[x]: there is no such key"),
        (HEAD + "(word): 1\n", 1, "there is no such key"),
        (
            SYSCTL + f"  (net.core.wmem_max): {{at_least: 5000, {WHY}}}\n",
            5,
            "sysctls.(net.core.wmem_max): expected the",
        ),
        (
            HEAD + f"nic:\n  offloads:\n    features:\n      (tx-gso): on\n    {WHY.split(',')[0]}\n",
            7,
            "nic.offloads.features.(tx-gso): expected",
        ),
        # Types.
        ("schema: 2\nname: mine\nmedia_ports: 1\n", 1, "schema: expected 1"),
        ("schema: 1\nname: [mine]\nmedia_ports: 1\n", 2, "name: expected text"),
        ("schema: 1\nname: a b\nmedia_ports: 1\n", 2, "name: this text is not of the right form"),
        ("schema: 1\nname: mine\nmedia_ports: 70000\n", 3, "media_ports: 70000: ports are 1 to 65535"),
        ("schema: 1\nname: mine\nmedia_ports: 9-8\n", 3, "media_ports: 9-8: ports are 1 to 65535"),
        ("schema: 1\nname: mine\nmedia_ports:\n", 3, "media_ports: None: expected a port"),
        (HEAD + "interface: eth0\n", 4, "interface: expected 'default_route'"),
        (HEAD + "interface:\n  address: 1.2.3\n", 5, "interface.address: expected an IPv4 or IPv6 address"),
        (HEAD + "sysctls: []\n", 4, "sysctls: expected keys with values"),
        (HEAD + "nic: 5\n", 4, "nic: expected keys with values"),
        (HEAD + f"nic:\n  rings: {{rx: some, {WHY}}}\n", 5, "nic.rings.rx: expected 'max'"),
        (HEAD + f"nic:\n  rings: {{{WHY}}}\n", 5, "nic.rings: expected at least one of rx, tx"),
        (
            HEAD + f"nic:\n  offloads:\n    features:\n      tx-udp-segmentation: on\n    {WHY.split(',')[0]}\n",
            7,
            "nic.offloads.features.tx-udp-segmentation: expected true or false",
        ),
        (HEAD + f"queues:\n  rps: {{steer: yes, {WHY}}}\n", 5, "queues.rps.steer: expected 'off'"),
        (HEAD + "qdisc:\n  kind: fq\n  required: yes\n", 6, "qdisc.required: expected true or false"),
        # Sysctls.
        (SYSCTL + f"  net.core.rmem_mx: {{at_least: 5000, {WHY}}}\n", 5, "sysctls.net.core.rmem_mx: there is no such"),
        (SYSCTL + f"  net/core/rmem_max: {{at_least: 5000, {WHY}}}\n", 5, "sysctls.net/core/rmem_max: expected the"),
        (SYSCTL + f"  ../../etc/passwd: {{exactly: x, {WHY}}}\n", 5, "sysctls.../../etc/passwd: expected the name"),
        (SYSCTL + f"  kernel.core_pattern: {{exactly: x, {WHY}}}\n", 5, "sysctls.kernel.core_pattern: a profile does"),
        (SYSCTL + "  net.core.rmem_max: 5000\n", 5, "sysctls.net.core.rmem_max: expected keys with values"),
        (SYSCTL + f"  net.core.rmem_max: {{{WHY}}}\n", 5, "sysctls.net.core.rmem_max: expected exactly one of"),
        (
            SYSCTL + "  net.core.wmem_max:\n    exactly: 5000\n    at_least: 5000\n    why: a\n    source: b\n",
            7,
            "sysctls.net.core.wmem_max.at_least: expected exactly one of",
        ),
        (
            SYSCTL + "  net.core.wmem_max:\n    why: a\n    source: b\n    at_least: 2147483648\n",
            8,
            "sysctls.net.core.wmem_max.at_least: the kernel takes 4608 to 2147483647 here",
        ),
        (
            SYSCTL + "  net.core.wmem_max:\n    why: a\n    at_least: lots\n",
            7,
            "sysctls.net.core.wmem_max.at_least: expected a whole number",
        ),
        (
            SYSCTL + "  net.core.wmem_max:\n    why: a\n    at_least:\n      rule: per_disk\n      factor: 5\n",
            8,
            "sysctls.net.core.wmem_max.at_least.rule: expected 'per_core'",
        ),
        (
            SYSCTL + "  net.ipv4.tcp_rmem:\n    why: a\n    source: b\n    fields_at_least:\n      - 1\n      - 2\n"
            "      - -3\n",
            11,
            "sysctls.net.ipv4.tcp_rmem.fields_at_least.2: expected at least 0",
        ),
        # Marks.
        (
            HEAD + "dscp:\n  mechanism: nft\n  why: a\n  source: b\n  rules:\n    - class: audio\n      dscp: EFF\n",
            10,
            "dscp.rules.0.dscp: expected 0 to 63, or one of DF",
        ),
        (
            HEAD + "dscp:\n  mechanism: nft\n  why: a\n  source: b\n  rules:\n    - class: audio\n      dscp: EF\n"
            "      payload: media\n      payload_types: [111,\n        64]\n",
            13,
            "dscp.rules.0.payload_types.1: 64 to 95 are RTCP's",
        ),
        # YAML.
        (HEAD + "sysctls: [\n", 5, "expected the node content"),
        ("schema: 1\nname: a: b\n", 2, "mapping values are not allowed here"),
        (HEAD + "\tqdisc: 5\n", 4, "found character '\\t'"),
        (HEAD + "a: &b c\n", 4, "anchors and aliases are not taken here"),
        (HEAD + "a: !!binary c\n", 4, "tags are not taken here"),
        (HEAD + "---\n", 4, "but found another document"),
        ("", 1, "expected keys with values at the top level"),
        ("just text\n", 1, "expected keys with values at the top level"),
        ("- a\n", 1, "expected keys with values at the top level"),
        (MEDIA_EDGE.replace("net.core.optmem_max:", "net.core.optmem_mx:"), None, "did you mean `net.core.optmem_max`"),
        (MEDIA_EDGE.replace("steer: where_queues", "steer: were_queues", 1), None, "queues.rps.steer: expected 'off'"),
        (MEDIA_EDGE.replace("at_least: 100000", "at_least: 1OOOOO"), None, "netdev_max_backlog.at_least: expected a"),
    ],
)
def test_bad_profile_is_refused_by_its_line(write: Write, text: str, line: int | None, said: str) -> None:
    path = write(text)
    problems = refusal(path)
    assert all(re.match(rf"{re.escape(str(path))}:\d+: .", problem) for problem in problems)
    # None: the line that differs from the shipped profile.
    places = zip(text.splitlines(), MEDIA_EDGE.splitlines(), strict=False)
    line = line or next(number for number, (own, shipped_one) in enumerate(places, 1) if own != shipped_one)
    assert any(problem.startswith(f"{path}:{line}: ") and said in problem for problem in problems), problems


def test_bytes_that_are_no_text_are_refused_by_their_line(write: Write) -> None:
    path = write(HEAD.encode() + b"summary: caf\xe9\n")
    assert refusal(path) == [f"{path}:4: it is not UTF-8"]
    path = write(HEAD.encode() + b"summary: a\x00b\n")
    assert refusal(path) == [f"{path}:4: it has a character that YAML does not allow"]


def test_every_problem_is_named_in_the_order_of_lines(write: Write) -> None:
    path = write("schema: 1\nnme: mine\nmedia_ports: 0\nqdisc: 5\nqdisc: 6\n")
    assert [problem.removeprefix(f"{path}:").split(":")[0] for problem in refusal(path)] == ["1", "2", "3", "4", "5"]


def test_problems_without_end_are_counted(write: Write) -> None:
    problems = refusal(write(HEAD + "".join(f"zzz{number}: 1\n" for number in range(MAX_PROBLEMS + 7))))
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1].endswith("and 7 more")


def test_file_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    assert refusal(path) == [f"{path}: there is no such file, and no such shipped profile: media-edge"]
    assert refusal("media-egde") == ["media-egde: there is no such file, and no such shipped profile: media-edge"]


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == [f"{tmp_path}: it cannot be read: Is a directory"]
    assert refusal("a\0b") == ["a\0b: it cannot be read: embedded null byte"]
    assert refusal("a" * 5000) == ["a" * 5000 + ": it cannot be read: File name too long"]


def test_file_without_end_is_refused(write: Write) -> None:
    path = write(HEAD + "#" * MAX_FILE_BYTES)
    assert refusal(path) == [f"{path}: it is larger than 128 KiB: no profile is"]


def test_pipe_that_nobody_writes_to_is_no_profile(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert refusal(pipe) == [f"{pipe}: it is no file"]


@settings(deadline=None)
@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"\xff\xfes\x00")
@example(b"a: 9" + b"9" * 5000)
def test_any_bytes_are_refused_by_profile_error_alone(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / f"any-{os.getpid()}.yml"
    path.write_bytes(content)
    with pytest.raises(ProfileError):
        load(path)


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 2**70)
    | st.floats()
    | st.sampled_from(["media_ports", "max", "cores", "fq", "EF", "nft", "off", "per_core", "8189-9000", "", "\ud7ff"])
    | st.text(max_size=5)
)
NAMES = sorted({key for section in Profile.model_json_schema()["$defs"].values() for key in section["properties"]})
KEYS = st.sampled_from([*NAMES, *Profile.model_json_schema()["properties"], "net.core.rmem_max", "net.ipv4.tcp_rmem"])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=30
)


def _paths(values: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    return [path, *(each for key, value in below for each in _paths(value, (*path, key)))]


SHIPPED = yaml.safe_load(MEDIA_EDGE)


def _replaced(values: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(values) if isinstance(values, dict) else list(values)
    copy[path[0]] = _replaced(values[path[0]], path[1:], value)
    return copy


@given(path=st.sampled_from(_paths(SHIPPED)), value=VALUES)
@settings(max_examples=60, deadline=None)
def test_profile_with_anything_in_any_place_is_taken_or_refused_by_lines(
    tmp_path_factory: pytest.TempPathFactory, path: tuple[Any, ...], value: Any
) -> None:
    file = tmp_path_factory.getbasetemp() / f"mutated-{os.getpid()}.yml"
    file.write_text(yaml.safe_dump(_replaced(SHIPPED, path, value), allow_unicode=True), encoding="utf-8")
    problems: list[str] = []
    try:
        load(file)
    except ProfileError as error:
        problems = str(error).splitlines()[:MAX_PROBLEMS]
    assert all(re.match(rf"{re.escape(str(file))}:\d+: .", problem) for problem in problems)
