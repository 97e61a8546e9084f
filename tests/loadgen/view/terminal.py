"""What a console has been given."""

import io

from rich.console import Console


def written(console: Console) -> str:
    """All of it."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
