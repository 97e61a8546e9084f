"""What coordinator and workers tell one another through a pipe."""

from dataclasses import dataclass, field

from loadgen.figures import Interval, SessionFigures


@dataclass(frozen=True, slots=True)
class Begin:
    """To a worker that is ready: the run begins."""

    began_s: float
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class End:
    """To a worker: say goodbye to the server."""

    cause: str


@dataclass(frozen=True, slots=True)
class Ready:
    """From a worker that has prepared itself."""


@dataclass(frozen=True, slots=True)
class Beat:
    """From a worker, every second since the beginning."""

    number: int
    interval: Interval
    ended: list[SessionFigures] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ended:
    """From a worker that has said all its goodbyes."""


@dataclass(frozen=True, slots=True)
class Failed:
    """From a worker that cannot go on."""

    sentence: str


Order = Begin | End
Report = Ready | Beat | Ended | Failed
