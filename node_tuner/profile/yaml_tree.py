"""YAML for settings: values by path, and the line of each, so that a refusal can name it.

Plain YAML 1.2 of text, whole and decimal numbers, true and false, null, mappings and lists. What YAML 1.1 guesses is
text (`off`, `0x10`, `12:30`, dates); anchors, aliases, merges and tags are refused, and so are keys that come twice.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from node_tuner.profile.fields import Where

MAX_DEPTH = 20
"""Of mappings and lists in one another: a profile has six."""

_MAX_DIGITS = 20
"""Of a number: more than any setting of the kernel has."""

_WORDS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?[0-9]*\.[0-9]+([eE][+-]?[0-9]+)?")

Problem = tuple[int, str]
"""A line, from 1, and what is wrong there."""


@dataclass(slots=True)
class Tree:
    """What a file says."""

    value: Any = None
    lines: dict[Where, int] = field(default_factory=dict)
    """Of every key and item, from 1; a key's line is where the key stands."""
    problems: list[Problem] = field(default_factory=list)

    def line(self, where: Where) -> int:
        """Of the setting there; where it is not in the file, of the last part of its path that is."""
        return next((self.lines[where[:end]] for end in range(len(where), 0, -1) if where[:end] in self.lines), 1)


def parse(text: str) -> Tree:
    """Never raises: what cannot be read is a problem of the tree."""
    tree = Tree()
    try:
        tree.problems += _forbidden(text)
        if not tree.problems and (root := yaml.compose(text, yaml.SafeLoader)) is not None:
            tree.value = _value(root, (), tree)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        tree.problems.append((_line(mark), error.problem or "it is not YAML"))
    except yaml.reader.ReaderError as error:
        tree.problems.append((text.count("\n", 0, error.position) + 1, "it has a character that YAML does not allow"))
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # Such as an escape of a character that does not exist, which PyYAML hands to chr().
        tree.problems.append((1, f"it is not YAML: {error}"))
    return tree


def _forbidden(text: str) -> Iterator[Problem]:
    """What would make of a small file a large one, or of a shallow program a deep one."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = _line(event.start_mark)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            yield line, f"it has more than {MAX_DEPTH} mappings and lists in one another"
            return
        if getattr(event, "anchor", None) is not None:
            yield line, "anchors and aliases are not taken here"
        if getattr(event, "tag", None) is not None:
            yield line, "tags are not taken here"


def _value(node: yaml.Node, where: Where, tree: Tree) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, where, tree)
    if isinstance(node, yaml.SequenceNode):
        tree.lines |= {(*where, index): _line(item.start_mark) for index, item in enumerate(node.value)}
        return [_value(item, (*where, index), tree) for index, item in enumerate(node.value)]
    if not _is_text(node.value):
        tree.problems.append((_line(node.start_mark), "it has a character that is none (a surrogate)"))
        return ""
    return _plain(node.value) if getattr(node, "style", None) is None else node.value


def _mapping(node: yaml.MappingNode, where: Where, tree: Tree) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in node.value:
        line = _line(key.start_mark)
        name = key.value
        if not isinstance(name, str) or not _is_text(name):
            tree.problems.append((line, "a key is text"))
        elif name in values:
            tree.problems.append((line, f"{name}: it is there twice, first in line {tree.lines[*where, name]}"))
        else:
            tree.lines[*where, name] = line
            values[name] = _value(value, (*where, name), tree)
    return values


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _MAX_DIGITS and _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if len(text) <= _MAX_DIGITS and _DECIMAL.fullmatch(text) else text


def _line(mark: Any) -> int:
    return 1 if mark is None else int(mark.line) + 1


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
