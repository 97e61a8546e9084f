"""The header extensions of one outgoing track: MID, transport-wide sequence number and, at times, abs-capture-time."""

from collections.abc import Mapping

from gateway.wire.header_extensions import (
    ABS_CAPTURE_TIME,
    MID,
    TRANSPORT_SEQUENCE_NUMBER,
    AbsCaptureTime,
    serialize_extensions,
)


class ExtensionBlock:
    """Those that were agreed on. In most packets only the number changes, so that the rest is serialized once."""

    __slots__ = ("_after_number", "_before_number", "_capture_time_id", "_mid", "_number_id")

    def __init__(self, extensions: Mapping[str, int], mid: str) -> None:
        """`extensions` are URI -> id."""
        self._mid = [(extensions[MID], mid.encode())] if MID in extensions else []
        self._number_id = extensions.get(TRANSPORT_SEQUENCE_NUMBER)
        self._capture_time_id = extensions.get(ABS_CAPTURE_TIME)
        one, other = self._serialized(0, None), self._serialized(0xFFFF, None)
        same = next((place for place, pair in enumerate(zip(one, other, strict=True)) if len(set(pair)) > 1), len(one))
        self._before_number, self._after_number = one[:same], one[same + 2 :]

    def serialize(self, transport_number: int, captured_ntp: int | None = None) -> bytes:
        """The whole block; `transport_number` is 16 bits, `captured_ntp` UQ32.32."""
        if captured_ntp is not None and self._capture_time_id is not None:
            return self._serialized(transport_number, AbsCaptureTime(captured_ntp))
        if self._number_id is None:
            return self._before_number
        return self._before_number + transport_number.to_bytes(2, "big") + self._after_number

    def _serialized(self, transport_number: int, capture_time: AbsCaptureTime | None) -> bytes:
        elements = list(self._mid)
        if self._number_id is not None:
            elements.append((self._number_id, transport_number.to_bytes(2, "big")))
        if capture_time is not None and self._capture_time_id is not None:
            elements.append((self._capture_time_id, capture_time.serialize()))
        return serialize_extensions(elements)
