"""Workers that are no processes: a test says what they tell."""

import asyncio
from collections.abc import Callable

from loadgen.figures import Generator, Interval, SessionFigures
from loadgen.workers.messages import Beat, Begin, End, Ended, Order, Ready, Report
from loadgen.workers.serving import Service

Tell = Callable[[tuple["FakeWorker", Report]], None]
Reaction = Callable[["FakeWorker", Order], None]


def willing(worker: "FakeWorker", order: Order) -> None:
    """Beats once when the run begins, once more at its end, and ends."""
    worker.tell(worker.beat())
    if isinstance(order, End):
        worker.tell(Ended())


class FakeWorker:
    """In the place of `loadgen.workers.processes.Worker`."""

    def __init__(self, crew: "Crew", name: str, cores: frozenset[int], tell: Tell) -> None:
        self.name = name
        self.cores = cores
        self.orders: list[Order] = []
        self.is_closed = False
        self.beats = 0
        self._crew = crew
        self._tell = tell

    def tell(self, report: Report) -> None:
        """As its process would."""
        self._tell((self, report))

    def beat(self) -> Beat:
        """The next one: one join, one session that ended."""
        number = self.beats
        self.beats += 1
        interval = Interval(at_s=number + 1.0, seconds=1.0, joins=1, viewers=1, generator=self._crew.generator())
        session = SessionFigures(stream="table", group=self.name, started_s=0.0)
        return Beat(number, interval, [session])

    def send(self, order: Order) -> None:
        """See `Worker`."""
        self.orders.append(order)
        self._crew.log.append((self.name, type(order)))
        self._crew.reactions.get(self.name, willing)(self, order)

    async def close(self) -> None:
        """See `Worker`."""
        self.is_closed = True


class Crew:
    """All workers of a run. What is not told otherwise is willing."""

    def __init__(self) -> None:
        self.workers: dict[str, FakeWorker] = {}
        self.log: list[tuple[str, type[Order]]] = []
        """Who was ordered what, in order."""
        self.reactions: dict[str, Reaction] = {}
        self.first_words: dict[str, Report | None] = {}
        self.generator: Callable[[], Generator] = Generator
        self.limit = 99
        """How many processes the machine can start."""

    def start(self, name: str, _make: Callable[[], Service], cores: frozenset[int], tell: Tell) -> FakeWorker:
        """In the place of the class."""
        if len(self.workers) == self.limit:
            raise OSError("Cannot allocate memory")
        worker = self.workers[name] = FakeWorker(self, name, cores, tell)
        first = self.first_words.get(name, Ready())
        if first is not None:
            asyncio.get_running_loop().call_soon(worker.tell, first)
        return worker

    def ordered(self, kind: type[Begin] | type[End]) -> list[str]:
        """Who was ordered that, in order."""
        return [name for name, order in self.log if order is kind]
