"""What proves to the upstream that a bet comes from this gateway (docs/upstream.md has how to verify it). Pure."""

import hashlib
import hmac

SIGNATURE_HEADER = "X-Railbird-Signature"


def signature(secret: bytes, body: bytes, unix_s: int) -> str:
    """The header's value: `t=<unix seconds>,v1=<hex HMAC-SHA256 over "<t>.<body>">`.

    The time is signed with the body, so that who recorded a request cannot send it again later.
    """
    digest = hmac.new(secret, b"%d.%b" % (unix_s, body), hashlib.sha256).hexdigest()
    return f"t={unix_s},v1={digest}"
