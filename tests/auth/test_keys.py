"""Keys from files and from URLs: read, rotated, refused."""

import asyncio
import gzip
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import structlog
from aiohttp import web

from gateway.auth import key_source
from gateway.auth.key_set import MAX_KEY_SET_BYTES, KeySet
from gateway.auth.keys import MIN_EARLY_RELOAD_S, Keys
from gateway.config import AuthSettings
from gateway.errors import ConfigError
from tests.auth.issuer import Issuer, key_set
from tests.e2e.waiting import until

OLD, NEW = Issuer("old"), Issuer("new")


class Watched:
    """Keys, and what they led to."""

    def __init__(self, jwks: str) -> None:
        self.used: list[KeySet] = []
        self.reloaded: list[int] = []
        self.keys = Keys(jwks, AuthSettings(), self.used.append)
        self.keys.on_reloaded = self.reloaded.append

    async def look(self) -> None:
        """As the clockwork does, and wait."""
        self.keys.tick(0.0)
        await self.keys._look.wait()

    @property
    def figures(self) -> tuple[int, int]:
        """(keys, failures)"""
        samples = {name: value for name, _labels, value in self.keys.samples()}
        return int(samples["railbird_jwks_keys"]), int(samples["railbird_jwks_reload_failures_total"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A key set with the old key."""
    path = tmp_path / "keys.json"
    path.write_bytes(OLD.key_set)
    return path


# Files


async def test_keys_of_a_file_are_used_from_the_start(file: Path) -> None:
    watched = Watched(str(file))
    await watched.keys.load()
    assert watched.used[-1].key("old") is not None
    assert watched.figures == (1, 0)
    assert watched.reloaded == []


def _written(file: Path, link: Path) -> None:
    """Without a sign of it: same time, same inode."""
    status = file.stat()
    file.write_bytes(key_set(OLD.jwk, NEW.jwk))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def _replaced(file: Path, link: Path) -> None:
    new = file.with_name("new.json")
    new.write_bytes(key_set(OLD.jwk, NEW.jwk))
    new.rename(file)


def _linked(file: Path, link: Path) -> None:
    """As Kubernetes does."""
    new, other = file.with_name("new.json"), file.with_name("other")
    new.write_bytes(key_set(OLD.jwk, NEW.jwk))
    other.symlink_to(new)
    other.rename(link)


@pytest.mark.parametrize("rotate", [_written, _replaced, _linked])
async def test_keys_that_rotate_are_used_from_the_next_look(
    file: Path, tmp_path: Path, rotate: Callable[[Path, Path], None]
) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(file)
    watched = Watched(str(link))
    await watched.keys.load()
    rotate(file, link)
    await watched.look()
    assert watched.used[-1].key("new") is not None
    assert watched.reloaded == [2]


async def test_keys_that_stayed_are_not_used_anew(file: Path) -> None:
    watched = Watched(str(file))
    await watched.keys.load()
    os.utime(file)
    await watched.look()
    assert (len(watched.used), watched.reloaded) == (1, [])


def _gone(file: Path) -> None:
    file.unlink()


def _directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:50])


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _huge(file: Path) -> None:
    with file.open("wb") as holes:
        holes.truncate(50 * MAX_KEY_SET_BYTES)


def _secret(file: Path) -> None:
    file.write_bytes(key_set({"kty": "oct", "k": "aHVudGVyMg", "kid": "s"}))


def _mend(file: Path) -> None:
    if file.is_dir():
        file.rmdir()
    file.unlink(missing_ok=True)
    file.write_bytes(NEW.key_set)


BAD_FILES = {
    _gone: "it cannot be read: No such file or directory",
    _directory: "it cannot be read: Is a directory",
    _pipe: "it is no file",
    _half: "it is no JSON",
    _empty: "it is no JSON",
    _huge: f"it is longer than {MAX_KEY_SET_BYTES} bytes",
    _secret: "key 1 is secret: k has no business here",
}


@pytest.mark.parametrize(("spoil", "problem"), BAD_FILES.items(), ids=lambda each: getattr(each, "__name__", ""))
async def test_bad_file_stops_the_start_and_names_the_setting(
    file: Path, spoil: Callable[[Path], None], problem: str
) -> None:
    spoil(file)
    with pytest.raises(ConfigError) as refused:
        await Watched(str(file)).keys.load()
    assert str(refused.value) == f"auth.jwks: the key set cannot be taken: {problem}."


@pytest.mark.parametrize(("spoil", "problem"), BAD_FILES.items(), ids=lambda each: getattr(each, "__name__", ""))
async def test_bad_file_leaves_the_old_keys_and_is_told(
    file: Path, spoil: Callable[[Path], None], problem: str
) -> None:
    watched = Watched(str(file))
    await watched.keys.load()
    spoil(file)
    with structlog.testing.capture_logs() as logs:
        await watched.look()
        await watched.look()
    assert (len(watched.used), watched.figures) == (1, (1, 2))
    assert [entry["problem"] for entry in logs if entry["event"] == "key set not taken, the old one stays"] == [
        problem,
        problem,
    ]
    _mend(file)
    await watched.look()
    assert watched.used[-1].key("new") is not None


# URLs


class JwksServer:
    """Serves a key set, or not, on this machine."""

    def __init__(self) -> None:
        self.url = ""
        self.answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = self.well
        self.asked = 0

    async def well(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=OLD.key_set)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        return await self.answer(request)


@pytest.fixture
async def server() -> AsyncIterator[JwksServer]:
    """A server that answers well at first."""
    made = JwksServer()
    app = web.Application()
    app.router.add_get("/{path:.*}", made.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/jwks.json"
    yield made
    await runner.cleanup()


async def _rotated(request: web.Request) -> web.StreamResponse:
    return web.Response(body=key_set(OLD.jwk, NEW.jwk))


async def _failing(request: web.Request) -> web.StreamResponse:
    return web.Response(status=503, body=OLD.key_set)


async def _elsewhere(request: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "/other"})


async def _hanging(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


async def _trickling(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.01)


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(100 * MAX_KEY_SET_BYTES // 65_536):
        await response.write(b" " * 65_536)
    return response


async def _bomb(request: web.Request) -> web.StreamResponse:
    return web.Response(body=_BOMB, headers={"Content-Encoding": "gzip"})


async def _broken(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _bad(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b'{"keys": []}')


_BOMB = gzip.compress(b" " * 50_000_000)

BAD_ANSWERS = {
    _failing: "it was answered with status 503",
    _elsewhere: "it was answered with status 302",
    _hanging: "it did not come within 0 s",
    _trickling: "it did not come within 0 s",
    _endless: f"it is longer than {MAX_KEY_SET_BYTES} bytes",
    _bomb: "it is no JSON",
    _broken: "it cannot be fetched: ServerDisconnectedError",
    _bad: "it holds no key for any algorithm of auth.algorithms",
}


async def test_keys_of_a_url_rotate(server: JwksServer) -> None:
    watched = Watched(server.url)
    await watched.keys.load()
    assert watched.used[-1].key("old") is not None
    server.answer = _rotated
    await watched.look()
    assert watched.used[-1].key("new") is not None
    assert (watched.reloaded, watched.figures) == ([2], (2, 0))


@pytest.mark.parametrize(("answer", "problem"), BAD_ANSWERS.items(), ids=lambda each: getattr(each, "__name__", ""))
async def test_bad_answer_stops_the_start_and_leaves_the_old_keys_later(
    server: JwksServer,
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
    problem: str,
) -> None:
    watched = Watched(server.url)
    await watched.keys.load()
    server.answer = answer
    with monkeypatch.context() as patch:
        if "within" in problem:
            patch.setattr(key_source, "FETCH_TIMEOUT_S", 0.2)
        await watched.look()
        assert (len(watched.used), watched.figures) == (1, (1, 1))
        with pytest.raises(ConfigError) as refused:
            await Watched(server.url).keys.load()
    assert str(refused.value) == f"auth.jwks: the key set cannot be taken: {problem}."
    server.answer = _rotated
    await watched.look()
    assert watched.figures == (2, 1)


async def test_server_that_is_not_there_stops_the_start_and_its_address_is_not_told() -> None:
    with pytest.raises(ConfigError) as refused:
        await Watched("http://name:password@127.0.0.1:1/jwks.json").keys.load()
    assert str(refused.value) == "auth.jwks: the key set cannot be taken: it cannot be fetched: ClientConnectorError."


# Looking early


async def test_unknown_kid_looks_at_once_and_then_not_for_a_while(server: JwksServer) -> None:
    watched = Watched(server.url)
    await watched.keys.load()
    server.answer = _rotated
    for now_s in (100.0, 100.0, 100.0 + MIN_EARLY_RELOAD_S - 0.1):
        await watched.keys.look_early(now_s)
    assert (watched.reloaded, server.asked) == ([2], 2)
    await watched.keys.look_early(100.0 + MIN_EARLY_RELOAD_S)
    assert server.asked == 3


async def test_all_who_look_early_wait_for_the_one_look(server: JwksServer) -> None:
    watched = Watched(server.url)
    await watched.keys.load()
    is_answered = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        await is_answered.wait()
        return await _rotated(request)

    server.answer = slow
    waiting = [asyncio.ensure_future(watched.keys.look_early(100.0)) for _ in range(5)]
    await until(lambda: server.asked == 2)
    waiting[0].cancel()
    assert not any(each.done() for each in waiting[1:])
    is_answered.set()
    await asyncio.gather(*waiting[1:])
    assert (watched.reloaded, server.asked) == ([2], 2)


async def test_look_that_is_under_way_ends_with_the_keys(server: JwksServer) -> None:
    watched = Watched(server.url)
    await watched.keys.load()
    server.answer = _hanging
    watched.keys.tick(0.0)
    watched.keys.tick(1.0)
    await until(lambda: server.asked == 2)
    await watched.keys.stop()
    assert watched.keys._look._task is not None
    assert watched.keys._look._task.cancelled()
