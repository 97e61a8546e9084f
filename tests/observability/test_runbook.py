"""What the tests of runbooks rely on."""

from pathlib import Path

from tests.observability.runbook import Runbook, anchors

PAGE = Runbook(
    Path("page.md"),
    """# Name

Look at `a.b`, [there](../x.md#y), [elsewhere](https://example.com).

## First

- Log: `one thing` (`reason`), log `another`

```promql
rate(railbird_a[5m])

railbird_b
```

## Second

`kubectl get
pods`

```
railbird-tuner verify \\
  --json
```
""",
)


def test_headings_and_sections_are_found() -> None:
    assert PAGE.headings == ["First", "Second"]
    assert PAGE.sections["First"].strip().startswith("- Log:")


def test_expressions_are_what_stands_in_their_own_fences() -> None:
    assert PAGE.expressions == ["rate(railbird_a[5m])", "railbird_b"]


def test_commands_are_whole_though_they_go_over_lines() -> None:
    assert "kubectl get pods" in PAGE.commands
    assert "railbird-tuner verify   --json" in PAGE.commands
    assert not any("railbird_b" in command for command in PAGE.commands)


def test_events_are_what_the_log_is_searched_for() -> None:
    assert PAGE.events == ["one thing", "another"]


def test_links_are_those_to_files_of_ours() -> None:
    assert PAGE.links == ["../x.md#y"]


def test_anchors_are_made_of_headings(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Dropped frames: three legs\n\n## What it's for\n")
    assert anchors(page) == {"dropped-frames-three-legs", "what-its-for"}
