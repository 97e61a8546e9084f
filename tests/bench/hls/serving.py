"""The CPU of answering: each kind of request, whole players, the same bytes as files, and nginx in front."""

import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from tests.bench.gateway_process import HOST, STREAM, GatewayProcess, running_gateway, wait_until
from tests.bench.hls.crowd import Crowd
from tests.bench.hls.front import Files, Front, is_installed
from tests.bench.hls.processor import Spent, spent
from tests.bench.hls.results import HINTED, MAX_LATE_MS, Late, Players, Requests, players_of
from tests.bench.hls.static import PART, PLAYLIST, Static
from tests.bench.hls.studios import Studios
from tests.bench.hls.tally import Tally
from tests.bench.placement import CROWD_NICE, MEASURED_NICE, Cores
from tests.bench.progress import say
from tests.bench.remote import Remote, Service, remote

SETTLE_S = 1.0
SETTLE_MOST_S = 8.0
"""Then those who joined are not in step because they cannot be."""

WINDOW_FULL_S = 16.0
"""Until a playlist is as long as it stays."""


@dataclass(frozen=True, slots=True)
class Serving:
    """One stream that is packaged, and who measures."""

    gateway: GatewayProcess
    cores: Cores
    seconds: float

    def base(self) -> float:
        """Part of its core that the gateway uses without players."""
        return self._window(self.gateway.pid)[0].core_share

    def _window(self, *pids: int) -> list[Spent]:
        before = [spent(pid) for pid in pids]
        time.sleep(self.seconds)
        return [spent(pid) - then for pid, then in zip(pids, before, strict=True)]

    @contextmanager
    def crowd(self, url: str) -> Iterator[Remote]:
        """A process of players of `url`."""
        with remote("crowd", partial(Crowd, url), self.cores.load, CROWD_NICE) as crowd:
            yield crowd

    @contextmanager
    def server(self, name: str, service: Callable[[], Service]) -> Iterator[Remote]:
        """A process on the gateway's core."""
        with remote(name, service, frozenset({self.cores.gateway}), MEASURED_NICE) as server:
            yield server

    def players(self, crowd: Remote, count: int, base: float, nginx: int | None) -> Players:
        """A window with `count` players who have joined."""
        self._settle(crowd)
        before = self._counted()
        gateway, *others = self._window(*[self.gateway.pid, *([nginx] if nginx is not None else [])])
        tally: Tally = crowd.call("take")
        counted = {name: after - before[name] for name, after in self._counted().items()}
        return players_of(count, gateway, others[0] if others else None, base, tally, **counted)

    def _settle(self, crowd: Remote) -> None:
        """Until those who joined are in step with the parts: hundreds of handshakes hold up those who play already."""
        deadline_s = time.monotonic() + SETTLE_MOST_S
        while time.monotonic() < deadline_s:
            time.sleep(SETTLE_S)
            late = Late.of(crowd.call("take").playlists_late_s)
            if late is not None and late.p50_ms < MAX_LATE_MS:
                return

    def _counted(self) -> dict[str, int]:
        page = self.gateway.scrape()
        return {
            "upstream_requests": int(page.total("railbird_hls_requests_total", {}, {STREAM})),
            "parts_made": int(page.total("railbird_hls_parts_total", {}, {STREAM})),
        }

    def requests(self, crowd: Remote, what: str, server: str, clients: int, pid: int, base: float) -> Requests:
        """A window with requests of one kind, which are under way; `base` is what `pid` uses without them."""
        time.sleep(SETTLE_S)
        crowd.call("take")
        (used,) = self._window(pid)
        tally: Tally = crowd.call("take")
        crowd.call("leave")
        return Requests(
            what=what,
            server=server,
            clients=clients,
            # One player that only reloads tells the others what parts there are.
            body_bytes=round(
                tally.part_bytes / tally.parts if tally.parts else tally.playlist_bytes / max(tally.playlists, 1)
            ),
            seconds=used.wall_s,
            cpu_s=used.cpu_s - base * used.wall_s,
            answered=tally.requests,
            refused=tally.refused,
        )


