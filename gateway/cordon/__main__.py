"""`python -m gateway.cordon`, or `railbird-cordon`: keep the drain file while the node is cordoned."""

import asyncio
import os
import signal
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp
import click

from gateway import log
from gateway.cordon.api import TIMEOUT_S, ApiServer
from gateway.cordon.drain_file import DrainFile
from gateway.cordon.livez import serving
from gateway.cordon.watching import Watch

DRAIN_FILE = Path("/run/railbird/drain")
CREDENTIALS = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod's token is by custom."""


@dataclass(frozen=True, slots=True)
class Options:
    """As the command line has them."""

    node: str
    api: str
    credentials: Path
    file: Path
    taints: Collection[str]
    every_s: float
    port: int | None


@click.command()
@click.option("--node", envvar="NODE_NAME", required=True, help="This node's name; or the variable NODE_NAME.")
@click.option("--file", type=click.Path(path_type=Path), default=DRAIN_FILE, show_default=True, help="`drain.file`.")
@click.option("--taint", "taints", multiple=True, metavar="KEY", help="Also while a taint of this key is there.")
@click.option("--every", "every_s", type=click.FloatRange(1, 300), default=5.0, show_default=True, help="Seconds.")
@click.option("--port", type=click.IntRange(0, 65535), help="Serve /livez here on loopback; 0 takes a free one.")
@click.option("--api", metavar="URL", help="The API server, if not the one that the pod's variables name.")
@click.option(
    "--credentials",
    type=click.Path(path_type=Path),
    default=CREDENTIALS,
    show_default=True,
    help="Directory of token and ca.crt.",
)
def main(
    node: str, file: Path, taints: tuple[str, ...], every_s: float, port: int | None, api: str | None, credentials: Path
) -> None:
    """Keep the drain file while this node is cordoned, so that its gateway hands its tables on."""
    if not node:
        raise click.UsageError("--node, or NODE_NAME, is empty: it has to be this node's name.")
    url = api or api_in_cluster(os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT"))
    if not url.startswith("https://"):
        raise click.UsageError("The token is only shown over https.")
    log.configure("auto", "info")
    try:
        asyncio.run(run(Options(node, url, credentials, file, taints, every_s, port)))
    except OSError as error:
        raise click.ClickException(f"cannot listen: {error.strerror or error}") from None


def api_in_cluster(host: str | None, port: str | None) -> str:
    """The URL that the variables of every pod name; click.UsageError where they do not."""
    if not host or not port:
        raise click.UsageError("This is no pod (KUBERNETES_SERVICE_HOST): name the API server by --api.")
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


async def run(options: Options) -> None:
    """Until SIGTERM or SIGINT; the file stays as it is, for whoever comes after."""
    api, loop = ApiServer(options.api, options.credentials), asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with aiohttp.ClientSession(auto_decompress=False) as client:
        watch = Watch(options.node, options.taints, partial(api.node, client), DrainFile(options.file))
        async with serving(watch, options.port, 3 * options.every_s + TIMEOUT_S), asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(watch.run(options.every_s))
            await stop.wait()
            looking.cancel()


if __name__ == "__main__":
    main(prog_name="python -m gateway.cordon")
