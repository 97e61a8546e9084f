"""The beats of several workers put together: one interval a second of all of them."""

from loadgen.figures import Interval, SessionFigures
from loadgen.workers.messages import Beat
from loadgen.workers.serving import BEAT_S


class Beats:
    """Collects beats by their number. `workers` is how many there are."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._waiting: dict[int, list[Beat]] = {}

    def add(self, beat: Beat) -> tuple[Interval, list[SessionFigures]] | None:
        """One worker's beat; what it completes, if it does."""
        together = self._waiting.setdefault(beat.number, [])
        together.append(beat)
        if len(together) < self._workers:
            return None
        return _merged(self._waiting.pop(beat.number))

    def rest(self) -> list[tuple[Interval, list[SessionFigures]]]:
        """What is still waiting when all workers have ended, in order: they end one after another, so that the last
        beats have not all of them."""
        return [_merged(self._waiting.pop(number)) for number in sorted(self._waiting)]


def _merged(beats: list[Beat]) -> tuple[Interval, list[SessionFigures]]:
    # A beat may be late, but it is of its second; a worker's last one comes before its second is over.
    at_s = min((beats[0].number + 1) * BEAT_S, max(beat.interval.at_s for beat in beats))
    merged = Interval(at_s=at_s, seconds=max(beat.interval.seconds for beat in beats))
    for beat in beats:
        merged.merge(beat.interval)
    return merged, [session for beat in beats for session in beat.ended]