@contextmanager
def serving(command: Sequence[str], cores: Cores, seconds: float) -> Iterator[Serving]:
    """One stream with audio, on air and packaged for so long that its playlists are of full length."""
    with ExitStack() as stack:
        settings = {"RAILBIRD_HLS__START": "at_once"}
        gateway = stack.enter_context(running_gateway(command, HOST, cores.gateway, settings))
        for_studios = partial(Studios, gateway.url, HOST)
        studios = stack.enter_context(remote("studios", for_studios, cores.load, MEASURED_NICE))
        studios.call("publish", [STREAM], True)
        wait_until(lambda: gateway.counters().publishers == 1, "the stream is live")
        say(f"requests: waiting {WINDOW_FULL_S:g} s for a playlist of full length")
        time.sleep(WINDOW_FULL_S)
        yield Serving(gateway, cores, seconds)


def measure_players(serving: Serving, levels: Sequence[int]) -> Iterator[Players]:
    """Players that ask the gateway itself, a window at each level."""
    base = serving.base()
    with serving.crowd(serving.gateway.url) as crowd:
        crowd.call("enter", STREAM)
        yield from _levels(serving, crowd, levels, base, None)


def measure_front(serving: Serving, levels: Sequence[int]) -> Iterator[Players]:
    """The same with nginx between, over TLS."""
    base = serving.base()
    gateway_port = int(serving.gateway.url.rpartition(":")[2])
    with serving.server("nginx", partial(Front, gateway_port)) as front:
        url, pid = front.call("start")
        with serving.crowd(url) as crowd:
            crowd.call("enter", STREAM)
            yield from _levels(serving, crowd, levels, base, pid)


def _levels(
    serving: Serving, crowd: Remote, levels: Sequence[int], base: float, nginx: int | None
) -> Iterator[Players]:
    present = 0
    for players in levels:
        say(f"{players} players{' behind nginx' if nginx is not None else ''}: measuring for {serving.seconds:g} s")
        crowd.call("join", players - present)
        present = players
        yield serving.players(crowd, players, base, nginx)


def measure_requests(serving: Serving, clients: int) -> Iterator[Requests]:
    """Each kind of request to the gateway, then its bytes as files."""
    say(f"requests of {clients} clients at once: gateway, aiohttp with constant bytes, nginx with files")
    gateway, base = serving.gateway, serving.base()
    playlist = _playlist(gateway)
    with serving.crowd(gateway.url) as crowd:
        crowd.call("enter", STREAM)
        crowd.call("reload", clients)
        yield serving.requests(crowd, "playlist", "gateway", clients, gateway.pid, base)
        crowd.call("ask_for_parts", clients, False)
        part = serving.requests(crowd, "part", "gateway", clients, gateway.pid, base)
        yield part
        crowd.call("ask_for_parts", clients, True)
        yield serving.requests(crowd, f"{HINTED}part", "gateway", clients, gateway.pid, base)
    bodies = {PLAYLIST: playlist, PART: bytes(part.body_bytes)}
    with serving.server("static", partial(Static, bodies)) as static:
        url, pid = static.call("start")
        yield from _files(serving, "aiohttp", url, pid, clients)
    if is_installed():
        with serving.server("files", partial(Files, bodies)) as files:
            url, pid = files.call("start")
            yield from _files(serving, "nginx", url, pid, clients)


def _files(serving: Serving, server: str, url: str, pid: int, clients: int) -> Iterator[Requests]:
    with serving.crowd(url) as crowd:
        for what, path in (("playlist", PLAYLIST), ("part", PART)):
            crowd.call("ask_for", path, clients)
            yield serving.requests(crowd, what, server, clients, pid, 0.0)


def _playlist(gateway: GatewayProcess) -> bytes:
    """A video playlist as players get it: packed."""
    with urllib.request.urlopen(f"{gateway.url}/hls/{STREAM}/index.m3u8", timeout=10) as response:
        location = response.headers["Content-Location"]
    address = f"{gateway.url}{location.removesuffix('index.m3u8')}video.m3u8"
    packed = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(packed, timeout=10) as response:
        return bytes(response.read())
