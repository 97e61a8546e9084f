"""Reads a profile: a shipped one by its name, or a file. It is taken whole, or refused by its lines."""

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from node_tuner.errors import ProfileError
from node_tuner.profile.fields import InconsistentError, Where
from node_tuner.profile.schema import Profile
from node_tuner.profile.yaml_tree import Tree, parse
from node_tuner.regular_file import NoFileError, content

MAX_FILE_BYTES = 128 << 10
"""Eight times the shipped profile, which is mostly comments."""

MAX_PROBLEMS = 50
"""That one refusal names: nobody reads more of them."""

_HERE = Path(__file__).parent

_SENTENCES: Mapping[str, str] = {
    "missing": "it is missing",
    "model_type": "expected keys with values",
    "model_attributes_type": "expected keys with values",
    "mapping_type": "expected keys with values",
    "dict_type": "expected keys with values",
    "tuple_type": "expected a list",
    "string_type": "expected text",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "string_pattern_mismatch": "this text is not of the right form: {pattern}",
    "string_too_short": "expected a text that is not empty",
    "string_too_long": "expected a text of at most {max_length} characters",
    "too_long": "expected at most {max_length} items",
    "too_short": "expected at least {min_length} item(s)",
    "greater_than": "expected more than {gt:g}",
    "greater_than_equal": "expected at least {ge}",
    "less_than_equal": "expected at most {le}",
    "literal_error": "expected {expected}",
}
"""Instead of pydantic's, which speak of Python."""


def shipped() -> tuple[Path, ...]:
    """The files of the shipped profiles; each goes by its name without `.yml`."""
    return tuple(sorted(_HERE.glob("*.yml")))


def load(name_or_path: str | Path) -> Profile:
    """Read the profile of this name (`media-edge`) or file.

    ProfileError with a line `FILE:LINE: what is wrong` for each thing that is unknown, missing, impossible or twice.
    """
    path = {each.stem: each for each in shipped()}.get(str(name_or_path), Path(name_or_path))
    tree = parse(_read(path))
    if not tree.problems and not isinstance(tree.value, dict):
        tree.problems.append((1, "expected keys with values at the top level, such as `name: media-edge`"))
    profile = _validated(tree) if isinstance(tree.value, dict) else None
    if tree.problems or profile is None:
        raise ProfileError("\n".join(_told(path, tree)))
    return profile


def _told(path: Path, tree: Tree) -> Iterator[str]:
    problems = sorted(set(tree.problems))
    for line, sentence in problems[:MAX_PROBLEMS]:
        yield f"{path}:{line}: {sentence}"
    if len(problems) > MAX_PROBLEMS:
        yield f"{path}: and {len(problems) - MAX_PROBLEMS} more"


def _read(path: Path) -> str:
    try:
        data = content(path, MAX_FILE_BYTES + 1)
    except NoFileError:
        raise ProfileError(f"{path}: it is no file") from None
    except FileNotFoundError:
        names = ", ".join(each.stem for each in shipped())
        raise ProfileError(f"{path}: there is no such file, and no such shipped profile: {names}") from None
    except (OSError, ValueError) as error:
        raise ProfileError(f"{path}: it cannot be read: {getattr(error, 'strerror', error)}") from None
    if len(data) > MAX_FILE_BYTES:
        raise ProfileError(f"{path}: it is larger than {MAX_FILE_BYTES >> 10} KiB: no profile is")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProfileError(f"{path}:{line}: it is not UTF-8") from None


def _validated(tree: Tree) -> Profile | None:
    """None where it adds problems."""
    try:
        return Profile.model_validate(tree.value, by_alias=True, by_name=False)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False):
            tree.problems += [(tree.line(where), _sentence(where, said)) for where, said in _explained(item)]
        return None


_TAGS = {"(word)", "(words)", "(number)", "(rule)", "(section)", "[key]"}
"""Parts of a path that are no keys: which of several types it was taken for, or that it is about the key itself."""


def _explained(item: ErrorDetails) -> Iterator[tuple[Where, str]]:
    where = tuple(part for part in item["loc"] if part not in _TAGS)
    context: dict[str, Any] = item.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, InconsistentError):
        yield from (((*where, *below), sentence) for below, sentence in cause.problems)
    elif item["type"] == "extra_forbidden":
        yield where, f"there is no such key{_meant(str(item['loc'][-1]))}"
    elif item["type"] in _SENTENCES:
        yield where, _SENTENCES[item["type"]].format(**context)
    else:
        yield where, item["msg"].removeprefix("Value error, ")


def _sentence(where: Where, sentence: str) -> str:
    return ": ".join([".".join(str(part) for part in where)] * bool(where) + [sentence])


def _meant(key: str) -> str:
    close = difflib.get_close_matches(key, _known_keys(), n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


@cache
def _known_keys() -> tuple[str, ...]:
    schema = Profile.model_json_schema()
    return tuple(sorted({key for each in (schema, *schema["$defs"].values()) for key in each.get("properties", ())}))
