"""The table of daemonset/front/README.md: what it costs a crowd to wait for one answer, by nginx's configuration.

`python -m tests.front.measure --help`. Each round, all players ask for a playlist or a part that is not there yet. The
delay is that of the others behind the first that is answered; the work of this process is in it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import quantiles

import click

from tests.front.crowd import Answer, Crowd
from tests.front.nginx_process import NginxProcess
from tests.front.stub_origin import PART_S, PARTS_A_SEGMENT

URLS = {"playlist": "/hls/t/g/video.m3u8?_HLS_msn={}&_HLS_part={}", "part": "/hls/t/g/video/{}.{}.m4s"}
AHEAD_PARTS = 2
"""So far ahead of the newest part players ask: all have asked before it is there."""


class Round:
    """One nginx, one origin, one crowd."""

    def __init__(self, nginx: NginxProcess, players: int, url: str, started_s: float) -> None:
        """`started_s`: about when the origin's first part began."""
        self._nginx = nginx
        self._crowd = Crowd(nginx.port, nginx.tls(), players)
        self._url = url
        self._started_s = started_s
        self._number = 0

    def answers(self) -> list[Answer]:
        """Of all players, to the same request, earliest first."""
        newest = int((time.monotonic() - self._started_s) / PART_S)
        self._number = max(self._number + 1, newest + AHEAD_PARTS)
        self._crowd.ask(self._url.format(*divmod(self._number, PARTS_A_SEGMENT)))
        return sorted(self._crowd.answers(), key=lambda answer: answer.whole_s)

    def measure(self, rounds: int) -> str:
        """What the table says of `rounds` rounds."""
        spent_s = _cpu_s(self._nginx.pid)
        answers = [self.answers() for _ in range(rounds)]
        spent_s = _cpu_s(self._nginx.pid) - spent_s
        self._crowd.close()
        delays_ms = [(each.whole_s - first.whole_s) * 1e3 for first, *others in answers for each in others]
        cuts = quantiles(delays_ms, n=100)
        came = Counter(each.headers["x-cache"] for row in answers for each in row)
        return (
            f"{came['MISS'] / rounds:6.2f} upstream  p50 {cuts[49]:6.1f}  p95 {cuts[94]:6.1f}  p99 {cuts[98]:6.1f} ms"
            f"  {spent_s / came.total() * 1e6:4.0f} us a request"
        )


async def measure(directory: Path, conf: str, workers: int, players: int, what: str, rounds: int) -> str:
    """One row of the table."""
    origin = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.front.stub_origin"), stdout=asyncio.subprocess.PIPE
    )
    assert origin.stdout is not None
    nginx = NginxProcess(directory, int(await origin.stdout.readline()), conf, workers)
    started_s = time.monotonic()
    try:
        await nginx.start()
        return Round(nginx, players, URLS[what], started_s).measure(rounds)
    finally:
        await nginx.stop()
        origin.terminate()
        await origin.wait()


def _cpu_s(master: int) -> float:
    """CPU seconds of nginx's processes, user and system."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    ticks = sum(_ticks(Path(f"/proc/{pid}/stat").read_text()) for pid in [master, *map(int, children)])
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(stat: str) -> int:
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@click.command()
@click.option("--conf", "confs", multiple=True, default=("nginx-plain.conf", "nginx.conf"))
@click.option("--workers", "worker_counts", multiple=True, type=int, default=(1, 2))
@click.option("--players", "player_counts", multiple=True, type=int, default=(50, 200))
@click.option("--what", "kinds", multiple=True, type=click.Choice(list(URLS)), default=tuple(URLS))
@click.option("--rounds", type=int, default=40)
def main(
    confs: tuple[str, ...],
    worker_counts: tuple[int, ...],
    player_counts: tuple[int, ...],
    kinds: tuple[str, ...],
    rounds: int,
) -> None:
    """Print a row for each combination."""
    cases = [(conf, workers, players) for conf in confs for workers in worker_counts for players in player_counts]
    for what in kinds:
        for conf, workers, players in cases:
            with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
                row = asyncio.run(measure(Path(directory), conf, workers, players, what, rounds))
            click.echo(f"{what:8} {conf:16} {workers} workers {players:4} players {row}")


if __name__ == "__main__":
    main()
