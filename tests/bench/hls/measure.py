"""The course of the LL-HLS part: packaging with and without audio, requests, players, players behind nginx."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from loadgen.run import machine
from tests.bench.hls.front import is_installed
from tests.bench.hls.packaging import measure_packaging
from tests.bench.hls.results import HlsResults
from tests.bench.hls.serving import measure_front, measure_players, measure_requests, serving
from tests.bench.placement import Cores

NO_NGINX = "This machine has no nginx, or none with Lua (Debian: nginx, libnginx-mod-http-lua): its rows are left out."


@dataclass(frozen=True, slots=True)
class HlsPlan:
    """What to measure."""

    streams: int
    """Packaged at once: one alone is lost in the noise."""
    turns: int
    turn_s: float
    clients: int
    """That make requests of one kind at once."""
    levels: tuple[int, ...]
    front_levels: tuple[int, ...]
    seconds: float
    """Length of a window with players or clients."""


DEFAULT_PLAN = HlsPlan(10, 3, 4.0, 100, (50, 100, 200, 300), (100, 200, 400), 5.0)
QUICK_PLAN = HlsPlan(2, 1, 3.5, 20, (10,), (10,), 2.0)


def measure_hls(plan: HlsPlan, command: Sequence[str], cores: Cores) -> HlsResults:
    """All of it, in about three minutes."""
    record = {**asdict(plan), "command": shlex.join(command[1:])}
    results = HlsResults(machine.describe(), record, without=None if is_installed() else NO_NGINX)
    for has_audio in (True, False):
        results.packaging.append(measure_packaging(command, cores, plan.streams, plan.turns, plan.turn_s, has_audio))
    with serving(command, cores, plan.seconds) as run:
        results.players.extend(measure_players(run, plan.levels))
        results.requests.extend(measure_requests(run, plan.clients))
        if is_installed():
            results.players.extend(measure_front(run, plan.front_levels))
    return results
