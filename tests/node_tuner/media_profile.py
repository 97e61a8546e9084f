"""A profile for network namespaces: what a namespace has of its own, and nothing that is the whole host's."""

from __future__ import annotations

from pathlib import Path

_TEXT = """\
schema: 1
name: namespace
interface: {{name: media0}}
media_ports: "8189,9000-9010"
sysctls:
  net.ipv4.ip_local_reserved_ports:
    {{ports: media_ports, required: true, why: ports, source: test}}
  net.ipv4.udp_rmem_min:
    {{at_least: {udp_rmem_min}, why: memory, source: test}}
  net.ipv4.tcp_notsent_lowat:
    {{exactly: 131072, why: latency, source: test}}
  net.ipv4.tcp_wmem:
    {{fields_at_least: [null, null, 16777216], why: bandwidth, source: test}}
  net.core.rmem_max:
    {{at_least: {rmem_max}, required: {rmem_max_required}, why: stalls, source: test}}
nic:
  offloads:
    {{features: {{tx-udp-segmentation: false}}, why: to change one, source: test}}
queues:
  rps:
    {{steer: all_cores, why: cores, source: test}}
qdisc:
  {{kind: pfifo, limit_packets: 500, required: true, why: the kernel has it, source: test}}
conntrack:
  {{bypass: media_ports, required: true, why: look-ups, source: test}}
dscp:
  mechanism: {mechanism}
  required: true
  why: queues
  source: RFC 8837
  rules:
    - {{class: audio, transport: udp, ports: media_ports, payload: media, payload_types: [111], dscp: EF}}
    - {{class: other, transport: udp, ports: media_ports, payload: any, dscp: AF41}}
"""


def write_profile(
    directory: Path,
    *,
    mechanism: str = "nft",
    udp_rmem_min: int = 8192,
    rmem_max: int = 4096,
    rmem_max_required: bool = False,
    name: str = "namespace.yml",
) -> Path:
    """The file. A `rmem_max` above the host's cannot be had in a namespace, which sees it but cannot write it."""
    path = directory / name
    path.write_text(
        _TEXT.format(
            mechanism=mechanism,
            udp_rmem_min=udp_rmem_min,
            rmem_max=rmem_max,
            rmem_max_required=str(rmem_max_required).lower(),
        )
    )
    return path
