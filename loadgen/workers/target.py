"""What every worker knows of the target."""

from dataclasses import dataclass, field

from loadgen.target.safety import Permission
from loadgen.target.urls import Endpoints


@dataclass(frozen=True, slots=True)
class Target:
    """Pickled to the workers; the tokens appear in no message."""

    endpoints: Endpoints
    permission: Permission
    watch_token: str | None = field(default=None, repr=False)
    publish_token: str | None = field(default=None, repr=False)
