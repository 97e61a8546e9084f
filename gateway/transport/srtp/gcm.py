"""AEAD_AES_128_GCM for SRTP and SRTCP (RFC 7714)."""

from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.transport.srtp import kdf
from gateway.transport.srtp.errors import AuthenticationError, ReplayError, SrtpError
from gateway.transport.srtp.interface import Sealable
from gateway.transport.srtp.profiles import AEAD_AES_128_GCM
from gateway.transport.srtp.replay import ReplayWindow
from gateway.transport.srtp.run import Run
from gateway.wire.rtp import RtpHeader
from gateway.wire.serial import unwrap16

TAG_BYTES = 16
_RTCP_HEADER_BYTES = 8
_RTCP_INDEX_BYTES = 4
_ENCRYPTED_FLAG = 1 << 31
_RTCP_INDEX_MASK = _ENCRYPTED_FLAG - 1

_Keys = tuple[AESGCM, int]
"""A cipher and its 96-bit salt as an integer."""


def session_keys(master: bytes) -> tuple[_Keys, _Keys]:
    """RTP's and RTCP's (cipher, salt) derived from master key || master salt."""
    key, salt = master[: AEAD_AES_128_GCM.key_bytes], master[AEAD_AES_128_GCM.key_bytes :]

    def pair(key_label: int, salt_label: int) -> _Keys:
        cipher = AESGCM(kdf.derive(key, salt, key_label, AEAD_AES_128_GCM.key_bytes))
        return cipher, int.from_bytes(kdf.derive(key, salt, salt_label, AEAD_AES_128_GCM.salt_bytes), "big")

    return (
        pair(kdf.LABEL_RTP_ENCRYPTION, kdf.LABEL_RTP_SALT),
        pair(kdf.LABEL_RTCP_ENCRYPTION, kdf.LABEL_RTCP_SALT),
    )


class GcmSealer:
    """Encrypts what goes to one peer. IV: 2 zero bytes | ssrc | packet index, XOR salt (RFC 7714 section 8.1)."""

    __slots__ = ("_encrypt", "_encrypt_into", "_first_rollovers", "_rtcp_encrypt", "_rtcp_index", "_rtcp_salt", "_salt")

    overhead_bytes = TAG_BYTES

    def __init__(self, rtp: _Keys, rtcp: _Keys) -> None:
        self._encrypt, self._encrypt_into, self._salt = rtp[0].encrypt, rtp[0].encrypt_into, rtp[1]
        self._rtcp_encrypt, self._rtcp_salt = rtcp[0].encrypt, rtcp[1]
        self._rtcp_index = 0
        self._first_rollovers: dict[int, int] = {}

    @classmethod
    def from_master(cls, master: bytes) -> "GcmSealer":
        """A sealer with the session keys of `master` (key || salt)."""
        return cls(*session_keys(master))

    def start_at(self, ssrc: int, index: int) -> None:
        """See `Sealer`."""
        self._first_rollovers[ssrc] = index >> 16 << 16

    def seal(self, packets: Sequence[Sealable]) -> list[bytes]:
        """See `Sealer`."""
        encrypt, salt, first = self._encrypt, self._salt, self._first_rollovers
        buffers = []
        for header, payload, ssrc, iv in packets:
            nonce = (salt ^ (iv - first[ssrc])).to_bytes(12)
            buffers.append(header)
            buffers.append(encrypt(nonce, payload, header))
        return buffers

    def seal_run(self, run: Run) -> Sequence[bytearray]:
        """See `Sealer`. The inner loop of the whole gateway: nothing is allocated but the nonces."""
        encrypt_into, salt, first = self._encrypt_into, self._salt, self._first_rollovers
        for header, payload, ssrc, iv, room in run.places:
            encrypt_into((salt ^ (iv - first[ssrc])).to_bytes(12), payload, header, room)
        return (run.buffer,)

    def seal_rtcp(self, compound: bytes) -> bytes:
        """See `Sealer` (RFC 7714 section 9)."""
        index = self._rtcp_index
        self._rtcp_index = (index + 1) & _RTCP_INDEX_MASK
        header, word = compound[:_RTCP_HEADER_BYTES], (_ENCRYPTED_FLAG | index).to_bytes(_RTCP_INDEX_BYTES)
        nonce = _rtcp_nonce(self._rtcp_salt, header, index)
        return header + self._rtcp_encrypt(nonce, compound[_RTCP_HEADER_BYTES:], header + word) + word


