"""Thresholds about players that the server sends elsewhere."""

from loadgen.verdict import readings
from loadgen.verdict.metric import Metric
from loadgen.verdict.units import Dimension

_NOBODY_JOINED = "nobody tried to join"

OF_MOVES = (
    Metric(
        "moved",
        Dimension.COUNT,
        "players that the server told over signals to go on elsewhere, and that did",
        readings.moved,
        _NOBODY_JOINED,
    ),
    Metric(
        "moves_lost",
        Dimension.COUNT,
        "of those, players that saw no frame (of signals alone: no welcome) where they went",
        readings.moves_lost,
        "nobody was moved",
    ),
    Metric(
        "back_lost",
        Dimension.COUNT,
        "players that the server closed without having told them to move, and that saw no frame (no welcome) again",
        readings.back_lost,
        _NOBODY_JOINED,
    ),
    Metric(
        "moves_refused",
        Dimension.COUNT,
        "edges that players were told of and did not go to: the run may not load them",
        readings.moves_refused,
        _NOBODY_JOINED,
    ),
)
