"""What sysctls are called, and which a profile may change."""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import pytest

from node_tuner.profile.sysctl_names import FIELDS, NAMES, PORT_LISTS, TEXTS, check_name
from tests.node_tuner.namespaces import pair

HERE = Path("/proc/sys")


@pytest.mark.parametrize(
    "name",
    [
        "net.core.rmem_max",
        "kernel.numa_balancing",
        "vm.stat_interval",
    ],
)
def test_name_that_a_profile_may_change_is_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("net.core.rmem_mx", "there is no such sysctl; did you mean `net.core.rmem_max`?"),
        ("net.core.rmem.max", "there is no such sysctl; did you mean `net.core.rmem_max`?"),
        ("net.ipv4.tcp_notsent_lowatt", "did you mean `net.ipv4.tcp_notsent_lowat`?"),
        ("kernel.numa_balacing", "did you mean `kernel.numa_balancing`?"),
        ("vm.stat_interval2", "did you mean `vm.stat_interval`?"),
        ("core.rmem_max", "did you mean `net.core.rmem_max`?"),
        ("kernel.core_pattern", "a profile does not change this sysctl"),
        ("kernel.modprobe", "a profile does not change this sysctl"),
        ("vm.overcommit_memory", "a profile does not change this sysctl"),
        ("fs.suid_dumpable", "a profile does not change this sysctl: only those of which it is known"),
        ("net.core.of_a_newer_kernel", "a profile does not change this sysctl"),
        ("net.ipv4.ip_forward", "its write moves settings of interfaces too"),
        ("net.ipv4.conf.all.forwarding", "its write moves settings of interfaces too"),
        ("net.ipv6.conf.all.forwarding", "its write moves settings of interfaces too"),
        ("net.ipv4.conf.eth0-5.rp_filter", "its write moves settings of interfaces too"),
        ("net.ipv4.neigh.default.gc_stale_time", "its write moves settings of interfaces too"),
        ("net.nf_conntrack_max", "it is net.netfilter.nf_conntrack_max by another name"),
        ("net.core.flow_limit_table_len", "the kernel takes powers of two"),
        ("net.core.rps_default_mask", "say queues.rps, which knows the cores"),
        ("net.core.bpf_jit_harden", "it says who may do what on the node"),
        ("net.ipv4.ip_unprivileged_port_start", "it says who may do what on the node"),
        ("net.ipv4.ping_group_range", "it says who may do what on the node"),
        ("net.ipv4.tcp_fastopen_key", "it says who may do what on the node"),
        ("net.ipv4.tcp_syncookies", "it says who may do what on the node"),
        ("net/core/rmem_max", "expected the name of a sysctl"),
        ("net.core./rmem_max", "expected the name of a sysctl"),
        ("net..core.rmem_max", "expected the name of a sysctl"),
        ("net.core...kernel.core_pattern", "expected the name of a sysctl"),
        (".net.core", "expected the name of a sysctl"),
        ("net.core.", "expected the name of a sysctl"),
        ("net.core.rmem_max\n", "expected the name of a sysctl"),
        ("net.core.rmem max", "expected the name of a sysctl"),
        ("net", "expected the name of a sysctl"),
        ("", "expected the name of a sysctl"),
    ],
)
def test_name_that_a_profile_may_not_change_is_refused(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("?", r"\?").replace(".", r"\.")):
        check_name(name)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_known_name_is_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.netns
def test_write_of_one_moves_no_other() -> None:
    with pair() as joined:
        tried, moved = joined.near.namespace.call(_moved)
    assert {"net.ipv4.tcp_rmem", "net.ipv4.ip_local_port_range"} <= tried
    assert moved == {}


@pytest.mark.netns
def test_write_that_moves_others_is_seen() -> None:
    with pair() as joined:
        _, moved = joined.near.namespace.call(lambda: _moved(["net.ipv4.ip_forward"]))
    assert "net.ipv4.conf.media0.forwarding" in moved["net.ipv4.ip_forward"]


def _moved(names: Collection[str] = NAMES) -> tuple[set[str], dict[str, set[str]]]:
    """Those of the namespace's own that could be written, and what else each of them moved; all is put back."""
    # What is not the namespace's own, the whole host's tests may be turning: it cannot be written here.
    own = {".".join(path.relative_to(HERE).parts): path for path in (HERE / "net").rglob("*") if _is_writable(path)}
    before = {name: _text(path) for name, path in own.items()}
    tried, moved = set(), {}
    for name in sorted(own.keys() & names):
        if not _is_turned(own[name]):
            continue
        tried.add(name)
        after = {each: _text(path) for each, path in own.items()}
        own[name].write_text(before[name])
        if others := {each for each in before if after[each] != before[each]} - {name}:
            moved[name] = others
    assert moved or {name: _text(path) for name, path in own.items()} == before
    return tried, moved


def _is_turned(setting: Path) -> bool:
    """Whether some other number was taken."""
    original = setting.read_text()
    for change in (1, -1):
        with suppress(OSError, ValueError):
            setting.write_text(" ".join(str(int(field) + change) for field in original.split()) + "\n")
            if setting.read_text() != original:
                return True
    return False


def _text(setting: Path) -> str:
    with suppress(OSError):  # a secret that nobody has set cannot be read
        return setting.read_text()
    return ""


def _is_writable(setting: Path) -> bool:
    return setting.is_file() and bool(setting.stat().st_mode & 0o222)


def test_sysctls_that_are_texts_or_lists_are_known_by_name() -> None:
    assert TEXTS | PORT_LISTS | FIELDS.keys() <= NAMES
