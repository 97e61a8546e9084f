"""What sysctls are called, and which a profile may change."""

from pathlib import Path

import pytest

from node_tuner.profile.sysctl_names import FIELDS, NAMES, PORT_LISTS, TEXTS, check_name, limits

HERE = Path("/proc/sys")


@pytest.mark.parametrize(
    "name",
    [
        "net.core.rmem_max",
        "kernel.numa_balancing",
        "vm.stat_interval",
        "net.ipv4.conf.all.rp_filter",
        "net.ipv4.conf.eth0-5.rp_filter",
        "net.core.something_of_a_newer_kernel",
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
        ("fs.suid_dumpable", "a profile does not change this sysctl: only net., "),
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


def _here(name: str) -> Path:
    return HERE / name.replace(".", "/")


@pytest.mark.parametrize("name", sorted(name for name in NAMES - TEXTS - PORT_LISTS if _here(name).exists()))
def test_what_is_known_of_a_sysctl_is_so_on_this_kernel(name: str) -> None:
    fields = _here(name).read_text().split()
    smallest, largest = limits(name)
    assert len(fields) == FIELDS.get(name, 1)
    assert all(smallest <= int(number) <= largest for number in fields)


def test_sysctls_that_are_texts_or_lists_are_known_by_name() -> None:
    assert TEXTS | PORT_LISTS | FIELDS.keys() <= NAMES
