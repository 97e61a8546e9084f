"""Frames and markings for properties: most are near a rule, some are cut off, odd or plain noise."""

from hypothesis import strategies as st

from node_tuner.marking import Marking, MarkRule, Payload, Transport
from node_tuner.ports import Ports
from tests.node_tuner.bpf.reference import IPV4, IPV6, LINK_HEADER_BYTES, ones_complement_sum

_FEW_PORTS = [1, 2, 3, 5, 8, 9, 10, 8189, 65_534, 65_535]
_NEAR = [0, 4, 6, 7, 11, 8188, 8190]
_EDGES = [0, 3, 19, 20, 63, 64, 127, 128, 144, 191, 192, 255]
_MAC_ADDRESSES = bytes.fromhex("020000000002 020000000001")
_ADDRESSES = {IPV4: bytes([10, 0, 0, 1, 10, 0, 0, 2]), IPV6: bytes(range(32))}

_payload_types = st.frozensets(st.sampled_from([0, 1, 15, 31, 32, 62, 63, 64, 65, 96, 111, 126, 127]), max_size=4)


@st.composite
def rules(draw: st.DrawFn) -> MarkRule:
    """A rule that makes sense."""
    transport = draw(st.sampled_from([Transport.UDP, Transport.UDP, Transport.TCP]))
    payload = draw(st.sampled_from(Payload)) if transport is Transport.UDP else Payload.ANY
    return MarkRule(
        "any",
        transport,
        Ports(draw(st.frozensets(st.sampled_from(_FEW_PORTS), min_size=1))),
        payload,
        draw(_payload_types) if payload is Payload.MEDIA else frozenset(),
        draw(st.sampled_from([0, 1, 10, 18, 34, 46, 63])),
    )


markings = st.builds(Marking, st.lists(rules(), min_size=1, max_size=8).map(tuple), st.booleans())


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """An Ethernet frame."""
    ethertype = draw(st.sampled_from([IPV4, IPV6, IPV4, IPV6, 0x8100, 0x0806]))
    protocol = draw(st.sampled_from([17, 17, 17, 6, 1, 0, 44]))
    segment = draw(_segments(protocol))
    packet = draw(_ipv6(protocol, segment)) if ethertype == IPV6 else draw(_ipv4(protocol, segment))
    frame = _MAC_ADDRESSES + ethertype.to_bytes(2) + packet
    least = LINK_HEADER_BYTES + (40 if ethertype == IPV6 else 20)  # see `kernel_run`
    length = draw(st.one_of(st.just(len(frame)), st.just(len(frame)), st.integers(least, len(frame))))
    return frame[:length]


@st.composite
def _segments(draw: st.DrawFn, protocol: int) -> bytes:
    port = draw(st.one_of(st.sampled_from(_FEW_PORTS), st.sampled_from(_NEAR), st.integers(0, 65_535)))
    rest = draw(st.binary(min_size=18, max_size=18)) if protocol == 6 else draw(st.binary(min_size=6, max_size=6))
    first = draw(st.one_of(st.sampled_from(_EDGES), st.integers(0, 255)))
    payload = bytes([first, draw(st.integers(0, 255))]) + draw(st.binary(max_size=30))
    return port.to_bytes(2) + rest + payload[: draw(st.sampled_from([0, 1, 2, 32]))]


@st.composite
def _ipv4(draw: st.DrawFn, protocol: int, segment: bytes) -> bytes:
    words = draw(st.sampled_from([5, 5, 5, 6, 15, 0, 4]))
    version = draw(st.sampled_from([4, 4, 4, 4, 6, 0]))
    fragment = draw(st.sampled_from([0, 0, 0x4000, 0x2000, 0x8000, 0x2001, 0x0001, 0x1000]))
    options = bytes(max(0, words - 5) * 4)
    head = bytes([version << 4 | words, draw(st.integers(0, 255))]) + (20 + len(options) + len(segment)).to_bytes(2)
    head += draw(st.binary(min_size=2, max_size=2)) + fragment.to_bytes(2) + bytes([64, protocol])
    addresses = _ADDRESSES[IPV4] + options
    checksum = ~ones_complement_sum(head + addresses) & 0xFFFF
    if draw(st.integers(0, 9)) == 0:
        checksum = draw(st.integers(0, 0xFFFF))
    return head + checksum.to_bytes(2) + addresses + segment


@st.composite
def _ipv6(draw: st.DrawFn, protocol: int, segment: bytes) -> bytes:
    version = draw(st.sampled_from([6, 6, 6, 6, 4, 15]))
    word = version << 28 | draw(st.integers(0, (1 << 28) - 1))
    return word.to_bytes(4) + len(segment).to_bytes(2) + bytes([protocol, 64]) + _ADDRESSES[IPV6] + segment
