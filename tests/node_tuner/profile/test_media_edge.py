"""The shipped profile: it loads, it says what it must, and it explains every key that there is."""

import re
from pathlib import Path

import pytest

from node_tuner.profile.dscp import DSCP_NAMES
from node_tuner.profile.loading import load, shipped
from node_tuner.profile.rules import RULES
from node_tuner.profile.schema import Profile
from node_tuner.profile.sysctls import SysctlSpec

[PATH] = shipped()
TEXT = PATH.read_text()

SCHEMA = Profile.model_json_schema(by_alias=True)
KEYS = sorted({key for section in (SCHEMA, *SCHEMA["$defs"].values()) for key in section.get("properties", ())})
WORDS = sorted(
    {
        str(word)
        for section in SCHEMA["$defs"].values()
        for field in section.get("properties", {}).values()
        for option in (field, *field.get("anyOf", ()), *field.get("oneOf", ()))
        for word in option.get("enum", (option["const"],) if "const" in option else ())
    }
)


def _required(profile: Profile) -> set[str]:
    return {name for name, spec in profile.sysctls.items() if spec.required}


def test_it_says_what_a_node_cannot_do_without() -> None:
    profile = load("media-edge")
    assert _required(profile) == {"net.core.rmem_max", "net.core.wmem_max", "net.ipv4.ip_local_reserved_ports"}
    assert profile.conntrack is not None
    assert profile.conntrack.required
    assert profile.dscp is not None
    assert not profile.dscp.required


def test_schema_was_looked_into() -> None:
    assert {"fields_at_least", "steer", "payload_types", "adaptive_tx", "otherwise"} <= set(KEYS)
    assert {"retransmission", "where_queues_below_cores", "link_ms", "softnet_squeezed"} <= set(WORDS)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_explained(key: str) -> None:
    assert re.search(rf"(?<![\w.]){key}(?!\w)", TEXT), f"{key} is not in {PATH.name}"


@pytest.mark.parametrize("word", [*WORDS, *RULES])
def test_every_word_that_a_key_takes_is_named(word: str) -> None:
    assert re.search(rf"(?<![\w-]){word}(?![\w-])", TEXT), f"{word} is not in {PATH.name}"


def test_what_is_commented_out_would_be_taken(tmp_path: Path) -> None:
    path = tmp_path / "all.yml"
    path.write_text(_uncommented())
    profile = load(path)
    assert profile.cpu_dma_latency_us is not None
    assert profile.nic.coalescing is not None
    assert profile.dscp is not None
    assert profile.dscp.rules[-1].transport == "tcp"
    # Nothing else changed: the same knobs as before.
    assert profile.sysctls == load("media-edge").sysctls


def _uncommented() -> str:
    """The file with its examples in force: comments from a line that is a key alone to the next that is empty."""
    lines = TEXT.splitlines()
    for start in ("# coalescing:", "# cpu_dma_latency_us:", "# - class: other"):
        first = next(number for number, line in enumerate(lines) if line.strip() == start)
        for number in range(first, len(lines)):
            if not lines[number].strip().startswith("# "):
                break
            lines[number] = lines[number].replace("# ", "", 1)
    return "\n".join(lines)


def test_dscp_names_are_those_that_the_manual_gives() -> None:
    given = re.search(r"dscp +a name \(([^)]+)\)", TEXT)
    assert given is not None
    assert given[1] == "DF, LE, VA, EF, CS0 to CS7, AF11 to AF43"
    assert {"DF", "LE", "VA", "EF", "CS0", "CS7", "AF11", "AF43"} <= set(DSCP_NAMES)


def test_every_sysctl_has_an_aim() -> None:
    assert all(isinstance(spec, SysctlSpec) and spec.aim for spec in load("media-edge").sysctls.values())
