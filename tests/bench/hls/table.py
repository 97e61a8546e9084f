"""The LL-HLS results for people: tables in Markdown, and the goals, met or missed."""

from collections.abc import Iterable, Iterator, Sequence

from tests.bench.hls.results import MAX_LATE_MS, HlsResults, Late, Packaging, Players, Requests

MAX_SHARE_WITH_AUDIO = 0.03
MAX_SHARE_WITHOUT = 0.003

_PACKAGING = ("packaging of", "streams", "core a stream", "of it in threads", "off", "on", "wake-ups/s a stream")
_REQUESTS = ("request", "clients at once", "answer", "gateway", "aiohttp, constant", "nginx, file", "ratios")
_PLAYERS = (
    "players",
    "by",
    "requests/s",
    "CPU a request",
    "gateway + nginx",
    "core used",
    "players a core",
    "upstream requests a part",
    "playlist late p50 / p99",
    "part late p50 / p99",
    "refused",
)


def render(results: HlsResults) -> str:
    """The whole report."""
    of_gateway = [each for each in results.requests if each.server == "gateway"]
    lines = [
        *_table(_PACKAGING, map(_packaging, results.packaging)),
        *_table(_REQUESTS, (_requests(each, results) for each in of_gateway)),
        *_table(_PLAYERS, map(_players, results.players)),
        *(f"- {sentence}" for sentence in _notes(results)),
        "",
        *(f"- {verdict}" for verdict in verdicts(results)),
    ]
    return "\n".join(lines) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [*(f"| {' | '.join(cells)} |" for cells in (head, ["--:"] * len(head), *rows)), ""]


def _packaging(each: Packaging) -> list[str]:
    return [
        "video and audio" if each.has_audio else "video alone",
        f"{each.streams}",
        f"{each.core_share:.2%} ± {each.spread:.2%}",
        f"{each.threads_core_share:.2%}",
        ", ".join(f"{share:.1%}" for share in each.off),
        ", ".join(f"{share:.1%}" for share in each.on),
        f"{each.wake_ups:.1f}",
    ]


def _requests(each: Requests, results: HlsResults) -> list[str]:
    rivals = results.rivals(each)
    floors = [rivals.get(server) for server in ("aiohttp", "nginx")]
    return [
        each.what,
        f"{each.clients}",
        f"{each.body_bytes:,} B",
        f"{each.cpu_us:.0f} µs",
        *(f"{floor.cpu_us:.0f} µs" if floor is not None else "" for floor in floors),
        " / ".join(f"{each.cpu_us / floor.cpu_us:.1f}" for floor in floors if floor is not None),
    ]


def _players(each: Players) -> list[str]:
    nginx = f" + {each.nginx_cpu_s / each.seconds:.1%}" if each.nginx_cpu_s is not None else ""
    return [
        f"{each.players}",
        "gateway" if each.nginx_cpu_s is None else "nginx",
        f"{each.requests / each.seconds:,.0f}",
        f"{each.cpu_us:.0f} µs",
        f"{each.gateway_cpu_s / each.seconds:.1%}{nginx}",
        f"{each.core_used:.0%}",
        f"{each.players_a_core:,.0f}",
        f"{each.upstream_a_part:.1f}",
        _late(each.playlist_late),
        _late(each.part_late),
        f"{each.refused}",
    ]


def _late(late: Late | None) -> str:
    return f"{late.p50_ms:.0f} / {late.p99_ms:.0f} ms" if late is not None else ""


def _notes(results: HlsResults) -> Iterator[str]:
    yield (
        "Packaging is what the gateway uses more while the streams are packaged than between: the turns stand side by "
        "side, and ± is half of what they differ by."
    )
    yield (
        "CPU of requests and players is what comes on top of the stream itself (ingest and packaging). Files are asked "
        "for in the same bursts, five a second. Ratios: to aiohttp, to nginx."
    )
    yield (
        "A player asks for two playlists and two parts a part's duration. How late an answer is counts from the end "
        "of its part by EXT-X-PROGRAM-DATE-TIME, which is an estimate, good to some 10 ms. `players a core` is this "
        "level's CPU, extrapolated."
    )
    for by, levels in _by_server(results):
        held = [level for level in levels if level.holds]
        most = max((level.players for level in held), default=0)
        beyond = next((level.players for level in levels if level.players > most and not level.holds), None)
        broke = f", not at {beyond}" if beyond is not None else ", the most that was tried"
        yield f"{by}: playlists came within {MAX_LATE_MS:.0f} ms (p99) with {most} players{broke}."
    for each in results.players:
        for remark in each.remarks:
            yield f"{each.players} players{' behind nginx' if each.nginx_cpu_s is not None else ''}: {remark}."
    if results.without is not None:
        yield results.without


def _by_server(results: HlsResults) -> Iterator[tuple[str, list[Players]]]:
    yield "The gateway alone", [each for each in results.players if each.nginx_cpu_s is None]
    behind = [each for each in results.players if each.nginx_cpu_s is not None]
    if behind:
        yield "Gateway and nginx on one core", behind


def verdicts(results: HlsResults) -> Iterator[str]:
    """A line for each goal."""
    for each in results.packaging:
        kind, goal = ("with", MAX_SHARE_WITH_AUDIO) if each.has_audio else ("without", MAX_SHARE_WITHOUT)
        word = "met" if each.core_share <= goal else "missed"
        yield f"{word}: core a stream for packaging {kind} audio: {each.core_share:.2%} (goal: at most {goal:.1%})"
