"""The CPU of packaging: the same streams in the same gateway, packaged and not, by turns."""

import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import mean

from tests.bench.gateway_process import HOST, GatewayProcess, running_gateway
from tests.bench.hls.processor import Spent, spent
from tests.bench.hls.results import Packaging
from tests.bench.hls.studios import Studios
from tests.bench.placement import MEASURED_NICE, Cores
from tests.bench.progress import say
from tests.bench.remote import BenchError, Remote, remote

SETTLE_S = 1.0
"""Until all are packaged, and the pictures since the last keyframe, packaged at once, are behind."""

END_S = 1.0
"""From a turn's end until the gateway notices that nobody asks any more, and half a second."""

ASK_TIMEOUT_S = 5.0


def measure_packaging(
    command: Sequence[str], cores: Cores, streams: int, turns: int, turn_s: float, has_audio: bool
) -> Packaging:
    """`turns` pairs of windows of `turn_s`: at least 3.5 s, as the gateway does not stop packaging before 5 s."""
    names = [f"bench-{number}" for number in range(streams)]
    idle_s = SETTLE_S + turn_s + END_S / 2
    settings = {"RAILBIRD_HLS__START": "on_request", "RAILBIRD_HLS__IDLE_S": f"{idle_s}"}
    with running_gateway(command, HOST, cores.gateway, settings) as gateway:
        for_studios = partial(Studios, gateway.url, HOST)
        with remote("studios", for_studios, cores.load, MEASURED_NICE) as studios:
            say(f"packaging: {streams} streams {'with' if has_audio else 'without'} audio, {turns} turns")
            studios.call("publish", names, has_audio)
            time.sleep(2 * SETTLE_S)
            pairs = [_turn(gateway, studios, names, turn_s) for _ in range(turns)]
    off, on = zip(*pairs, strict=True)
    return Packaging(
        streams=streams,
        has_audio=has_audio,
        off=[each.core_share for each in off],
        on=[each.core_share for each in on],
        threads=mean(each.threads_cpu_s / each.wall_s for each in on),
        wake_ups_off=mean(each.wake_ups / each.wall_s for each in off),
        wake_ups_on=mean(each.wake_ups / each.wall_s for each in on),
    )


def _turn(gateway: GatewayProcess, studios: Remote, names: list[str], turn_s: float) -> tuple[Spent, Spent]:
    """What the gateway used without packaging, and with it."""
    off = _window(gateway, turn_s)
    began_s = time.monotonic()
    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(partial(_ask, gateway.url), names))
    time.sleep(max(began_s + SETTLE_S - time.monotonic(), 0.0))
    on = _window(gateway, turn_s)
    time.sleep(END_S)
    if not studios.call("packets"):
        raise BenchError("the studios send nothing")
    return off, on


def _window(gateway: GatewayProcess, seconds: float) -> Spent:
    before = spent(gateway.pid)
    time.sleep(seconds)
    return spent(gateway.pid) - before


def _ask(url: str, stream: str) -> None:
    """Have `stream` packaged."""
    try:
        with urllib.request.urlopen(f"{url}/hls/{stream}/index.m3u8", timeout=ASK_TIMEOUT_S) as response:
            response.read()
    except (urllib.error.URLError, OSError) as error:
        raise BenchError(f"{stream} is not packaged: {error}") from error
