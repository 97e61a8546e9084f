"""A network namespace at the end of a link that loses packets: another machine, as far as IP is concerned.

The link is a pair of TUN devices, one in the namespace, and this process carries the packets from one to the other: so
the loss is the same for the same seed, and needs nothing but ip(8) and /dev/net/tun.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import random
import struct
import subprocess
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NEAR_HOST: Final = "198.18.213.1"
FAR_HOST: Final = "198.18.213.2"
"""Of the networks that RFC 2544 sets apart for measurement: no real path leads there."""

LISTEN_NEAR: Final[Mapping[str, str]] = {
    "udp": "0.0.0.0:0",
    "http": f"{NEAR_HOST}:0",
    "PUBLIC_ADDRESSES": f'["{NEAR_HOST}"]',
    "AUTH__OPEN_TO_NETWORK": "true",
}
"""For `start_gateway`: players reach it by the link."""

TUN: Final = Path("/dev/net/tun")
_TUNSETIFF: Final = 0x400454CA
_IFF_TUN_NO_PI: Final = 0x0001 | 0x1000
_MAX_PACKET_BYTES: Final = 65_535
_PACKETS_PER_TURN: Final = 64
_IPPROTO_UDP: Final = 17


@dataclass
class LossyLink:
    """The link of a namespace."""

    namespace: str
    loss: float
    """Share of the packets, of either direction, that get lost from now on."""
    draws: random.Random
    passed: int = 0
    lost: int = 0
    """UDP packets; others get lost as well, and are not counted."""

    def command(self, executable: str, directory: Path) -> Path:
        """An executable that runs `executable` within the namespace."""
        script = directory / f"in-{self.namespace}"
        script.write_text(f'#!/bin/sh\nexec ip netns exec {self.namespace} {executable} "$@"\n')
        script.chmod(0o755)
        return script

    def carry(self, source: int, target: int) -> None:
        """Carry what waits at one end to the other."""
        for _ in range(_PACKETS_PER_TURN):
            try:
                packet = os.read(source, _MAX_PACKET_BYTES)
            except BlockingIOError:
                return
            is_udp = packet[9] == _IPPROTO_UDP
            if self.draws.random() < self.loss:
                self.lost += is_udp
                continue
            self.passed += is_udp
            # A queue that is full loses packets, too.
            with contextlib.suppress(BlockingIOError):
                os.write(target, packet)


@contextlib.asynccontextmanager
async def lossy_link(loss: float, seed: int = 1) -> AsyncIterator[LossyLink]:
    """A namespace whose only way out is the link: FAR_HOST there, NEAR_HOST here. Needs root."""
    link = LossyLink(f"railbird-{os.getpid()}", loss, random.Random(seed))
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        near, far = _device(stack, "rb-near"), _device(stack, "rb-far")
        _ip(f"netns add {link.namespace}")
        stack.callback(_ip, f"netns delete {link.namespace}")
        _ip(f"link set rb-far netns {link.namespace}")
        _configure("rb-near", NEAR_HOST, FAR_HOST, "")
        _configure("rb-far", FAR_HOST, NEAR_HOST, f"-n {link.namespace} ")
        _ip(f"-n {link.namespace} link set lo up")
        for source, target in ((near, far), (far, near)):
            loop.add_reader(source, link.carry, source, target)
            stack.callback(loop.remove_reader, source)
        yield link


def _device(stack: contextlib.ExitStack, name: str) -> int:
    """A TUN device, which ends with its file."""
    device = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    stack.callback(os.close, device)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN_NO_PI))
    return device


def _configure(name: str, host: str, peer: str, where: str) -> None:
    _ip(f"{where}address add {host} peer {peer} dev {name}")
    _ip(f"{where}link set {name} mtu 1500 up")


def _ip(arguments: str) -> None:
    subprocess.run(["ip", *arguments.split()], check=True, capture_output=True)
