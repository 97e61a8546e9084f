"""Checks custom resources against models that were made of their projects' own types (`make crds`; crds/check.mjs)."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.daemonset.rendering import ROOT, Object

MODULES = ROOT / "build" / "crds" / "node_modules"
_CHECK = Path(__file__).parent / "crds" / "check.mjs"


def lacking() -> str | None:
    """Why nothing can be checked, or None."""
    if not shutil.which("node"):
        return "no Node.js is installed (make crds)"
    return None if MODULES.exists() else "the custom resources' models are not there (make crds)"


def problems(objects: Sequence[Object]) -> list[list[str]]:
    """For each object a sentence for each field that is wrong, missing or unknown."""
    done = subprocess.run(
        ["node", str(_CHECK), str(MODULES)],
        input=json.dumps(objects),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))
