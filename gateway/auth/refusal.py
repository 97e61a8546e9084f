"""Why a token opens no door: each cause with its status, its error code (RFC 6750 section 3.1) and its sentence.

docs/access.md lists them; the causes are the labels of `railbird_token_refusals_total`. No sentence says what the token
or the keys hold.
"""

from enum import Enum

from gateway.errors import SignallingError

REALM = 'Bearer realm="railbird"'


class Cause(Enum):
    """Of a refusal: (label, status, error code, sentence)."""

    MISSING = ("missing", 401, None, "A bearer token is needed.")
    STATIC = ("static", 401, "invalid_token", "The token is not the right one.")
    TOO_LONG = ("too_long", 401, "invalid_token", "The token is too long.")
    MALFORMED = ("malformed", 401, "invalid_token", "The token is no JSON Web Token.")
    ALGORITHM = ("algorithm", 401, "invalid_token", "The token is signed in a way that is not taken here.")
    EXTENSION = ("extension", 401, "invalid_token", "The token demands an extension (crit) that is not known here.")
    NO_KEY_ID = ("no_key_id", 401, "invalid_token", "The token does not say which key signed it (kid).")
    UNKNOWN_KEY = ("unknown_key", 401, "invalid_token", "The token is signed by a key that is not known here.")
    KEY_MISMATCH = ("key_mismatch", 401, "invalid_token", "The token's algorithm is not the one of its key.")
    SIGNATURE = ("signature", 401, "invalid_token", "The token's signature is wrong.")
    EXPIRED = ("expired", 401, "invalid_token", "The token has expired.")
    NOT_YET = ("not_yet_valid", 401, "invalid_token", "The token is not valid yet.")
    ISSUER = ("issuer", 401, "invalid_token", "The token is from another issuer.")
    AUDIENCE = ("audience", 401, "invalid_token", "The token is for another audience.")
    CLAIMS = ("claims", 401, "invalid_token", "The token's claims are not as they should be.")
    ROLE = ("role", 403, "insufficient_scope", "The token does not let its bearer do this.")
    STREAM = ("stream", 403, "insufficient_scope", "The token is not for this stream.")
    FOREIGN_PAGE = ("foreign_page", 403, None, "Without a token no page of another origin may do that.")
    NOT_HERE = ("not_this_machine", 403, None, "Without a token only this machine may do that.")

    def __init__(self, label: str, status: int, code: str | None, sentence: str) -> None:
        self.label = label
        self.status = status
        self.code = code
        self.sentence = sentence


class AccessError(SignallingError):
    """A token, or the lack of one, does not open this door."""

    def __init__(self, cause: Cause, sentence: str | None = None) -> None:
        """`sentence` where there is more to say than the cause's own does."""
        self.cause = cause
        super().__init__(cause.status, sentence or cause.sentence, {"WWW-Authenticate": _challenge(cause)})


def _challenge(cause: Cause) -> str:
    # Without any token the answer says no error code (RFC 6750 section 3.1).
    return REALM if cause.code is None else f'{REALM}, error="{cause.code}"'
