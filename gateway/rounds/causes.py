"""Why a round was aborted: a closed set, told from evidence."""

from enum import Enum


class AbortCause(Enum):
    """The label of `railbird_round_aborts_total`."""

    STUDIO_REQUEST = "studio_request"
    STUDIO_DISCONNECTED = "studio_disconnected"
    """The studio's session ended, or nothing at all comes from it."""
    INGEST_LOSS = "ingest_loss"
    """Packets from the studio were lost, and with them pictures."""
    INGEST_FREEZE = "ingest_freeze"
    """The studio is there, but sends no media at all."""
    ENCODER_STALLED = "encoder_stalled"
    """The studio sends sound, but no pictures, or none that a decoder can begin at."""
    GATEWAY_OVERLOAD = "gateway_overload"
    """This process stood still."""
    HOST_RECEIVE_DROPS = "host_receive_drops"
    """This host's kernel dropped datagrams: the receive buffer was full."""
    POLICY = "policy"
    """An operator, or a rule of one, ended it."""
    UNKNOWN = "unknown"
    """The picture failed, and nothing that is looked at says why."""
