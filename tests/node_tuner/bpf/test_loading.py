"""Loading, by the kernel itself: what it takes, what it refuses and why, and what is left open afterwards."""

import platform
from pathlib import Path

import pytest

from node_tuner.bpf.instructions import Register, compute, encode, leave
from node_tuner.bpf.loading import loaded, obstacle, verifier_log
from node_tuner.errors import UnavailableError
from tests.node_tuner.namespaces import in_child
from tests.node_tuner.privileges import NOBODY, become

NOTHING = encode([compute(Register.R0, "=", -1), leave()])
READS_UNSET_REGISTER = encode([leave()])
LACKING = "needs CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN"


@pytest.mark.netns
def test_program_is_loaded_by_name_and_closed_afterwards() -> None:
    before = _descriptors()
    with loaded(NOTHING, "railbird_test") as descriptor:
        assert "bpf-prog" in str(Path(f"/proc/self/fd/{descriptor}").readlink())
    assert _descriptors() == before


@pytest.mark.netns
def test_program_is_closed_when_what_it_was_for_fails() -> None:
    before = _descriptors()
    with pytest.raises(KeyError), loaded(NOTHING, "railbird_test"):
        raise KeyError
    assert _descriptors() == before


@pytest.mark.netns
def test_refused_program_is_told_with_the_verifiers_last_lines() -> None:
    before = _descriptors()
    with (
        pytest.raises(UnavailableError, match=r"refuses the eBPF program: .*R0 !read_ok"),
        loaded(READS_UNSET_REGISTER, "railbird_test"),
    ):
        pass
    assert _descriptors() == before


@pytest.mark.netns
def test_verifiers_log_leaves_nothing_open() -> None:
    before = _descriptors()
    assert "processed 2 insns" in verifier_log(NOTHING)
    assert _descriptors() == before


@pytest.mark.netns
def test_refusal_is_short_however_much_the_verifier_says() -> None:
    long_way = encode([*[compute(Register.R0, "=", 1)] * 2000, compute(Register.R0, "=", Register.R5), leave()])
    assert len(verifier_log(long_way)) > 10_000
    with pytest.raises(UnavailableError) as refused, loaded(long_way, "railbird_test"):
        pass
    assert len(str(refused.value)) < 500


@pytest.mark.netns
def test_nothing_is_in_the_way_of_who_has_all_capabilities() -> None:
    assert obstacle() is None


@pytest.mark.netns
@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ((), LACKING),
        (("CAP_NET_ADMIN",), LACKING),
        (("CAP_NET_ADMIN", "CAP_BPF"), None),
        (("CAP_NET_ADMIN", "CAP_SYS_ADMIN"), None),
    ],
)
def test_process_with_few_capabilities_is_told_which_it_needs(
    capabilities: tuple[str, ...], expected: str | None
) -> None:
    assert in_child(lambda: _obstacle_with(*capabilities)) == expected


def test_machine_that_we_know_no_system_calls_of_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert obstacle() == "eBPF programs are written for x86_64 and aarch64, this is riscv64"


def _obstacle_with(*capabilities: str) -> str | None:
    become(NOBODY, *capabilities)
    return obstacle()


def _descriptors() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())
