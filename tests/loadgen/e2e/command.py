"""The load generator as an SRE runs it: a command line, its exit status, what it prints, and its JSON report."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from loadgen.result import Outcome

ROOT = Path(__file__).parents[3]
END_WITHIN_S = 60.0
"""Any run of a test, on a machine that has other things to do, too."""

CORES = ",".join(map(str, sorted(os.sched_getaffinity(0))[:2]))
"""Two processes of players: on a machine with many cores there would be more of them than players."""

NO_TIMES = ("--set", "thresholds=[]")
"""Instead of a ready scenario's own thresholds: times are a busy machine's own."""


@dataclass(frozen=True)
class Finished:
    """A run that is over."""

    exit_status: int
    output: str
    """What it printed, errors included."""
    report: dict[str, Any] = field(repr=False)
    """As docs/loadgen-report.md describes it; empty when none was written."""

    @property
    def media(self) -> dict[str, Any]:
        """Sums over all players."""
        media: dict[str, Any] = self.report["totals"]["media"]
        return media

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """Players' sessions."""
        sessions: list[dict[str, Any]] = self.report["sessions"]
        return sessions

    @property
    def missed(self) -> list[str]:
        """The thresholds that were not met."""
        return [threshold["text"] for threshold in self.report["thresholds"] if not threshold["is_met"]]

    def measured(self, threshold: str) -> float | None:
        """What was measured for it, in its base unit."""
        values = {each["text"]: each["measured"] for each in self.report["thresholds"]}
        measured: float | None = values[threshold]
        return measured

    def distribution(self, name: str) -> dict[str, Any]:
        """`count`, `p50`, `max` ... over the whole run."""
        distribution: dict[str, Any] = self.report["totals"]["distributions"][name]
        return distribution


class Loadgen:
    """`async with Loadgen(directory, scenario, url, *flags) as loadgen`: it runs within, and is gone afterwards."""

    def __init__(
        self,
        directory: Path,
        scenario: str | Mapping[str, Any],
        target: str,
        *flags: str,
        within: Sequence[str] = (),
    ) -> None:
        """`scenario` is a ready one's name, or what its file is to say: JSON is YAML, too. Both the file and the report
        go to `directory`, which is of this run alone. `within` begins the command, such as `ip netns exec NAME`."""
        self._within = tuple(within)
        self._report_path = directory / "report.json"
        self._scenario = scenario
        if not isinstance(scenario, str):
            path = directory / "scenario.yml"
            path.write_text(json.dumps(scenario))
            self._scenario = str(path)
        own = ("--target", target, "--json", str(self._report_path), "--cores", CORES)
        self._arguments = (str(self._scenario), *own, *flags)
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._report_path.unlink(missing_ok=True)  # Of a run before.
        self._process = await asyncio.create_subprocess_exec(
            *(*self._within, sys.executable, "-m", "loadgen", "run", *self._arguments),
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("LOADGEN_")},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        await self._process.communicate()

    @property
    def pid(self) -> int:
        """Of the process that was started; its workers are its children."""
        assert self._process is not None
        return self._process.pid

    def press_ctrl_c(self) -> None:
        """A terminal sends SIGINT to the whole group of processes."""
        os.killpg(self.pid, signal.SIGINT)

    async def finished(self) -> Finished:
        """Wait for its end. AssertionError when that takes too long."""
        assert self._process is not None
        try:
            output, _ = await asyncio.wait_for(self._process.communicate(), END_WITHIN_S)
        except TimeoutError:
            raise AssertionError(f"the run has not ended within {END_WITHIN_S} s") from None
        assert self._process.returncode is not None
        print(output.decode())  # Captured: pytest shows it where the test failed.
        report = json.loads(self._report_path.read_text()) if self._report_path.exists() else {}
        return Finished(self._process.returncode, output.decode(), report)


async def run(directory: Path, scenario: str | Mapping[str, Any], target: str, *flags: str) -> Finished:
    """A whole run: see `Loadgen`."""
    async with Loadgen(directory, scenario, target, *flags) as loadgen:
        return await loadgen.finished()


async def to_a_verdict(attempt: Callable[[], Awaitable[Finished]]) -> Finished:
    """A whole run that `attempt` makes, once more where the load generator itself was held up.

    Where its sums are compared with a server's, that server is the attempt's own.
    """
    finished = await attempt()
    if finished.exit_status != Outcome.OVERLOADED.exit_status:
        return finished
    return await attempt()


def judged_by(*thresholds: str) -> list[str]:
    """Flags."""
    return [flag for threshold in thresholds for flag in ("--threshold", threshold)]
