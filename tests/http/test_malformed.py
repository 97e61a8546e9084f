"""Bytes that the HTTP parser refuses: answered and counted, and never quoted in a log."""

import asyncio
import logging

import pytest
import structlog
from aiohttp import http_exceptions, web

from gateway.http.malformed import CAUSES, LINE_EVERY_S, Malformed
from tests.http.conftest import Api

TOKEN = "eyJhbGciOiJFUzI1NiJ9-a-token-of-somebody"
LEAKING = {
    "header that breaks off": b"GET /livez HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b\x01\r\n\r\n",
    "header without a colon": b"GET /livez HTTP/1.1\r\nHost: a\r\nAuthorization Bearer %b\r\n\r\n",
    "token that is too long": b"GET /livez HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b" + b"x" * 9000 + b"\r\n\r\n",
    "address with a token": b"GET /livez?token=%b\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
    "no HTTP, and a token": b"\x16\x03%b HTTP/1.1\r\n\r\n",
    "chunk of no size": b"POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%b\r\n",
    "body that is no gzip": b"POST /no HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n%b",
}


async def _answer(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 20.0)
    writer.close()
    return answer


def _counted(api: Api) -> float:
    return sum(value for _name, _labels, value in api.gateway.malformed.samples())


@pytest.mark.parametrize("request_bytes", LEAKING.values(), ids=LEAKING)
async def test_malformed_request_is_counted_and_its_token_is_in_no_log(
    api: Api, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, request_bytes: bytes
) -> None:
    caplog.set_level(logging.DEBUG)
    capfd.readouterr()
    answer = await _answer(api.port, request_bytes.replace(b"%b", TOKEN.encode()))
    assert answer.split()[1] in (b"400", b"404")
    logged = "".join([*capfd.readouterr(), caplog.text])
    assert TOKEN not in logged
    assert "Traceback" not in logged
    assert "malformed request" in logged, "the log is read where it is written"
    assert logged.count("\n") == 1
    assert _counted(api) == 1


async def test_malformed_requests_are_scraped(api: Api) -> None:
    for _ in range(20):
        assert b" 400 " in await _answer(api.port, b"GET / HTTP/1.1\r\nno colon\r\n\r\n")
    text = (await api.request("GET", "/metrics")).text
    assert 'railbird_malformed_requests_total{cause="syntax"} 20.0' in text


def _record(error: BaseException | None, level: int = logging.ERROR) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error is not None else None
    return logging.LogRecord("aiohttp.server", level, __file__, 1, "Error from %s", ("192.0.2.1",), info)


def test_lines_are_a_second_apart_and_say_how_many_came() -> None:
    now_s = 100.0
    malformed = Malformed(lambda: now_s)
    with structlog.testing.capture_logs() as logs:
        for elapsed_s in (0.0, 0.1, 0.2, LINE_EVERY_S, LINE_EVERY_S + 0.1):
            now_s = 100.0 + elapsed_s
            malformed.handle(_record(http_exceptions.BadHttpMessage("a secret")))
    assert [(line["event"], line["requests"]) for line in logs] == [("malformed request", 1), ("malformed request", 3)]
    assert all(line["cause"] == "syntax" and "secret" not in str(line) for line in logs)
    assert {cause: count for _, (cause,), count in malformed.samples()}["syntax"] == 5


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (http_exceptions.LineTooLong(b"x"), "too_long"),
        (http_exceptions.InvalidHeader(b"x"), "header"),
        (http_exceptions.BadStatusLine("x"), "request_line"),
        (http_exceptions.BadHttpMethod("x"), "request_line"),
        (http_exceptions.InvalidURLError("x"), "request_line"),
        (http_exceptions.TransferEncodingError("x"), "body"),
        (web.RequestPayloadError("x"), "body"),
        (http_exceptions.BadHttpMessage("x"), "syntax"),
    ],
)
def test_malformed_request_has_a_cause(error: Exception, cause: str) -> None:
    malformed = Malformed(lambda: 0.0)
    with structlog.testing.capture_logs():
        malformed.handle(_record(error, logging.DEBUG))
    assert {cause: count for _, (cause,), count in malformed.samples()} == dict.fromkeys(CAUSES, 0) | {cause: 1}


def test_failure_of_ours_is_told_by_its_place_and_without_its_words() -> None:
    def fail() -> None:
        raise RuntimeError("a secret")

    malformed = Malformed(lambda: 0.0)
    with structlog.testing.capture_logs() as logs:
        try:
            fail()
        except RuntimeError as error:
            malformed.handle(_record(error))
    (line,) = logs
    assert (line["event"], line["log_level"], line["error"]) == ("HTTP server failed", "error", "RuntimeError")
    assert line["at"].startswith("test_malformed.py:")
    assert "secret" not in str(line)
    assert not any(count for *_, count in malformed.samples())
