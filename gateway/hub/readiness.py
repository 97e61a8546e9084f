"""Should new sessions be sent here, and what is there to say of the machine? Liveness and admission are others'
questions."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.hub.admission import Admission
from gateway.node.node import Node
from gateway.transport.marking import told
from gateway.transport.socket import MediaSocket


@dataclass(frozen=True, slots=True)
class Answer:
    """To somebody who asks whether we are ready."""

    is_ready: bool
    lines: tuple[str, ...]
    """For people. The first is `ok` where we are."""


class Readiness:
    """Of one gateway; without a `node` nobody said where the tuner's result is."""

    def __init__(self, admission: Admission, media_socket: MediaSocket, node: Node | None) -> None:
        self._admission = admission
        self._socket = media_socket
        self._node = node
        self.drain_lines: Callable[[], tuple[str, ...]] = lambda: ("draining",)
        """How far a drain has come."""

    def answer(self, now_unix_s: float) -> Answer:
        """The answer now."""
        if self._admission.is_draining:
            return Answer(False, self.drain_lines())
        verdict = self._node.verdict(now_unix_s) if self._node is not None else None
        node = verdict.lines if verdict is not None else ("not looked at",)
        is_ready = verdict is None or verdict.is_fit
        told_of_node = (f"node: {line}" for line in node)
        return Answer(is_ready, ("ok" if is_ready else "not ready", *told_of_node, *self._buffers(), self._dscp()))

    def _buffers(self) -> tuple[str, ...]:
        shortages = self._socket.buffers.shortages
        return tuple(f"buffers: {each}" for each in shortages) or ("buffers: as asked for",)

    def _dscp(self) -> str:
        codepoints = self._socket.codepoints
        return f"dscp: {told(codepoints)}" if codepoints is not None else "dscp: off"
