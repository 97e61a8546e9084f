"""What stands in the log, and what never does."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from gateway import log
from gateway.config import Settings

SECRET = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def restored_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(logging, "basicConfig", lambda **_kwargs: None)
    yield
    structlog.reset_defaults()


def _lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def _json(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _lines(capsys)]


@pytest.mark.parametrize("log_format", ["json", "auto"])
def test_json_is_one_object_a_line(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard error is no terminal here, so `auto` is JSON."""
    log.configure(log_format, "info")
    structlog.get_logger(stream="table").info("publishing", tracks=["H264"])
    structlog.get_logger().warning("two\nlines")
    first, second = _json(capsys)
    assert first.pop("timestamp").endswith("Z")
    assert first == {"event": "publishing", "level": "info", "stream": "table", "tracks": ["H264"]}
    assert (second["event"], second["level"]) == ("two\nlines", "warning")


def test_text_is_for_people_and_without_colours_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("text", "info")
    structlog.get_logger().info("publishing", stream="table")
    (line,) = _lines(capsys)
    assert "publishing" in line
    assert "stream=table" in line
    assert line.isprintable()


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_level_is_the_least_that_is_logged(level: str, expected: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json", level)
    logger = structlog.get_logger()
    for name in ("debug", "info", "warning", "error"):
        getattr(logger, name)("event")
    assert [line["level"] for line in _json(capsys)] == expected


def _fail(token: str) -> None:
    raise RuntimeError("a bug")


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_failure_is_logged_with_its_traceback_but_no_variables(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(log_format, "info")
    token = SECRET
    try:
        _fail(token)
    except RuntimeError:
        structlog.get_logger().exception("call failed")
    text = "\n".join(_lines(capsys))
    assert "Traceback" in text
    assert "RuntimeError: a bug" in text
    assert SECRET not in text


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_token_is_never_printed(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(log_format, "debug")
    settings = Settings.model_validate({"tokens": {"publish": SECRET, "watch": SECRET, "control": SECRET}})
    structlog.get_logger().info("settings", settings=settings, tokens=settings.tokens, token=settings.tokens.publish)
    text = "\n".join(_lines(capsys))
    assert "**********" in text
    assert SECRET not in text
