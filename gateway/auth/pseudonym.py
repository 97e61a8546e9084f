"""What stands for a player wherever a player must not be named."""

import hashlib
import secrets
from collections.abc import Callable

from pydantic import SecretStr

PSEUDONYM_BYTES = 8
"""Two of a million players share one with a chance of one in thirty million."""


def pseudonyms(key: SecretStr | None) -> Callable[[str], str]:
    """A keyed hash: without the key nobody can try out whose it is. Without `key` one that this process forgets."""
    secret = key.get_secret_value().encode() if key is not None else secrets.token_bytes(32)
    # BLAKE2b takes no longer key than 64 bytes.
    secret = hashlib.sha256(secret).digest()

    def pseudonym(player: str) -> str:
        return hashlib.blake2b(
            player.encode(errors="surrogatepass"), key=secret, digest_size=PSEUDONYM_BYTES
        ).hexdigest()

    return pseudonym
