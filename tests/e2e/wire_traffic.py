"""A gateway in a namespace, what is asked of it from another, and all that arrives there, by what it is."""

from __future__ import annotations

import contextlib
import socket
import threading
import urllib.request
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.e2e.gateway_process import GatewayProcess
from tests.node_tuner.namespaces import Pair
from tests.node_tuner.wire import Capture, capture, in_thread
from tests.node_tuner.wire_packet import Packet

UDP_PORT: Final = 8189
HTTP_PORT: Final = 8080
SOMEBODY: Final = 65_532

VIDEO_TYPES: Final = {102, 104, 108, 114, 116, 39, 41, 43}
RTX_TYPES: Final = {103, 107, 109, 115, 117, 40, 42, 44}
AUDIO_TYPES: Final = {111}
"""RTP payload types in the offer of the load generator's players: H264, its RTX, Opus."""

_KINDS: Final = {"video": VIDEO_TYPES, "retransmission": RTX_TYPES, "audio": AUDIO_TYPES}


class Traffic:
    """What arrived from the gateway."""

    def __init__(self, packets: list[Packet]) -> None:
        self.packets = [each for each in packets if each.payload and each.source_port in (UDP_PORT, HTTP_PORT)]

    def of(self, kind: str) -> list[Packet]:
        """See `kind_of`."""
        return [each for each in self.packets if kind_of(each) == kind]

    @property
    def marks(self) -> dict[str, set[int]]:
        """Kind -> DSCPs seen."""
        marks: defaultdict[str, set[int]] = defaultdict(set)
        for each in self.packets:
            marks[kind_of(each)].add(each.dscp)
        return dict(marks)


def kind_of(packet: Packet) -> str:
    """RFC 7983 section 7, RFC 5761 section 4; RFC 6455 section 5.2: unfragmented frames."""
    first, second = packet.payload[0], packet.payload[1]
    if packet.protocol == socket.IPPROTO_TCP:
        is_websocket = first in (0x81, 0x88, 0x8A) or packet.payload.startswith(b"HTTP/1.1 101 ")
        return "websocket" if is_websocket else "http"
    if first < 4:
        return "stun"
    if first < 64:
        return "dtls"
    if 192 <= second <= 223:
        return "rtcp"
    return next(kind for kind, types in _KINDS.items() if second & 0x7F in types)


@contextlib.contextmanager
def captured(joined: Pair) -> Iterator[Callable[[], Traffic]]:
    """Keeps what arrives at the far end; call it once, when the last has been sent."""
    packets: list[Packet] = []
    is_over = threading.Event()

    def read(wire: Capture) -> None:
        while not is_over.is_set():
            packets.extend(wire.rest())
        packets.extend(wire.rest())

    with capture(joined.far) as wire:
        reader = threading.Thread(target=read, args=(wire,))
        reader.start()

        def seen() -> Traffic:
            is_over.set()
            reader.join()
            return Traffic(packets)

        try:
            yield seen
        finally:
            is_over.set()
            reader.join()


@contextlib.asynccontextmanager
async def unprivileged_gateway(
    joined: Pair, host: str, directory: Path, settings: Mapping[str, str]
) -> AsyncIterator[GatewayProcess]:
    """At the near end, by an account that may do nothing there; reached at `host`."""
    account = ("--reuid", str(SOMEBODY), "--regid", str(SOMEBODY), "--clear-groups")
    nothing = ("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
    within = ("ip", "netns", "exec", joined.near.namespace.name, "setpriv", *account, *nothing)
    reachable = {"AUTH__OPEN_TO_NETWORK": "true", "PUBLIC_ADDRESSES": f'["{host}"]'}
    log = directory / "gateway.log"
    gateway = GatewayProcess(log, f"[::]:{UDP_PORT}", f"{_in_url(host)}:{HTTP_PORT}", {**reachable, **settings}, within)
    try:
        yield await gateway.start()
    finally:
        print(gateway.log())  # Captured: pytest shows it where the test failed.
        await gateway.stop()


def asked(joined: Pair, host: str, path: str) -> str:
    """What the gateway answers to the far end."""

    def ask() -> str:
        with urllib.request.urlopen(url_of(host) + path, timeout=10) as response:
            text: bytes = response.read()
            return text.decode()

    return in_thread(joined.far.namespace, ask)


def url_of(host: str) -> str:
    """Of the gateway's HTTP."""
    return f"http://{_in_url(host)}:{HTTP_PORT}"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
