"""Scenario files, and what they are refused for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadgen.errors import ScenarioError
from loadgen.scenario.loading import load, ready_scenarios
from loadgen.scenario.schema import FileSource

HEAD = "name: mine\nduration: 20s\n"
STUDIO = HEAD + "studios:\n  - name: table-1\n"
PLAYERS = STUDIO + "players:\n  - name: a\n    count: 3\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write_file(text: str) -> Path:
        path = tmp_path / "mine.yml"
        path.write_text(text)
        return path

    return write_file


def _refusal(path: str | Path, overrides: dict[str, str] | None = None) -> str:
    with pytest.raises(ScenarioError) as refused:
        load(path, overrides)
    return str(refused.value)


def test_scenario_is_read_from_a_file(write: Callable[[str], Path]) -> None:
    scenario = load(write(PLAYERS))
    assert (scenario.name, scenario.duration_s, scenario.players[0].count) == ("mine", 20.0, 3)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (STUDIO + "durration: 5s\n", 5, "durration: there is no such key; did you mean `duration`?"),
        (STUDIO + "zzzzzz: 5s\n", 5, "zzzzzz: there is no such key"),
        ("name: a\nduration: 20\n", 2, "duration: expected a duration, with its unit"),
        ("name: a\nduration: 20kbps\n", 2, "duration: expected a duration, with its unit"),
        ("name: a\nduration: 72h\n", 2, "duration: expected 1s to 48h"),
        (HEAD + "duration_s: 20s\n", 3, "duration_s: there is no such key; did you mean `duration`?"),
        ("name: a b\nduration: 20s\n", 1, "name: expected 1 to 64 letters"),
        (HEAD + "seed: -1\n", 3, "seed: Input should be greater than or equal to 0"),
        (HEAD + "studios: table\n", 3, "studios: expected a list"),
        (HEAD + "studios:\n  - table\n", 4, "studios.0: expected keys with values"),
        (STUDIO + "    streams: 2\n", 4, "studios.0.name: expected {n} in it"),
        (
            STUDIO + "    source:\n      bitrat: 1Mbps\n",
            6,
            "studios.0.source.bitrat: there is no such key; did you mean",
        ),
        (STUDIO + "    source: {size: 1x1}\n", 5, "studios.0.source.size: expected"),
        (STUDIO + "    pacing: slow\n", 5, "studios.0.pacing: Input should be 'burst' or 'paced'"),
        (STUDIO + "    events:\n      - at: 5s\n", 6, "studios.0.events.0.pause: it is missing"),
        (
            STUDIO + "    events:\n      - {at: 5s, pause: 1s}\n      - {at: 20s, pause: 1s}\n",
            7,
            "studios.0.events.1.at",
        ),
        (STUDIO + "    events:\n      - at: 5s\n        pause: 3s\n        every: 2s\n", 8, "studios.0.events.0.every"),
        (STUDIO + "players:\n  - name: a\n", 6, "players.0.count: it is missing"),
        (PLAYERS + "    streams: [table-1, table-2]\n", 8, "players.0.streams: no studio publishes table-2"),
        (PLAYERS + "    streams:\n      - a b\n", 9, "players.0.streams.0: expected 1 to 64 letters"),
        (PLAYERS + "    streams: table-1\n", 8, "players.0.streams: expected a list"),
        (PLAYERS + "    arrival: 5s\n", 8, "players.0.arrival: expected keys with values"),
        (PLAYERS + "    arrival:\n      rate: 10\n", 9, "players.0.arrival.rate: expected a rate, with its unit"),
        (PLAYERS + "    away: 5s\n", 8, "players.0.away: nobody leaves"),
        (PLAYERS + "    impairment:\n      reorder: 1%\n", 9, "players.0.impairment.reorder: without `jitter`"),
        (PLAYERS + "    sampled: 0.02\n", 8, "players.0.sampled: expected a share, with its unit"),
        (PLAYERS + "  - name: b\n    count: 20000\n", 9, "players.1.count: at most 20000 players"),
        (PLAYERS + "  - name: b\n    count: 1001\n", 6, "players.0: 1004 joins"),
        (PLAYERS + "thresholds:\n  - join_p95 < 1s\n  - join_p59 < 1s\n", 10, "thresholds.1: 'join_p59'"),
        (HEAD + "players:\n  - {name: a, count: 1}\n", 4, "players.0.streams: name them"),
        (HEAD + "players: [\n", 4, "expected the node content"),
        ("name: a: b\n", 1, "mapping values are not allowed here"),
    ],
)
def test_bad_scenario_is_refused_by_its_line(write: Callable[[str], Path], text: str, line: int, said: str) -> None:
    path = write(text)
    assert _refusal(path).startswith(f"{path}:{line}: {said}")


@pytest.mark.parametrize(("text", "said"), [("name: a\n", "duration: it is missing"), (HEAD, "neither studios")])
def test_scenario_without_what_it_needs_is_refused_by_its_file(
    write: Callable[[str], Path], text: str, said: str
) -> None:
    path = write(text)
    assert _refusal(path).startswith(f"{path}: {said}")


def test_scenario_with_several_mistakes_names_them_all(write: Callable[[str], Path]) -> None:
    assert len(_refusal(write("name: a b\nduration: 20\nseeed: 1\n")).splitlines()) == 3


@pytest.mark.parametrize("text", ["", "just text\n", "- a\n", "1: 2\n"])
def test_file_without_keys_at_the_top_is_refused(write: Callable[[str], Path], text: str) -> None:
    assert "expected keys with values at the top level" in _refusal(write(text))


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_bytes(b"\xff")
    assert _refusal(path) == f"{path}: it is not UTF-8"
    path.write_bytes(b"a\x00")
    assert _refusal(path) == f"{path}: it is not YAML"
    assert _refusal(tmp_path) == f"{tmp_path}: Is a directory"


def test_scenario_that_does_not_exist_is_refused_with_those_that_do() -> None:
    said = _refusal("smoek")
    assert said.startswith("smoek: there is no such file")
    assert "smoke, soak, storm" in said


def _paths(values: object) -> Iterator[str]:
    """Dotted, to everything in it."""
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in items:
        yield str(key)
        yield from (f"{key}.{path}" for path in _paths(value))


@pytest.mark.parametrize("text", ["null", "[5]", "{x: 1}", "{5: {}}", "-1", "x", "1e400", "!!binary aGk="])
@pytest.mark.parametrize("name", ["lossy", "encoder-reconnect"])
def test_scenario_with_anything_anywhere_is_taken_or_refused(name: str, text: str) -> None:
    refusals = []
    for path in _paths(load(name).settings()):
        try:
            load(name, {path: text})
        except ScenarioError as error:
            refusals.append(str(error))
    assert len(refusals) > 10
    assert [said for said in refusals if not said.startswith(("--set ", str(ready_scenarios()[0].parent)))] == []


# Overrides


def test_override_goes_over_the_file() -> None:
    scenario = load("smoke", {"duration": "1m", "players.0.count": "50"})
    assert (scenario.duration_s, scenario.players[0].count) == (60.0, 50)


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("duration", "20", "--set duration: expected a duration"),
        ("players.0.count", "0", "--set players.0.count: Input should be greater"),
        ("players.0.arrival", "{rmp: 5s}", "--set players.0.arrival.rmp: there is no such key; did you mean `ramp`?"),
        ("players.3.count", "1", "--set players.3.count: there is no item 3, only 1"),
    ],
)
def test_bad_override_is_refused_by_its_name(path: str, text: str, said: str) -> None:
    assert _refusal("smoke", {path: text}).startswith(said)


def test_override_does_not_take_the_blame_for_the_file(write: Callable[[str], Path]) -> None:
    path = write(PLAYERS + "    sampled: 5\n")
    assert _refusal(path, {"players.0.count": "4"}).startswith(f"{path}:8: players.0.sampled: ")


# Clips


def test_clip_is_looked_for_beside_the_scenario(write: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "table.mp4").touch()
    source = load(write(STUDIO + "    source: {file: table.mp4}\n")).studios[0].source
    assert source == FileSource(file=tmp_path / "table.mp4")


def test_clip_that_an_override_names_is_looked_for_in_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.mp4").touch()
    monkeypatch.chdir(tmp_path)
    source = load("smoke", {"studios.0.source": "{file: other.mp4}"}).studios[0].source
    assert source == FileSource(file=Path("other.mp4"))


def test_clip_that_is_not_there_is_refused_by_its_line(write: Callable[[str], Path]) -> None:
    path = write(STUDIO + "    source:\n      file: none.mp4\n")
    assert _refusal(path).startswith(f"{path}:6: studios.0.source.file: there is no file ")
