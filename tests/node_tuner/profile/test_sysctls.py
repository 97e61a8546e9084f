"""Sysctls of a profile: one aim each, of a kind that the setting has, with numbers that the kernel takes."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from node_tuner.ports import Ports
from node_tuner.profile.rules import MachineRule
from node_tuner.profile.sysctls import Sysctls

SYSCTLS: TypeAdapter[Any] = TypeAdapter(Sysctls)
WHY = {"why": "it is so", "source": "a page"}
LINK = {"rule": "link_ms", "factor": 20}


def read(name: str, **aim: Any) -> Any:
    return SYSCTLS.validate_python({name: {**WHY, **aim}})[name]


@pytest.mark.parametrize(
    ("name", "aim"),
    [
        ("net.core.rmem_max", {"at_least": 26_214_400}),
        ("net.core.rmem_max", {"exactly": 26_214_400}),
        ("net.core.rmem_max", {"exactly": "26214400"}),
        ("net.core.default_qdisc", {"exactly": "fq"}),
        ("net.ipv4.tcp_rmem", {"fields_at_least": (None, None, 5)}),
        ("net.ipv4.tcp_rmem", {"exactly": "4096 131072 6291456"}),
        ("net.ipv4.tcp_rmem", {"exactly": "4096 4096 131072"}),
        ("net.ipv4.ip_local_port_range", {"exactly": "1000 60000"}),
        ("net.ipv4.udp_mem", {"fields_at_least": (None, None, 2**62)}),
        ("net.ipv4.tcp_notsent_lowat", {"exactly": 2**32 - 1}),
        ("net.core.netdev_budget", {"at_least": 600, "when": "softnet_squeezed"}),
        ("net.ipv4.ip_default_ttl", {"exactly": {"rule": "per_core", "factor": 64, "at_least": 64, "at_most": 255}}),
        ("vm.min_free_kbytes", {"at_least": {"rule": "per_memory_mib", "factor": 10.24}}),
    ],
)
def test_aim_is_read(name: str, aim: dict[str, Any]) -> None:
    spec = read(name, **aim)
    assert spec.model_dump(exclude_unset=True)[spec.aim] == aim[spec.aim]
    assert spec.required is False


def test_ports_are_read_or_refer_to_the_profile() -> None:
    assert read("net.ipv4.ip_local_reserved_ports", ports="media_ports").ports == "media_ports"
    assert read("net.ipv4.ip_local_reserved_ports", ports=[8189, "9000-9001"]).ports == Ports({8189, 9000, 9001})


def test_numbers_are_told_with_their_places() -> None:
    rule = {"rule": "per_core", "factor": 3}
    spec = read("net.ipv4.tcp_rmem", fields_at_least=[None, rule, 5])
    assert list(spec.numbers) == [
        (("fields_at_least", 1), MachineRule.model_validate(rule)),
        (("fields_at_least", 2), 5),
    ]
    assert list(read("net.core.default_qdisc", exactly="fq").numbers) == []


@pytest.mark.parametrize(
    ("name", "aim", "said"),
    [
        ("net.core.rmem_max", {}, "expected exactly one of exactly, at_least, fields_at_least, ports"),
        ("net.core.rmem_max", {"exactly": 5000, "at_least": 5000}, "expected exactly one of"),
        ("net.core.rmem_max", {"at_least": 2**31}, "the kernel takes 2304 to 2147483647 here"),
        ("net.core.rmem_max", {"at_least": 2303}, "the kernel takes 2304 to"),
        ("net.core.rmem_max", {"at_least": -1}, "greater than or equal to 0"),
        ("net.core.rmem_max", {"at_least": 5000.5}, "valid integer"),
        ("net.core.rmem_max", {"at_least": "5000"}, "valid integer"),
        ("net.core.rmem_max", {"at_least": True}, "valid integer"),
        ("net.core.rmem_max", {"exactly": True}, "valid integer"),
        ("net.core.rmem_max", {"exactly": "lots"}, "this sysctl is a number from 2304 to 2147483647"),
        ("net.core.rmem_max", {"exactly": "99999999999"}, "this sysctl is a number from"),
        ("net.core.rmem_max", {"exactly": "5000 5000"}, r"this sysctl is 1 number\(s\)"),
        ("net.core.rmem_max", {"fields_at_least": [1, 5000]}, "the kernel takes 2304 to"),
        ("net.core.rmem_max", {"fields_at_least": [5000, 5000]}, r"this sysctl is 1 number\(s\)"),
        ("net.core.rmem_max", {"ports": 8189}, "this sysctl is no list of ports"),
        ("net.core.rmem_max", {"exactly": "5000\nfoo"}, "should match pattern"),
        ("net.core.rmem_max", {"at_least": {"rule": "per_core", "factor": 1, "at_most": 2**31}}, "the kernel takes"),
        ("net.core.rmem_max", {"at_least": {"rule": "per_core", "factor": 1, "at_least": 9}}, "the kernel takes"),
        ("net.core.rmem_max", {"at_least": {"rule": "link_ms", "factor": 1, "otherwise": 9}}, "the kernel takes"),
        ("net.core.default_qdisc", {"at_least": 5}, "expected `exactly` and a text"),
        ("net.core.default_qdisc", {"exactly": 5}, "expected `exactly` and a text"),
        ("net.ipv4.tcp_rmem", {"at_least": 5}, r"this sysctl is 3 number\(s\)"),
        ("net.ipv4.tcp_rmem", {"fields_at_least": [5, 5]}, r"this sysctl is 3 number\(s\)"),
        ("net.ipv4.tcp_rmem", {"fields_at_least": [5]}, "at least 2 items"),
        ("net.ipv4.tcp_rmem", {"fields_at_least": 5}, "valid tuple"),
        ("net.ipv4.tcp_rmem", {"exactly": "9 4 10"}, "none is smaller than the one before it"),
        ("net.ipv4.tcp_rmem", {"fields_at_least": [None, 9, 4]}, "none is smaller than the one before it"),
        ("net.ipv4.udp_mem", {"fields_at_least": [9, None, 4]}, "none is smaller than the one before it"),
        ("net.ipv4.ip_local_port_range", {"exactly": "60000 1000"}, "none is smaller than the one before it"),
        ("net.ipv4.ip_local_reserved_ports", {"exactly": "8189"}, "expected `ports`"),
        ("net.ipv4.ip_local_reserved_ports", {"ports": "8189-"}, "expected a port or a range"),
        ("net.ipv4.ip_local_reserved_ports", {"ports": []}, "expected at least one port"),
        ("net.ipv4.ip_local_reserved_ports", {"ports": ""}, "expected at least one port"),
        ("net.ipv4.ip_local_reserved_ports", {"ports": {}}, "expected up to 16 ports"),
        ("net.ipv4.ip_local_reserved_ports", {"ports": ["1-65535"] * 17}, "expected up to 16 ports"),
        ("net.ipv4.tcp_slow_start_after_idle", {"exactly": 256}, "the kernel takes 0 to 255 here"),
        ("net.ipv4.tcp_shrink_window", {"exactly": 2}, "the kernel takes 0 to 1 here"),
        ("net.ipv4.ip_default_ttl", {"exactly": 300}, "the kernel takes 1 to 255 here"),
        ("net.ipv4.ip_default_ttl", {"exactly": "0"}, "this sysctl is a number from 1 to 255"),
        ("net.ipv4.ip_default_ttl", {"exactly": {"rule": "per_core", "factor": 64}}, "say `at_most`: the kernel takes"),
        ("net.ipv4.tcp_fin_timeout", {"exactly": 21_474_837}, "the kernel takes 0 to 21474836 here"),
        ("vm.swappiness", {"exactly": 500}, "the kernel takes 0 to 200 here"),
        ("vm.min_free_kbytes", {"at_least": {"rule": "memory_share", "factor": 0.01}}, "the kernel counts kB here"),
        ("net.ipv4.udp_mem", {"fields_at_least": [1, 1, {**LINK, "otherwise": 9}]}, "the kernel counts pages here"),
        ("net.core.netdev_budget", {"at_least": 600, "when": "raining"}, "softnet_squeezed"),
        ("net.ipv4.ip_forward", {"exactly": 1}, "its write moves settings of interfaces too"),
        ("net.core.rmem_mx", {"at_least": 5000}, "did you mean `net.core.rmem_max`"),
    ],
)
def test_impossible_aim_is_refused(name: str, aim: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        read(name, **aim)


def test_reason_and_source_are_never_missing() -> None:
    with pytest.raises(ValidationError) as refused:
        SYSCTLS.validate_python({"net.core.rmem_max": {"at_least": 5000, "why": " "}})
    assert {error["loc"][-1] for error in refused.value.errors()} == {"why", "source"}
