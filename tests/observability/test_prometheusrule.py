"""railbird-prometheusrule.yaml: the rules, as an object of the Prometheus operator."""

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.observability.rules import OBSERVABILITY, RULES

OBJECT = "railbird-prometheusrule.yaml"
WRITER = "prometheusrule.py"


def _write(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(directory / WRITER), *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def _copy(directory: Path) -> None:
    for name in (RULES.name, OBJECT, WRITER):
        shutil.copy(OBSERVABILITY / name, directory)


def test_object_is_what_the_rules_say() -> None:
    check = _write(OBSERVABILITY, "--check")
    assert check.returncode == 0, check.stderr
    document = yaml.safe_load((OBSERVABILITY / OBJECT).read_text(encoding="utf-8"))
    assert document["spec"] == yaml.safe_load(RULES.read_text(encoding="utf-8"))


def test_object_is_refused_when_rules_have_changed(tmp_path: Path) -> None:
    _copy(tmp_path)
    with (tmp_path / RULES.name).open("a", encoding="utf-8") as rules:
        rules.write("  - name: another\n    rules: []\n")
    check = _write(tmp_path, "--check")
    assert check.returncode == 1
    assert OBJECT in check.stderr
    assert _write(tmp_path).returncode == 0
    assert _write(tmp_path, "--check").returncode == 0
