"""Look after look: the file follows the node, and nothing else."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.cordon.api import ApiError
from gateway.cordon.drain_file import SIGNATURE, DrainFile
from gateway.cordon.watching import Watch
from tests.cordon.api_server import NAME, node, written
from tests.e2e.waiting import until

CORDONED, OPEN = written(node(unschedulable=True)), written(node())


class Bench:
    """A watch, whose API server says what a test tells it to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.says: bytes | ApiError = OPEN
        self.watch = Watch(NAME, ("karpenter.sh/disrupted",), self._fetch, DrainFile(path))

    async def look(self, says: bytes | ApiError) -> str | None:
        """One look; the file's text after it."""
        self.says = says
        await self.watch.look()
        return self.path.read_text() if self.path.exists() else None

    async def _fetch(self, name: str) -> bytes:
        assert name == NAME
        if isinstance(self.says, ApiError):
            raise self.says
        return self.says


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "drain")


MADE = f"{SIGNATURE}the node {NAME} is to be emptied: it is cordoned\n"


async def test_file_is_there_while_the_node_is_cordoned(bench: Bench) -> None:
    with capture_logs() as logs:
        assert [await bench.look(says) for says in (OPEN, CORDONED, CORDONED, OPEN, OPEN)] == [
            None, MADE, MADE, None, None,
        ]  # fmt: skip
    assert [each["event"] for each in logs] == ["drain file made", "drain file removed"]
    assert logs[0]["reason"] == "it is cordoned"


async def test_file_is_there_while_the_taint_is(bench: Bench) -> None:
    made = await bench.look(written(node(taints=("karpenter.sh/disrupted",))))
    assert made is not None
    assert made.endswith(": it has the taint karpenter.sh/disrupted\n")
    assert await bench.look(OPEN) is None


async def test_file_that_somebody_removed_comes_back_while_the_node_is_cordoned(bench: Bench) -> None:
    await bench.look(CORDONED)
    bench.path.unlink()
    assert await bench.look(CORDONED) == MADE


async def test_file_of_a_watch_before_this_one_is_removed(bench: Bench) -> None:
    bench.path.write_text(f"{SIGNATURE}before a restart\n")
    assert await bench.look(OPEN) is None


async def test_file_of_others_stays_through_cordon_and_uncordon(bench: Bench) -> None:
    bench.path.write_text("preStop\n")
    assert [await bench.look(says) for says in (OPEN, CORDONED, OPEN)] == ["preStop\n"] * 3


FAILURES: list[bytes | ApiError] = [ApiError("it answered with status 403"), b"", b"{}", written(node(name="edge-2"))]


@pytest.mark.parametrize("failure", FAILURES)
async def test_failure_changes_nothing(bench: Bench, failure: bytes | ApiError) -> None:
    assert await bench.look(failure) is None
    await bench.look(CORDONED)
    assert await bench.look(failure) == MADE
    assert await bench.look(OPEN) is None


async def test_failure_is_said_once_until_it_is_another(bench: Bench) -> None:
    forbidden, down = ApiError("it answered with status 403"), ApiError("it cannot be asked: ClientConnectorError")
    with capture_logs() as logs:
        for says in (forbidden, forbidden, down, down, b"{}", OPEN, OPEN, forbidden):
            await bench.look(says)
    assert [(each["log_level"], each.get("reason")) for each in logs] == [
        ("warning", "the API server does not say: it answered with status 403"),
        ("warning", "the API server does not say: it cannot be asked: ClientConnectorError"),
        ("warning", "what the API server says is not understood: it is no Node"),
        ("info", None),
        ("warning", "the API server does not say: it answered with status 403"),
    ]


async def test_directory_that_refuses_the_file_is_said_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "missing" / "drain")
    with capture_logs() as logs:
        await bench.look(CORDONED)
        await bench.look(CORDONED)
        bench.path.parent.mkdir()
        assert await bench.look(CORDONED) == MADE
    assert [each.get("reason") for each in logs] == [
        "the drain file cannot be kept: No such file or directory", "it is cordoned", None,
    ]  # fmt: skip


async def test_run_looks_again_and_again_until_it_is_cancelled(bench: Bench) -> None:
    task = asyncio.create_task(bench.watch.run(0.01))
    try:
        for says, is_there in ((CORDONED, True), (OPEN, False), (CORDONED, True)):
            bench.says = says
            await until(lambda is_there=is_there: bench.path.exists() is is_there, 20)  # type: ignore[misc]
    finally:
        task.cancel()
        await asyncio.wait({task})
    assert task.cancelled()
    assert bench.watch.age_s < 20
