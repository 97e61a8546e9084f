"""The command line, run in this process as a shell would run it."""

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway import __main__, log
from gateway.__main__ import TOKEN_VARIABLE, left_s, main, serve, welcome, with_demo_token
from gateway.app import Gateway
from gateway.clock import monotonic_s
from gateway.config import DrainSettings, HostPort, Settings

LOOPBACK = ("--http", "127.0.0.1:0", "--udp", "127.0.0.1:0")
SECRET = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("RAILBIRD_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def untouched_logging(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command sets up would outlive its test."""
    monkeypatch.setattr(log, "configure", lambda _log_format, _level, _player_hash_key: None)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


# Settings


def test_check_of_good_settings_says_so_and_serves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_gateway(settings: Settings) -> Gateway:
        raise AssertionError("it was started")

    monkeypatch.setattr(__main__, "Gateway", no_gateway)
    path = tmp_path / "railbird.yml"
    path.write_text("log_level: debug\n")
    result = run("--config", path, "--check")
    assert (result.exit_code, result.output) == (0, "The settings are good.\n")


def test_bad_setting_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "railbird.yml"
    path.write_text("log_level: info\nlimits:\n  sessions: none\n")
    result = run("--config", path, "--check")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert f"Error: {path}:3: limits.sessions: " in result.stderr
    assert "Traceback" not in result.stderr


def test_bad_setting_never_shows_what_was_set(tmp_path: Path) -> None:
    path = tmp_path / "railbird.yml"
    path.write_text(f"tokens:\n  publsh: {SECRET}\n")
    result = run("--config", path)
    assert result.exit_code == 1
    assert f"{path}:2: " in result.stderr
    assert SECRET not in result.output


def test_bad_flag_is_refused_with_its_name() -> None:
    result = run("--http", "nonsense", "--check")
    assert result.exit_code == 1
    assert "--http: " in result.stderr


def test_settings_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = run("--config", tmp_path / "none.yml")
    assert result.exit_code == 1
    assert "No such file" in result.stderr


def test_unknown_flag_is_a_wrong_usage() -> None:
    assert run("--htp", "127.0.0.1:0").exit_code == 2


def test_flags_reach_the_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[tuple[Settings, bool]] = []

    async def record(settings: Settings, demo: bool) -> None:
        served.append((settings, demo))

    monkeypatch.setattr(__main__, "serve", record)
    assert run("--http", "127.0.0.1:81", "--udp", "[::1]:82", "--demo").exit_code == 0
    ((settings, demo),) = served
    assert (str(settings.http), str(settings.udp), demo) == ("127.0.0.1:81", "[::1]:82", True)


# Ports


@pytest.fixture(params=[socket.SOCK_STREAM, socket.SOCK_DGRAM])
def taken(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    """A port of loopback that somebody else has."""
    with socket.socket(type=request.param) as holder:
        holder.bind(("127.0.0.1", 0))
        if request.param == socket.SOCK_STREAM:
            holder.listen()
        yield holder


@pytest.mark.parametrize(("variable", "expected"), [("hunter2", b"hunter2"), (None, None)])
def test_player_hash_key_reaches_the_log(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, expected: bytes | None
) -> None:
    configured: list[tuple[str, str, bytes | None]] = []
    monkeypatch.setattr(log, "configure", lambda *arguments: configured.append(arguments))
    monkeypatch.setattr(__main__, "serve", lambda *_: _nothing())
    if variable is not None:
        monkeypatch.setenv("RAILBIRD_PLAYER_HASH_KEY", variable)
    assert run(*LOOPBACK).exit_code == 0
    assert configured == [("auto", "info", expected)]


async def _nothing() -> None:
    """A gateway that ends at once."""


def test_port_that_is_taken_is_named(taken: socket.socket) -> None:
    where = f"127.0.0.1:{taken.getsockname()[1]}"
    what, flag = ("HTTP", "--http") if taken.type == socket.SOCK_STREAM else ("media", "--udp")
    result = run(*LOOPBACK, flag, where)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(f"Error: cannot listen: {what} at {where}: ")
    assert "address already in use" in result.stderr.lower()
    assert "Traceback" not in result.output


# Serving


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
async def test_serve_stops_the_gateway_at_a_signal(end: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = []
    stop = Gateway.stop

    async def started(gateway: Gateway) -> HostPort:
        os.kill(os.getpid(), end)
        return await start(gateway)

    async def counted(gateway: Gateway) -> None:
        stopped.append(gateway)
        await stop(gateway)

    start = Gateway.start
    monkeypatch.setattr(gc, "freeze", lambda: None)  # this process has more to do
    monkeypatch.setattr(Gateway, "start", started)
    monkeypatch.setattr(Gateway, "stop", counted)
    loopback = HostPort(host="127.0.0.1", port=0)
    await serve(Settings(http=loopback, udp=loopback), demo=False)
    assert len(stopped) == 1


async def served(
    monkeypatch: pytest.MonkeyPatch,
    *signals: signal.Signals,
    is_played: bool = True,
    rounds_s: float = 60.0,
    began_before_s: float = 0.0,
) -> list[str]:
    """What a gateway is told that gets these signals while a round is played, which never ends, or none; another order
    began its drain so long before."""
    told: list[str] = []

    def leave(gateway: Gateway, on_end: Callable[[], None]) -> bool:
        told.append("leave")
        gateway.hub.draining.since_s = monotonic_s() - began_before_s
        if not is_played:
            on_end()
        return told.count("leave") == 1

    async def stop(gateway: Gateway) -> None:
        told.append("stop")
        await really_stop(gateway)

    async def start(gateway: Gateway) -> HostPort:
        bound = await really_start(gateway)
        for number in signals:
            os.kill(os.getpid(), number)
        return bound

    really_start, really_stop = Gateway.start, Gateway.stop
    monkeypatch.setattr(gc, "freeze", lambda: None)  # this process has more to do
    monkeypatch.setattr(Gateway, "leave", leave)
    monkeypatch.setattr(Gateway, "start", start)
    monkeypatch.setattr(Gateway, "stop", stop)
    monkeypatch.setattr(__main__, "OVERDUE_S", 0.1)
    loopback = HostPort(host="127.0.0.1", port=0)
    drain = DrainSettings(rounds_s=rounds_s, spread_s=0.1, leave_s=0.1)
    async with asyncio.timeout(20):
        await serve(Settings(http=loopback, udp=loopback, drain=drain), demo=False)
    return told


async def test_serve_leaves_at_sigterm(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await served(monkeypatch, signal.SIGTERM, is_played=False) == ["leave", "stop"]


async def test_serve_ends_at_once_at_sigint(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await served(monkeypatch, signal.SIGINT) == ["stop"]


async def test_serve_ends_at_once_at_a_second_sigterm(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await served(monkeypatch, signal.SIGTERM, signal.SIGTERM) == ["leave", "leave", "stop"]


async def test_serve_ends_where_a_drain_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in it must not keep the process for ever."""
    started_s = time.monotonic()
    assert await served(monkeypatch, signal.SIGTERM, rounds_s=0.3) == ["leave", "stop"]
    assert time.monotonic() - started_s >= 0.6


async def test_serve_ends_where_a_drain_that_a_hook_began_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hook has waited for most of the time: what kills the process waits no longer than for the rest."""
    started_s = time.monotonic()
    assert await served(monkeypatch, signal.SIGTERM, rounds_s=60.0, began_before_s=63.0) == ["leave", "stop"]
    assert time.monotonic() - started_s < 10.0


@pytest.mark.parametrize(("since_s", "expected"), [(None, 26.0), (1000.0, 26.0), (980.0, 6.0), (900.0, 0.0)])
def test_drain_has_its_time_from_its_first_order_on(since_s: float | None, expected: float) -> None:
    drain = DrainSettings(rounds_s=10.0, notice_s=2.0, spread_s=3.0, leave_s=5.0)  # and 3 for LL-HLS
    assert left_s(since_s, drain, 1000.0) == expected


def test_process_prints_no_token_and_ends_at_sigterm(tmp_path: Path) -> None:
    path = tmp_path / "railbird.yml"
    path.write_text(f"http: 127.0.0.1:0\nudp: 127.0.0.1:0\nlog_level: debug\ntokens: {{publish: {SECRET}}}\n")
    command = [sys.executable, "-m", "gateway", "--config", str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = [process.stderr.readline()]
        while lines[-1] and '"ready"' not in lines[-1]:
            lines.append(process.stderr.readline())
        process.terminate()
        out, rest = process.communicate(timeout=20)
    assert process.returncode == 0
    text = "".join(lines) + rest
    assert '"ready"' in text
    assert '"stopped"' in text
    assert SECRET not in text + out


async def test_demo_studio_is_given_its_token_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Command lines are open to everybody on the machine."""
    started: list[tuple[tuple[str, ...], dict[str, str]]] = []
    create = asyncio.create_subprocess_exec

    async def record(*command: str, env: dict[str, str]) -> asyncio.subprocess.Process:
        started.append((command, env))
        return await create("sleep", "60")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", record)
    tokens = Settings.model_validate({"tokens": {"publish": SECRET}}).tokens
    async with asyncio.timeout(10), __main__._demo_studio(HostPort(host="0.0.0.0", port=8080), tokens):
        ((command, env),) = started
    assert command[-2:] == ("--whip", "http://127.0.0.1:8080/whip/demo")
    assert SECRET not in " ".join(command)
    assert env[TOKEN_VARIABLE] == SECRET


def test_demo_studio_gets_a_token_of_its_own_where_every_door_asks_for_one() -> None:
    guarded = Settings.model_validate({"auth": {"jwks": "keys.json"}, "tokens": {"watch": SECRET}})
    first, second = with_demo_token(guarded).tokens, with_demo_token(guarded).tokens
    assert first.publish is not None
    assert second.publish is not None
    assert len(first.publish.get_secret_value()) >= 32
    assert first.publish != second.publish
    assert first.watch == guarded.tokens.watch


@pytest.mark.parametrize(
    "settings", [{}, {"tokens": {"publish": SECRET}}, {"auth": {"jwks": "k"}, "tokens": {"publish": SECRET}}]
)
def test_demo_studio_needs_no_token_of_its_own_where_it_has_one_or_none_is_asked_for(settings: Any) -> None:
    validated = Settings.model_validate(settings)
    assert with_demo_token(validated) == validated


def test_keys_that_cannot_be_read_are_refused_by_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "railbird.yml"
    path.write_text(f"auth: {{jwks: {tmp_path / 'none.json'}}}\n")
    result = run("--config", path, *LOOPBACK)
    assert result.exit_code == 1
    said = "Error: auth.jwks: the key set cannot be taken: it cannot be read: No such file or directory."
    assert result.stderr.splitlines()[-1] == said


# The welcome


def test_welcome_names_the_pages_and_ports() -> None:
    text = welcome(HostPort(host="127.0.0.1", port=8080), 8189)
    for path in ("/watch/demo", "/studio/{stream}", "/whip/{stream}", "/whep/{stream}", "/api/v1/streams", "/livez"):
        assert f"http://127.0.0.1:8080{path}" in text
    assert "UDP port 8189" in text


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8080/"),
        ("::", "http://[::1]:8080/"),
        ("2001:db8::1", "http://[2001:db8::1]:8080/"),
        ("edge.example", "http://edge.example:8080/"),
    ],
)
def test_welcome_has_an_address_that_a_browser_opens(host: str, url: str) -> None:
    assert f"Open the table:   {url}watch/demo" in welcome(HostPort(host=host, port=8080), 8189)
