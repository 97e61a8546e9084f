"""Runs that do not begin: exit status 2, a sentence that helps, and no report that could be taken for one."""

import socket
from pathlib import Path

import pytest

from tests.loadgen.e2e.command import run
from tests.loadgen.e2e.scenarios import players, scenario, studio

DOCUMENTATION_ADDRESS = "192.0.2.1"
"""RFC 5737: public, and nobody's. Should it ever be loaded, nobody is hurt."""

TINY = scenario("2s", players(1))


async def test_public_address_is_refused_with_the_flag_that_would_permit_it(tmp_path: Path) -> None:
    finished = await run(tmp_path, TINY, f"http://{DOCUMENTATION_ADDRESS}")
    assert finished.exit_status == 2
    assert f"--i-own-this-target {DOCUMENTATION_ADDRESS}" in finished.output
    assert finished.report == {}


@pytest.mark.parametrize(
    ("threshold", "words"),
    [("joinn_p95 < 1s", "joinn_p95"), ("join_p95 < 1 parsec", "parsec"), ("gateway_cpu_max < 50%", "--gateway-pid")],
)
async def test_threshold_that_cannot_be_judged_is_refused_before_anything_is_started(
    tmp_path: Path, threshold: str, words: str
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        target = f"http://127.0.0.1:{listener.getsockname()[1]}"
        finished = await run(tmp_path, TINY, target, "--threshold", threshold)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert finished.exit_status == 2
    assert words in finished.output
    assert finished.report == {}


@pytest.mark.parametrize("studios", [(studio(),), ()], ids=["studios", "players"])
async def test_target_where_nobody_listens_could_not_be_run(
    tmp_path: Path, studios: tuple[dict[str, object], ...]
) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        target = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        finished = await run(tmp_path, scenario("2s", players(1, streams=["table-1"]), studios=studios), target)
    assert finished.exit_status == 2
    assert f"Nobody listens at {target}" in finished.output
    assert finished.report == {}
