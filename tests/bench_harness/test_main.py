"""The figures of one half replace its own alone."""

import json
from pathlib import Path

import pytest

from tests.bench import __main__ as bench


def test_write_keeps_what_was_not_measured_this_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new" / "bench.json"
    bench._write(path, {"levels": [1], "hls": {"players": 1}})
    bench._write(path, {"hls": {"players": 2}})
    assert json.loads(path.read_text()) == {"levels": [1], "hls": {"players": 2}}
    assert str(path) in capsys.readouterr().err
