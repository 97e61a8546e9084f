"""A process that appends is killed again and again: the chain holds, and no line that counted is gone."""

import asyncio
import json
import random
import sys
from pathlib import Path

from gateway.ledger.verification import verify
from tests.ledger.conftest import Open, all_lines

KILLS = 30
SEED = 5
ROOT = Path(__file__).parents[2]


async def _killed_after(directory: Path, seed: int, lines: int, more_s: float) -> list[str]:
    """The rounds that a process said are on the disk, before it was killed: some time after it had said `lines`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.ledger.appender", str(directory), str(seed)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    said = [(await process.stdout.readline()).decode() for _ in range(lines)]
    await asyncio.sleep(more_s)
    process.kill()
    rest = (await process.stdout.read()).decode()
    assert await process.wait() == -9, "it ends by nothing else"
    return [line for line in ("".join(said) + rest).split("\n") if line]


async def test_kills_leave_a_chain_that_verifies_with_all_that_counted(tmp_path: Path, open_ledger: Open) -> None:
    chance, counted = random.Random(SEED), list[str]()
    for kill in range(KILLS):
        counted += await _killed_after(tmp_path, kill, chance.randint(0, 6), chance.uniform(0.0, 0.03))
    open_ledger().close()
    verified = verify(tmp_path)
    lines = [json.loads(line) for line in all_lines(tmp_path)]
    kept = [line["roundId"] for line in lines if line["type"] == "round"]
    assert set(counted) <= set(kept)
    assert len(kept) == len(set(kept))
    assert [line["problem"] for line in lines if line["type"] == "recovered"] == [None] * verified.kinds["recovered"]
    # Without these it would have shown nothing.
    assert len(counted) > KILLS
    assert verified.kinds["recovered"] > 0
    assert verified.kinds["file"] > 1
