"""Reads a scenario: one of the ready ones by its name, or a file. It is taken whole, or refused by its line."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.yaml_lines import line_of
from loadgen.errors import ScenarioError
from loadgen.scenario.fields import FROM_FILE, NAME_RULE, InconsistentError
from loadgen.scenario.overrides import override
from loadgen.scenario.schema import FileSource, Scenario, json_schema

_EXAMPLES = Path(__file__).with_name("examples")

_SENTENCES = {
    "missing": "it is missing",
    "model_type": "expected keys with values",
    "string_pattern_mismatch": NAME_RULE,
    "tuple_type": "expected a list",
}
"""Instead of pydantic's, which speak of Python."""


def ready_scenarios() -> tuple[Path, ...]:
    """The files of the ready scenarios; each goes by its name without `.yml`."""
    return tuple(sorted(_EXAMPLES.glob("*.yml")))


def load(name_or_path: str | Path, overrides: Mapping[str, str] | None = None) -> Scenario:
    """Read the scenario of this name or file, with `overrides` applied: dotted paths, and values as YAML.

    ScenarioError for what is unknown, missing, without its unit or out of bounds, one line of it for each.
    """
    overrides = overrides or {}
    path = _path_of(name_or_path)
    text = _read(path)
    values = _anchored(_parse(path, text), path.parent)
    for dotted, value in overrides.items():
        values = override(values, dotted, value)
    try:
        scenario = Scenario.model_validate(values, context=FROM_FILE, by_alias=True, by_name=False)
        _check_files(scenario)
    except ValidationError as error:
        raise ScenarioError("\n".join(_explain(item, path, text, overrides) for item in error.errors())) from None
    except InconsistentError as error:
        raise ScenarioError(_at(error.where, str(error), path, text, overrides)) from None
    return scenario


def _path_of(name_or_path: str | Path) -> Path:
    ready = {path.stem: path for path in ready_scenarios()}
    path = ready.get(str(name_or_path), Path(name_or_path))
    if not path.exists():
        raise ScenarioError(f"{path}: there is no such file, and no such ready scenario: {', '.join(ready)}")
    return path


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: it is not UTF-8") from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ScenarioError(f"{path}{line}: {error.problem or 'it is not YAML'}") from None
    except yaml.YAMLError:
        raise ScenarioError(f"{path}: it is not YAML") from None
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise ScenarioError(f"{path}: expected keys with values at the top level, such as `duration: 20s`")
    return values


def _anchored(values: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Clips are named relative to the scenario's file."""
    studios = values.get("studios")
    if not isinstance(studios, list):
        return values
    return {**values, "studios": [_anchored_studio(studio, directory) for studio in studios]}


def _anchored_studio(studio: Any, directory: Path) -> Any:
    source = studio.get("source") if isinstance(studio, dict) else None
    if not isinstance(source, dict) or not isinstance(source.get("file"), str):
        return studio
    return {**studio, "source": {**source, "file": str(directory / source["file"])}}


def _check_files(scenario: Scenario) -> None:
    for index, group in enumerate(scenario.studios):
        if isinstance(group.source, FileSource) and not group.source.file.is_file():
            raise InconsistentError(("studios", index, "source", "file"), f"there is no file {group.source.file}")


def _explain(item: ErrorDetails, path: Path, text: str, overrides: Mapping[str, str]) -> str:
    # Parts in parentheses tell which of two sections it was taken for: they are no keys.
    where = tuple(part for part in item["loc"] if not str(part).startswith("("))
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, InconsistentError):
        where += cause.where
    if item["type"] == "extra_forbidden":
        return _at(where, f"there is no such key{_meant(str(where[-1]))}", path, text, overrides)
    sentence = _SENTENCES.get(item["type"], item["msg"].removeprefix("Value error, "))
    return _at(where, sentence, path, text, overrides)


def _meant(key: str) -> str:
    schema = json_schema()
    known = {name for section in (schema, *schema["$defs"].values()) for name in section.get("properties", ())}
    close = difflib.get_close_matches(key, sorted(known), n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


def _at(where: tuple[str | int, ...], sentence: str, path: Path, text: str, overrides: Mapping[str, str]) -> str:
    """`smoke.yml:12: players.0.stay: ` and the sentence; or what set it instead: `--set players.0.stay: `."""
    parts = [str(part) for part in where]
    setting = "".join(f"{'.'.join(parts)}: " for _ in parts[:1])
    for dotted in overrides:
        if parts[: len(dotted.split("."))] == dotted.split("."):
            return f"--set {setting}{sentence}"
    line = line_of(text, where)
    return f"{path}{'' if line is None else f':{line}'}: {setting}{sentence}"
