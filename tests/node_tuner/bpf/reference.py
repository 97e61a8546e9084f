"""What a marking says of a frame, in plain Python: the program in the kernel must do the same to the same bytes."""

from __future__ import annotations

import struct
from typing import NamedTuple

from node_tuner.marking import FIRST_BYTES, Marking, MarkRule, Payload, Transport

LINK_HEADER_BYTES = 14
IPV4, IPV6 = 0x0800, 0x86DD

_TRANSPORTS = {17: Transport.UDP, 6: Transport.TCP}
_HEADER_BYTES = {Transport.UDP: 8, Transport.TCP: 20}


class Flow(NamedTuple):
    """What rules ask about."""

    transport: Transport
    source_port: int
    payload: bytes


def marked(frame: bytes, marking: Marking) -> bytes:
    """The Ethernet frame with its mark; the same one where no rule fits, or it is not for us."""
    link, packet = frame[:LINK_HEADER_BYTES], frame[LINK_HEADER_BYTES:]
    ethertype = int.from_bytes(link[12:14])
    flow = {IPV4: _ipv4_flow, IPV6: _ipv6_flow}.get(ethertype, lambda _: None)(packet)
    if flow is None or (marking.only_unmarked and _dscp(packet)):
        return frame
    rule = next((rule for rule in marking.rules if _fits(rule, flow)), None)
    return frame if rule is None else link + (_ipv4_with if ethertype == IPV4 else _ipv6_with)(packet, rule.dscp)


def ones_complement_sum(content: bytes) -> int:
    """RFC 1071, not yet complemented."""
    total: int = sum(struct.unpack(f"!{len(content) // 2}H", content))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def _ipv4_flow(packet: bytes) -> Flow | None:
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return None
    header_bytes, is_fragment = (packet[0] & 0xF) * 4, int.from_bytes(packet[6:8]) & 0x3FFF
    return None if header_bytes < 20 or is_fragment else _flow(packet[9], packet[header_bytes:])


def _ipv6_flow(packet: bytes) -> Flow | None:
    return _flow(packet[6], packet[40:]) if len(packet) >= 40 and packet[0] >> 4 == 6 else None


def _flow(protocol: int, segment: bytes) -> Flow | None:
    transport = _TRANSPORTS.get(protocol)
    if transport is None or len(segment) < _HEADER_BYTES[transport]:
        return None
    return Flow(transport, int.from_bytes(segment[:2]), segment[_HEADER_BYTES[transport] :])


def _fits(rule: MarkRule, flow: Flow) -> bool:
    if rule.transport is not flow.transport or flow.source_port not in rule.ports:
        return False
    if rule.payload is Payload.ANY:
        return True
    first, last = FIRST_BYTES[rule.payload]
    if not flow.payload or not first <= flow.payload[0] <= last:
        return False
    return not rule.payload_types or (len(flow.payload) > 1 and flow.payload[1] & 0x7F in rule.payload_types)


def _dscp(packet: bytes) -> int:
    tos = packet[1] if packet[0] >> 4 == 4 else int.from_bytes(packet[:2]) >> 4 & 0xFF
    return tos >> 2


def _ipv4_with(packet: bytes, dscp: int) -> bytes:
    changed = bytes([packet[0], dscp << 2 | packet[1] & 3])
    # RFC 1624 equation 3: a checksum that was wrong stays just as wrong.
    checksum = ~ones_complement_sum(
        bytes(~byte & 0xFF for byte in packet[10:12]) + bytes(~byte & 0xFF for byte in packet[:2]) + changed
    )
    if changed == packet[:2]:
        return packet
    return changed + packet[2:10] + (checksum & 0xFFFF).to_bytes(2) + packet[12:]


def _ipv6_with(packet: bytes, dscp: int) -> bytes:
    return (int.from_bytes(packet[:2]) & 0xF03F | dscp << 6).to_bytes(2) + packet[2:]
