"""Frames and markings for properties: half of the frames are right and near a rule, the others are odd in one way."""

from hypothesis import strategies as st

from node_tuner.marking import Marking, MarkRule, Payload, Transport
from node_tuner.ports import Ports
from tests.node_tuner.bpf.reference import IPV4, IPV6, LINK_HEADER_BYTES, ones_complement_sum

_RULE_PORTS = [1, 2, 3, 5, 8189, 65_535]
_NEAR_PORTS = [0, 4, 6, 8188, 8190, 65_534]
_EDGES = [0, 3, 19, 20, 63, 64, 127, 128, 144, 191, 192, 255]
_PAYLOAD_TYPES = [0, 1, 31, 32, 63, 64, 65, 96, 111, 127]
_ODDITIES = ["ethertype", "version", "words", "fragment", "protocol", "port", "checksum", "cut"]
_MAC_ADDRESSES = bytes.fromhex("020000000002 020000000001")
_ADDRESSES = {IPV4: bytes([0, 1] * 4), IPV6: bytes([0, 1] * 16)}
"""Of numbers that look like ports of a rule, to whoever looks for these in the wrong place."""


@st.composite
def rules(draw: st.DrawFn) -> MarkRule:
    """A rule that makes sense."""
    transport = draw(st.sampled_from([Transport.UDP, Transport.UDP, Transport.TCP]))
    payload = draw(st.sampled_from(Payload)) if transport is Transport.UDP else Payload.ANY
    payload_types = st.frozensets(st.sampled_from(_PAYLOAD_TYPES), max_size=4)
    return MarkRule(
        "any",
        transport,
        Ports(draw(st.frozensets(st.sampled_from(_RULE_PORTS), min_size=2))),
        payload,
        draw(payload_types) if payload is Payload.MEDIA else frozenset(),
        draw(st.sampled_from([0, 1, 10, 18, 34, 46, 63])),
    )


markings = st.builds(
    Marking, st.lists(rules(), min_size=1, max_size=8).map(tuple), st.sampled_from([False, False, True])
)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """An Ethernet frame."""
    odd = draw(st.one_of(st.none(), st.sampled_from(_ODDITIES)))
    protocol = draw(st.sampled_from([1, 0, 44, 132] if odd == "protocol" else [17, 17, 6]))
    ethertype = draw(st.sampled_from([IPV4, IPV6]))
    segment = draw(_segments(protocol, odd))
    packet = draw((_ipv6 if ethertype == IPV6 else _ipv4)(protocol, segment, odd))
    if odd == "ethertype":
        ethertype = draw(st.sampled_from([0x8100, 0x88A8, 0x0806, 0x0801]))
    frame = _MAC_ADDRESSES + ethertype.to_bytes(2) + packet
    least = LINK_HEADER_BYTES + (40 if ethertype == IPV6 else 20)  # see `kernel_run`
    return frame[: draw(st.integers(least, len(frame)))] if odd == "cut" else frame


@st.composite
def _segments(draw: st.DrawFn, protocol: int, odd: str | None) -> bytes:
    port = draw(st.one_of(st.sampled_from(_NEAR_PORTS), st.integers(0, 65_535)) if odd == "port" else _right_ports)
    rest_bytes = 18 if protocol == 6 else 6
    first = draw(st.one_of(st.sampled_from(_EDGES), st.integers(128, 191), st.integers(0, 255)))
    payload_type = draw(st.one_of(st.sampled_from(_PAYLOAD_TYPES), st.integers(0, 127)))
    payload = bytes([first, payload_type | draw(st.sampled_from([0, 128]))]) + draw(st.binary(max_size=30))
    return port.to_bytes(2) + bytes(rest_bytes) + payload[: draw(st.sampled_from([32, 2, 1, 0]))]


_right_ports = st.sampled_from(_RULE_PORTS)


@st.composite
def _ipv4(draw: st.DrawFn, protocol: int, segment: bytes, odd: str | None) -> bytes:
    words = draw(st.sampled_from([0, 1, 4] if odd == "words" else [5, 5, 6, 15]))
    version = draw(st.sampled_from([0, 3, 5, 6, 15] if odd == "version" else [4]))
    bits = [0x0001, 0x1000, 0x2000, 0x2001, 0x1FFF] if odd == "fragment" else [0, 0x4000, 0x8000]
    options = bytes(max(0, words - 5) * 4)
    head = bytes([version << 4 | words, draw(_tos)]) + (20 + len(options) + len(segment)).to_bytes(2)
    head += draw(st.binary(min_size=2, max_size=2)) + draw(st.sampled_from(bits)).to_bytes(2) + bytes([64, protocol])
    addresses = _ADDRESSES[IPV4] + options
    right = ~ones_complement_sum(head + addresses) & 0xFFFF
    checksum = draw(st.integers(0, 0xFFFF)) if odd == "checksum" else right
    return head + checksum.to_bytes(2) + addresses + segment


@st.composite
def _ipv6(draw: st.DrawFn, protocol: int, segment: bytes, odd: str | None) -> bytes:
    version = draw(st.sampled_from([0, 4, 5, 7, 15] if odd == "version" else [6]))
    word = version << 28 | draw(_tos) << 20 | draw(st.integers(0, (1 << 20) - 1))
    return word.to_bytes(4) + len(segment).to_bytes(2) + bytes([protocol, 64]) + _ADDRESSES[IPV6] + segment


_tos = st.one_of(st.integers(0, 3), st.integers(0, 7).map(lambda bit: 1 << bit), st.integers(0, 255))
