"""Result files as the tuner writes them (docs/node-tuner.md), made by hand."""

import json
from datetime import UTC, datetime
from typing import Any

BOOT_ID = "6f1c7f0e-3c1f-4d6a-9a53-0d6c4b9d3a11"
NAMESPACE = "inode-4026531840"
"""As of a kernel without cookies: nobody can tell it from another."""
WRITTEN_UNIX_S = 1_795_000_000.0

RMEM_MAX = {
    "name": "net.core.rmem_max",
    "kind": "sysctl",
    "required": True,
    "state": "tuned",
    "wanted": "at least 26214400",
    "found": "26214400",
    "original": "212992",
    "changed": True,
    "why": "one socket carries all media",
    "note": "",
}
RINGS = RMEM_MAX | {"name": "nic.rings", "kind": "rings", "required": False, "found": {"rx": 1024, "tx": 1024}}


def result(*knobs: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A tuned node of one required and one optional knob, or of `knobs`."""
    return {
        "schema": 1,
        "overall": "tuned",
        "command": "apply",
        "written_at": datetime.fromtimestamp(WRITTEN_UNIX_S, UTC).isoformat(),
        "boot_id": BOOT_ID,
        "namespace": NAMESPACE,
        "kernel": "6.18.0",
        "interface": "eth0",
        "profile": {"name": "media-edge", "digest": "0123456789ab"},
        "knobs": list(knobs or (RMEM_MAX, RINGS)),
        **changed,
    }


def written(*knobs: dict[str, Any], **changed: Any) -> bytes:
    """The file."""
    return json.dumps(result(*knobs, **changed)).encode()
