"""The program, run by the kernel, against the same rules in Python; and what no program is made for."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node_tuner.bpf.loading import loaded, verifier_log
from node_tuner.bpf.program import MAX_PORT_RANGES, MAX_RULES, assemble
from node_tuner.marking import Marking, MarkRule, Payload, Transport
from node_tuner.ports import Ports
from tests.node_tuner.bpf.frames import frames, markings
from tests.node_tuner.bpf.kernel_run import run
from tests.node_tuner.bpf.reference import IPV4, LINK_HEADER_BYTES, marked, ones_complement_sum

TC_ACT_UNSPEC = -1
VERIFIER_LIMIT = 1_000_000
"""BPF_COMPLEXITY_LIMIT_INSNS of Linux 5.2 and later."""

_IPV4_FRAME = bytes.fromhex(
    "020000000002 020000000001 0800"  # Ethernet
    "4501 0020 1234 4000 40 11 0000 0a000001 0a000002"  # IPv4: ECN 1
    "1ffd 0009 000c 0000 80 6f 0000"  # UDP from 8189: RTP of payload type 111
)

_IPV6_FRAME = bytes.fromhex(
    "020000000002 020000000001 86dd"
    "601fffff 000c 11 40 fd000000000000000000000000000001 fd000000000000000000000000000002"
    "1ffd 0009 000c 0000 80 6f 0000"
)
_PAYLOAD_AT = 42


@pytest.mark.netns
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(markings, st.lists(frames(), min_size=6, max_size=20))
def test_program_does_to_any_frame_what_the_reference_does(marking: Marking, some: list[bytes]) -> None:
    with loaded(assemble(marking, LINK_HEADER_BYTES), "test") as program:
        for frame in some:
            assert run(program, frame) == (TC_ACT_UNSPEC, marked(frame, marking))


@pytest.mark.netns
def test_header_checksum_that_was_right_stays_right_with_every_mark() -> None:
    checksum = ~ones_complement_sum(_IPV4_FRAME[14:34]) & 0xFFFF
    frame = _IPV4_FRAME[:24] + checksum.to_bytes(2) + _IPV4_FRAME[26:]
    for dscp in range(64):
        with loaded(assemble(Marking((_rule(dscp=dscp),), only_unmarked=False), LINK_HEADER_BYTES), "test") as program:
            _, after = run(program, frame)
        assert ones_complement_sum(after[14:34]) == 0xFFFF
        assert after[15] == dscp << 2 | 1


@pytest.mark.netns
@pytest.mark.parametrize("payload_types", [{0}, {31}, {32}, {63}, {64}, {127}, {0, 64, 96, 111}, set()])
def test_every_begin_of_a_payload_is_what_the_reference_takes_it_for(payload_types: set[int]) -> None:
    media = _rule(payload=Payload.MEDIA, payload_types=frozenset(payload_types), dscp=34)
    marking = Marking((media, _rule(payload=Payload.DTLS, dscp=18), _rule(dscp=1)), only_unmarked=False)
    payloads = [b"", *_with_first_bytes(b""), *_with_first_bytes(b"\0"), *(bytes([144, each]) for each in range(256))]
    with loaded(assemble(marking, LINK_HEADER_BYTES), "test") as program:
        for frame in [_IPV4_FRAME[:_PAYLOAD_AT] + payload for payload in payloads]:
            assert run(program, frame)[1] == marked(frame, marking)


@pytest.mark.netns
@pytest.mark.parametrize("only_unmarked", [True, False])
def test_every_mark_that_is_there_before_is_kept_or_replaced(only_unmarked: bool) -> None:
    with loaded(assemble(Marking((_rule(),), only_unmarked), LINK_HEADER_BYTES), "test") as program:
        for tos in range(256):
            expected = tos if only_unmarked and tos >> 2 else 46 << 2 | tos & 3
            ipv4 = _IPV4_FRAME[:15] + bytes([tos]) + _IPV4_FRAME[16:]
            ipv6 = _IPV6_FRAME[:14] + (6 << 12 | tos << 4 | 0xF).to_bytes(2) + _IPV6_FRAME[16:]
            assert run(program, ipv4)[1][15] == expected
            assert run(program, ipv6)[1][14:16] == (6 << 12 | expected << 4 | 0xF).to_bytes(2)


@pytest.mark.netns
@pytest.mark.parametrize("bit", range(16))
def test_datagram_with_any_bit_of_a_fragment_stays(bit: int) -> None:
    frame = _IPV4_FRAME[:20] + (1 << bit).to_bytes(2) + _IPV4_FRAME[22:]
    with loaded(assemble(Marking((_rule(),), only_unmarked=False), LINK_HEADER_BYTES), "test") as program:
        is_fragment = bit < 14  # the others are "don't fragment" and one that is reserved
        assert (run(program, frame)[1] == frame) == is_fragment


@pytest.mark.netns
@pytest.mark.parametrize("ethertype", [0x8100, 0x88A8, 0x0806])
def test_frame_that_is_no_ip_in_itself_stays(ethertype: int) -> None:
    tagged = _IPV4_FRAME[:12] + ethertype.to_bytes(2) + bytes(2) + IPV4.to_bytes(2) + _IPV4_FRAME[14:]
    with loaded(assemble(Marking((_rule(),), only_unmarked=False), 14), "test") as program:
        assert run(program, tagged) == (TC_ACT_UNSPEC, tagged)
        assert run(program, _IPV4_FRAME)[1] != _IPV4_FRAME


@pytest.mark.netns
def test_each_of_the_most_rules_is_told_from_all_others() -> None:
    rules = tuple(_rule(ports=Ports([8000 + index]), dscp=index + 1) for index in range(MAX_RULES))
    with loaded(assemble(Marking(rules, only_unmarked=False), LINK_HEADER_BYTES), "test") as program:
        frames_after = [run(program, _from_port(8000 + index))[1] for index in range(MAX_RULES + 1)]
    assert [frame[15] >> 2 for frame in frames_after] == [*range(1, MAX_RULES + 1), 0]


@pytest.mark.netns
def test_largest_program_is_well_within_what_the_verifier_walks() -> None:
    program = assemble(_largest(), LINK_HEADER_BYTES)
    walked = re.search(r"processed (\d+) insns", verifier_log(program, log_level=4))
    assert walked is not None
    assert int(walked[1]) < VERIFIER_LIMIT / 2
    with loaded(program, "test") as descriptor:
        for frame in map(_from_port, range(1000, 65_000, 499)):
            assert run(descriptor, frame)[1] == marked(frame, _largest())


@pytest.mark.parametrize(
    ("marking", "sentence"),
    [
        ([], "there are no rules"),
        ([{}] * (MAX_RULES + 1), f"{MAX_RULES + 1} rules are more than the {MAX_RULES}"),
        ([{"ports": Ports(range(2, 2 * MAX_PORT_RANGES + 4, 2))}], f"{MAX_PORT_RANGES + 1} ranges of ports are more"),
        ([{"ports": Ports()}], "audio: it has no ports"),
        ([{"transport": Transport.TCP, "payload": Payload.DTLS}], "audio: what the first byte says is true of datag"),
        ([{"payload": Payload.DTLS, "payload_types": frozenset({96})}], "audio: only media has RTP payload types"),
        ([{"payload": Payload.MEDIA, "payload_types": frozenset({128})}], "audio: RTP payload types are 0 to 127"),
        ([{"dscp": 64}], "audio: a DSCP is 0 to 63"),
    ],
)
def test_marking_that_no_program_is_made_for_is_refused(marking: list[Mapping[str, Any]], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        assemble(Marking(tuple(_rule(**each) for each in marking), only_unmarked=True), LINK_HEADER_BYTES)


def _with_first_bytes(following: bytes) -> list[bytes]:
    return [bytes([first]) + following for first in range(256)]


def _from_port(port: int) -> bytes:
    return _IPV4_FRAME[:34] + port.to_bytes(2) + _IPV4_FRAME[36:]


def _rule(**different: Any) -> MarkRule:
    usual = {
        "traffic_class": "audio",
        "transport": Transport.UDP,
        "ports": Ports([8189]),
        "payload": Payload.ANY,
        "payload_types": frozenset(),
        "dscp": 46,
    }
    return MarkRule(**{**usual, **different})


def _largest() -> Marking:
    """As many rules and ranges as may be; they overlap, so that each stretch of ports fits others."""
    return Marking(tuple(_long_rule(index, MAX_PORT_RANGES // MAX_RULES) for index in range(MAX_RULES)), True)


def _long_rule(index: int, ranges: int) -> MarkRule:
    starts = [1000 + index * 37 + each * 3750 for each in range(ranges)]
    ports = Ports(port for start in starts for port in range(start, start + 700 + index * 13))
    assert len(list(ports.ranges())) == ranges
    return _rule(ports=ports, payload=Payload.MEDIA, payload_types=frozenset(range(index, 127, 2)), dscp=index + 1)
