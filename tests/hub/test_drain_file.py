"""The file that orders a drain by being there: whatever stands in its place, nothing raises."""

from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.hub.drain import Order
from gateway.hub.drain_file import OF_ONE_LIFE, DrainFile
from tests.hub.desk import Desk


class Bench:
    """A drain whose file a test makes."""

    def __init__(self, path: Path, desk: Desk) -> None:
        self.path = path
        self.drain = desk.hub.draining
        self.file = DrainFile(path, self.drain)

    async def look(self) -> bool:
        """One more look, as the clockwork has it; whether the gateway drains."""
        self.file.tick(0.0)
        await self.file._look.wait()
        return self.is_ordered

    @property
    def is_ordered(self) -> bool:
        return Order.FILE in self.drain.orders


@pytest.fixture
def bench(tmp_path: Path, desk: Desk) -> Bench:
    return Bench(tmp_path / "drain", desk)


async def test_file_orders_while_it_is_there(bench: Bench) -> None:
    assert not await bench.look()
    bench.path.touch()
    assert await bench.look()
    assert await bench.look()
    bench.path.unlink()
    assert not await bench.look()
    assert bench.drain.since_s is None


async def test_file_that_is_there_at_the_start_orders_at_once(bench: Bench) -> None:
    bench.path.touch()
    await bench.file.start()
    assert bench.is_ordered
    assert bench.path.exists()


async def test_file_for_the_gateway_before_is_removed_at_the_start_and_no_later(bench: Bench) -> None:
    bench.path.write_bytes(OF_ONE_LIFE + b"until this gateway has ended\n")
    await bench.file.start()
    assert not bench.is_ordered
    assert not bench.path.exists()
    bench.path.write_bytes(OF_ONE_LIFE)
    assert await bench.look()
    assert bench.path.exists()


def _no_directory(path: Path) -> None:
    path.parent.rmdir()


def _directory_in_its_place(path: Path) -> None:
    path.mkdir()


def _file_for_directory(path: Path) -> None:
    path.parent.rmdir()
    path.parent.touch()


def _dangling_link(path: Path) -> None:
    path.symlink_to(path.with_name("nothing"))


@pytest.mark.parametrize("place", [_no_directory, _directory_in_its_place, _file_for_directory, _dangling_link])
async def test_what_is_no_file_is_no_order(tmp_path: Path, desk: Desk, place: Callable[[Path], None]) -> None:
    (tmp_path / "run").mkdir()
    bench = Bench(tmp_path / "run" / "drain", desk)
    place(bench.path)
    await bench.file.start()
    assert not await bench.look()
    await bench.file.stop()


async def test_name_that_no_file_can_have_is_told_and_is_no_order(tmp_path: Path, desk: Desk) -> None:
    bench = Bench(tmp_path / "a\0b", desk)
    with capture_logs() as logs:
        await bench.file.start()
        assert not await bench.look()
    assert {each["event"] for each in logs} == {"drain file cannot be read", "drain file cannot be looked for"}
    await bench.file.stop()


@pytest.mark.parametrize("was_there", [False, True])
async def test_file_that_cannot_be_looked_for_changes_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, was_there: bool
) -> None:
    if was_there:
        bench.path.touch()
    await bench.look()

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    with capture_logs() as logs:
        assert [await bench.look(), await bench.look()] == [was_there, was_there]
    assert [each["reason"] for each in logs] == ["Permission denied"]
    monkeypatch.undo()
    assert await bench.look() is was_there


async def test_look_that_takes_long_is_not_doubled_and_ends_with_the_gateway(bench: Bench) -> None:
    bench.file.tick(0.0)
    first = bench.file._look._task
    bench.file.tick(1.0)
    assert bench.file._look._task is first
    await bench.file.stop()
