"""`python -m daemonset.image.sbom`: writes the bill, and says how large the image is."""

from __future__ import annotations

import json
from pathlib import Path

import click

from daemonset.image.sbom import bill, debian, npm, python
from daemonset.image.sbom.contents import SIZES, read
from daemonset.image.sbom.engine import EXPORTERS, Image, exported, inspect


@click.command()
@click.option("--engine", type=click.Choice(list(EXPORTERS)), default="podman", show_default=True)
@click.option("--image", "name", required=True, help="Whose bill it is.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Where the bill is written.")
def main(engine: str, name: str, output: Path) -> None:
    """Write what lies in a container image as CycloneDX 1.6 (JSON)."""
    image = inspect(engine, name)
    if not is_current(output, image):
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(_bill(engine, image))
    _say(image, output)


def is_current(output: Path, image: Image) -> bool:
    """The image's bill is there already, by the same writer: to read 400 MB again would say nothing new."""
    if not output.exists():
        return False
    properties = _properties(output)
    return (properties.get(bill.IMAGE_ID), properties.get(bill.WRITER)) == (image.id, bill.writer())


def _properties(output: Path) -> dict[str, str]:
    rows = json.loads(output.read_text())["metadata"]["component"]["properties"]
    return {row["name"]: row["value"] for row in rows}


def _bill(engine: str, image: Image) -> str:
    with exported(engine, image) as archive:
        contents = read(archive)
    parts = [*python.distributions(contents), *debian.packages(contents), *npm.modules(contents)]
    return bill.document(image, parts, debian.release(contents), contents.sizes_bytes)


def _say(image: Image, output: Path) -> None:
    properties = _properties(output)
    shares = (f"{name} {int(properties[bill.SIZE + name]) / 1e6:.0f} MB" for name, _ in SIZES)
    click.echo(f"image: {image.name} has {image.size_bytes / 1e6:.0f} MB ({', '.join(shares)})")
    click.echo(f"image: {len(json.loads(output.read_text())['components'])} parts in {output}")


if __name__ == "__main__":
    main()