def _rtcp_nonce(salt: int, header: bytes, index: int) -> bytes:
    return (salt ^ (int.from_bytes(header[4:8], "big") << 48 | index)).to_bytes(12)


class GcmOpener:
    """Authenticates and decrypts what one peer sent, each packet once."""

    __slots__ = ("_decrypt", "_rtcp_decrypt", "_rtcp_salt", "_rtcp_windows", "_salt", "_windows")

    def __init__(self, rtp: _Keys, rtcp: _Keys) -> None:
        self._decrypt, self._salt = rtp[0].decrypt, rtp[1]
        self._rtcp_decrypt, self._rtcp_salt = rtcp[0].decrypt, rtcp[1]
        # Both grow by authenticated packets only; the session bounds how many SSRCs it lets come this far.
        self._windows: dict[int, ReplayWindow] = {}
        self._rtcp_windows: dict[int, ReplayWindow] = {}

    @classmethod
    def from_master(cls, master: bytes) -> "GcmOpener":
        """An opener with the session keys of `master` (key || salt)."""
        return cls(*session_keys(master))

    def open_rtp(self, datagram: bytes, header: RtpHeader) -> bytes:
        """See `Opener`."""
        if len(datagram) < header.length_bytes + TAG_BYTES:
            raise SrtpError(f"{len(datagram)} bytes hold no AEAD tag after the header")
        window = self._windows.get(header.ssrc) or ReplayWindow()
        sequence_number = header.sequence_number
        index = unwrap16(sequence_number, window.highest) if window.highest >= 0 else sequence_number
        if index < 0 or not window.is_new(index):
            raise ReplayError(f"packet {sequence_number} was received before or is too old")
        nonce = (self._salt ^ (header.ssrc << 48 | index)).to_bytes(12)
        aad, sealed = datagram[: header.length_bytes], datagram[header.length_bytes :]
        plaintext = _opened(self._decrypt, nonce, sealed, aad)
        window.add(index)
        self._windows[header.ssrc] = window
        return plaintext

    def open_rtcp(self, datagram: bytes) -> bytes:
        """See `Opener` (RFC 7714 section 9)."""
        if len(datagram) < _RTCP_HEADER_BYTES + TAG_BYTES + _RTCP_INDEX_BYTES:
            raise SrtpError(f"{len(datagram)} bytes are no SRTCP")
        header, word = datagram[:_RTCP_HEADER_BYTES], datagram[-_RTCP_INDEX_BYTES:]
        flag_and_index = int.from_bytes(word, "big")
        if not flag_and_index & _ENCRYPTED_FLAG:
            raise SrtpError("SRTCP without encryption is not accepted")
        index, ssrc = flag_and_index & _RTCP_INDEX_MASK, int.from_bytes(header[4:8], "big")
        window = self._rtcp_windows.get(ssrc) or ReplayWindow()
        if not window.is_new(index):
            raise ReplayError(f"SRTCP packet {index} was received before or is too old")
        nonce = _rtcp_nonce(self._rtcp_salt, header, index)
        sealed = datagram[_RTCP_HEADER_BYTES:-_RTCP_INDEX_BYTES]
        plaintext = _opened(self._rtcp_decrypt, nonce, sealed, header + word)
        window.add(index)
        self._rtcp_windows[ssrc] = window
        return header + plaintext


def _opened(decrypt: Callable[[bytes, bytes, bytes], bytes], nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
    try:
        return decrypt(nonce, sealed, aad)
    except InvalidTag:
        raise AuthenticationError("the AEAD tag does not match") from None
