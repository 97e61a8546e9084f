"""Settings of a scenario that are changed for one run: `--set players.0.count=1000`."""

from typing import Any

import yaml

from loadgen.errors import ScenarioError


def override(values: Any, path: str, text: str) -> Any:
    """`values` as read from YAML, with what `text` says (YAML, too) at the dotted `path`; `values` stay as they are.

    Keys on the way are made where they are missing, items of lists are not: ScenarioError. Whether keys and value make
    sense is for the schema to say.
    """
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ScenarioError(f"--set {path}: the value is not YAML") from None
    try:
        return _with(values, path.split("."), value)
    except LookupError as error:
        raise ScenarioError(f"--set {path}: {error.args[0]}") from None


def _with(values: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    part, *rest = path
    if values is None or isinstance(values, dict):
        values = values or {}
        return {**values, part: _with(values.get(part), rest, value)}
    if not isinstance(values, list):
        raise LookupError(f"there is nothing below it that `{part}` could be")
    if not part.isdecimal() or int(part) >= len(values):
        raise LookupError(f"there is no item {part}, only {len(values)}, counted from 0")
    index = int(part)
    return [*values[:index], _with(values[index], rest, value), *values[index + 1 :]]
