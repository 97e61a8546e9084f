"""Where in a YAML file a setting stands, so that a refusal can name the line."""

from collections.abc import Sequence

import yaml


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The 1-based line of the setting at `path`: keys of mappings, indices (from 0) of sequences.

    Where the path leaves the file, it is the line of the last part that is there; None when not even the first is.
    `text` is YAML that parses.
    """
    node: yaml.Node | None = yaml.compose(text)
    line = None
    for part in path:
        found = _below(node, str(part))
        if found is None:
            break
        start, node = found
        line = start.start_mark.line + 1
    return line


def _below(node: yaml.Node | None, part: str) -> tuple[yaml.Node, yaml.Node] | None:
    """Where `part` of `node` begins (a key, or an item itself), and what it holds."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
        item = node.value[int(part)]
        return item, item
    return None
