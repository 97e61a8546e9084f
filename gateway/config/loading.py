"""Reads the settings: a YAML file, then RAILBIRD_* variables, then flags, in rising order.

A bad setting refuses the whole configuration, with a message that names the file's line, the variable or the flag, and
never what was set: it may be a token.
"""

import os
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_settings import SettingsError

from gateway.config.settings import PREFIX, FileSource, Settings
from gateway.errors import ConfigError
from gateway.yaml_lines import line_of

_NOT_OURS = re.compile(
    r"RAILBIRD_(DEMO_\w+|(\w+_)?(SERVICE_(HOST|PORT\w*)|PORT_\d+_\w+))=.*|RAILBIRD_(\w+_)?PORT=\w+://.*", re.DOTALL
)
"""Variables with our prefix that are no settings: the demo studio's, and Kubernetes' for a Service named `railbird`."""


_FOR_OTHERS = ("publish", "watch")
"""Doors that are open to more than this machine where they are open."""

_QUOTED_WORD = re.compile(r"'.{3,}'", re.DOTALL)


def load(path: Path | None = None, flags: dict[str, Any] | None = None) -> Settings:
    """Read the settings. ConfigError for what is unknown, missing, out of range, or no YAML; nothing is taken in
    part."""
    flags = flags or {}
    text = _read(path) if path is not None else ""
    _refuse_unknown_variables()
    FileSource.values = _parse(path, text)
    try:
        settings = Settings(**flags)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(item, path, text, flags) for item in error.errors())) from None
    except SettingsError as error:
        name = re.search(r'field "(\w+)"', str(error))
        raise ConfigError(f"{PREFIX}{name[1].upper() if name else '*'}: expected JSON") from None
    finally:
        FileSource.values = {}
    _refuse_open_doors(settings, path, text, flags)
    return settings


def _refuse_open_doors(settings: Settings, path: Path | None, text: str, flags: dict[str, Any]) -> None:
    """Nobody is to serve the whole network without knowing it."""
    reached_by = settings.reached_by
    doors = [name for name in settings.open_doors if name in _FOR_OTHERS]
    if reached_by is None or not doors or settings.auth.open_to_network:
        return
    deeds = " and ".join(doors)
    tokens = " and ".join(f"tokens.{name}" for name in doors)
    raise ConfigError(
        f"{_origin([reached_by], path, text, flags)}{reached_by}: other machines come in, and could {deeds} without a "
        f"token. Set auth.jwks, or {tokens}; in a closed test network auth.open_to_network: true"
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: it is not UTF-8") from None


def _parse(path: Path | None, text: str) -> dict[str, Any]:
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        # Without the lines and the words that PyYAML would show.
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or "it is not YAML"
        where = f"{path}:{mark.line + 1}" if mark is not None else str(path)
        raise ConfigError(f"{where}: {re.sub(_QUOTED_WORD, '...', problem)}") from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise ConfigError(f"{path}: expected settings by name at the top level")
    return values


def _refuse_unknown_variables() -> None:
    for variable, value in os.environ.items():
        name = variable.upper()
        if not name.startswith(PREFIX) or _NOT_OURS.fullmatch(f"{name}={value}"):
            continue
        if name.removeprefix(PREFIX).partition("__")[0].lower() not in Settings.model_fields:
            raise ConfigError(f"{variable}: there is no such setting")


def _explain(item: Any, path: Path | None, text: str, flags: dict[str, Any]) -> str:
    names = [str(part) for part in item["loc"]]
    message = item["msg"].removeprefix("Value error, ")
    return f"{_origin(names, path, text, flags)}{'.'.join(names)}: {message}"


def _origin(names: list[str], path: Path | None, text: str, flags: dict[str, Any]) -> str:
    """Where the setting `names` was set, the highest source first: `--http: `, `RAILBIRD_HTTP: `, `file:3: `."""
    if names[0] in flags:
        return f"--{names[0]}: "
    variables = {variable.upper() for variable in os.environ}
    for count in range(len(names), 0, -1):
        variable = PREFIX + "__".join(names[:count]).upper()
        if variable in variables:
            return f"{variable}: "
    line = line_of(text, names) if text else None
    return f"{path}:{line}: " if line is not None else ""
