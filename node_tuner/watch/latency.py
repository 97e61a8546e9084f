"""/dev/cpu_dma_latency: how deep cores may sleep, for as long as somebody holds it open."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from node_tuner.result import KnobResult, State

DEVICE = Path("/dev/cpu_dma_latency")

_S32 = struct.Struct("=i")
"""In microseconds: Documentation/power/pm_qos_interface.rst."""

KNOB = "cpu_dma_latency"
"""Its row, which whoever does not hold the device calls not needed."""

log = structlog.get_logger()


class HeldLatency:
    """A limit on the time that a core may take to wake up; the kernel forgets it when this is closed, or ends."""

    def __init__(self, latency_us: int, device: Path = DEVICE) -> None:
        self._descriptor: int | None = None
        try:
            self._descriptor = os.open(device, os.O_WRONLY | os.O_CLOEXEC)
            os.write(self._descriptor, _S32.pack(latency_us))
        except OSError as error:
            self.close()
            log.warning("cores may sleep as deep as they like", device=str(device), reason=str(error))

    @property
    def is_held(self) -> bool:
        """Whether the kernel took it."""
        return self._descriptor is not None

    def close(self) -> None:
        """Let cores sleep again."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def with_held(rows: Sequence[KnobResult], is_held: bool) -> tuple[KnobResult, ...]:
    """The rows, the limit's own as it is while we run."""
    return tuple(_held(row, is_held) if row.name == KNOB else row for row in rows)


def _held(row: KnobResult, is_held: bool) -> KnobResult:
    if is_held:
        return replace(row, state=State.TUNED, found=row.wanted, note="for as long as watch runs")
    return replace(row, state=State.SKIPPED, note=f"{DEVICE} cannot be held open: cores may sleep as deep as they like")
