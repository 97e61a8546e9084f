"""A report as JSON."""

import json

from node_tuner.report.finding import SCHEMA, Finding, Section, as_json


def test_as_json_has_each_finding_by_its_section_and_name() -> None:
    sections = [Section("kernel", [Finding("release", "6.18"), Finding("speed", None, "not told")])]
    document = as_json(sections)
    assert json.loads(json.dumps(document)) == {
        "schema": SCHEMA,
        "sections": {
            "kernel": {"release": {"value": "6.18", "note": ""}, "speed": {"value": None, "note": "not told"}}
        },
    }
