"""`python -m gateway.rounds`, or `railbird-ledger`: what a regulator asks for."""

import sys
from pathlib import Path

import click

from gateway.ledger.verification import VerificationError, verify


@click.group()
def main() -> None:
    """The ledger of rounds."""


@main.command("verify")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--head", "anchor", metavar="HASH", help="A head that was kept elsewhere: everything up to it is checked."
)
@click.option("--name", default="ledger", show_default=True, help="Which chain of the directory: ledger, or audit.")
def verify_command(directory: Path, anchor: str | None, name: str) -> None:
    """Check the hash chain in DIRECTORY: 0 when it is whole; 1 names file and line of the first fault."""
    try:
        verified = verify(directory, name, anchor)
    except VerificationError as fault:
        click.echo(str(fault), err=True)
        sys.exit(1)
    except OSError as error:
        raise click.ClickException(f"{directory} cannot be read: {error.strerror or error}") from None
    click.echo(f"lines   {verified.lines}")
    click.echo(f"rounds  {verified.kinds['round']}")
    for kind in sorted(verified.kinds.keys() - {"round", "file"}):
        click.echo(f"{kind:<7} {verified.kinds[kind]}")
    click.echo(f"head    {verified.head.hash} (line {verified.head.seq})")
    if verified.behind:
        click.echo(f"The head file is {verified.behind} lines behind, as after a crash or while the gateway writes.")
    if anchor is not None:
        click.echo(f"The anchor is in it; {verified.after_anchor} lines came after it.")


if __name__ == "__main__":
    main(prog_name="python -m gateway.rounds")
