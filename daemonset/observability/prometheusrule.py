"""Writes railbird-prometheusrule.yaml: railbird-rules.yml as an object of the Prometheus operator. `--check` compares.

Kustomize cannot do it: it takes no file that is not an object already. Run it after each change of the rules.
"""

import sys
from pathlib import Path
from textwrap import indent

_HERE = Path(__file__).parent
RULES, OBJECT = _HERE / "railbird-rules.yml", _HERE / "railbird-prometheusrule.yaml"

_HEAD = """\
# Written by prometheusrule.py: change railbird-rules.yml, then run that.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: railbird
  labels:
    app.kubernetes.io/name: railbird
spec:
"""


def wrapped(rules: str) -> str:
    """The object's text: the rules as they stand, comments and all, below its head."""
    return _HEAD + indent(rules, "  ")


def main() -> None:
    """Exit status 1: the object is not that of the rules (`--check`)."""
    text = wrapped(RULES.read_text(encoding="utf-8"))
    if "--check" not in sys.argv[1:]:
        OBJECT.write_text(text, encoding="utf-8")
    elif OBJECT.read_text(encoding="utf-8") != text:
        sys.exit(f"{OBJECT.name} is not what {RULES.name} says: run {Path(__file__).name}")


if __name__ == "__main__":
    main()
