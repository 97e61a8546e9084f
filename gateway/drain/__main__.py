"""`python -m gateway.drain`, or `railbird-drain`: make the drain file, and wait until the gateway has drained."""

import sys
from functools import partial
from pathlib import Path

import click

from gateway import regular_file
from gateway.drain.readiness import Standing, standing, wait

SIGNATURE = "railbird-drain: "
"""What the file begins with: the gateway that starts next removes it (`gateway.hub.drain_file`)."""
OF_THE_CORDON = b"railbird-cordon: "
"""What one begins with that goes with the cordon of the node (`gateway.cordon.drain_file`)."""
ORDER = f"{SIGNATURE}until this gateway has ended\n"


def _host_port(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit():
        raise click.BadParameter("expected HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080")
    return host.removeprefix("[").removesuffix("]"), int(port)


@click.command()
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    default=Path("/run/railbird/drain"),
    show_default=True,
    help="`drain.file`.",
)
@click.option(
    "--http", "where", default="127.0.0.1:8080", show_default=True, callback=_host_port, help="Where the gateway is."
)
@click.option(
    "--wait-s", type=click.FloatRange(0), default=150.0, show_default=True, help="Longest wait; 0 does not wait."
)
@click.option("--undo", is_flag=True, help="Remove the file: the gateway serves again.")
def main(file: Path, where: tuple[str, int], wait_s: float, undo: bool) -> None:
    """Let the gateway drain: 0 when it has, when nothing answers, or when the time is up; 1 when the file cannot be
    made, or the gateway does not heed it."""
    try:
        if undo:
            file.unlink(missing_ok=True)
            return
        make(file)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None
    if wait(partial(standing, *where), wait_s, click.echo) is Standing.SERVING and wait_s > 0:
        raise click.ClickException(f"the gateway does not drain: is its drain.file {file}?")


def make(file: Path) -> None:
    """The file, if there is none: a person's order is as good. The cordon's is not: an uncordon would take it away
    while a hook waits, and a gateway that is about to be killed would let players in. OSError where it cannot be made.
    Half a signature would be anybody's, and the next gateway would never serve."""
    if _is_of_the_cordon(file):
        regular_file.replace(file, ORDER)
    elif not file.is_file():
        try:
            regular_file.make(file, ORDER)
        except FileExistsError:
            if not file.is_file():
                raise


def _is_of_the_cordon(file: Path) -> bool:
    try:
        return regular_file.content(file, len(OF_THE_CORDON)) == OF_THE_CORDON
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(prog_name="python -m gateway.drain"))
