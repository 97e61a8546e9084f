"""ICE restart over HTTP (RFC 9725 section 4.3.3, RFC 8445 section 9): a new way beside the one that works."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.errors import WireError
from gateway.transport.ice import Credentials
from gateway.wire.sdpfrag import parse_fragment
from loadgen.errors import SignallingError
from loadgen.peer.datagrams import Arrival
from loadgen.peer.ice import RemoteIce
from loadgen.peer.path import IcePath
from loadgen.signalling.answer import Answer, are_credentials
from loadgen.signalling.candidate import Candidate, parse_candidate
from loadgen.signalling.fragment import restart_fragment
from loadgen.signalling.http import Signalling

_RESTARTED = 200


@dataclass(frozen=True, slots=True)
class SessionToRestart:
    """What signalling knows of the session."""

    url: str
    etag: str | None
    answer: Answer


@dataclass(frozen=True, slots=True)
class Restarted:
    """The new way, nominated, and the session's new ETag."""

    path: IcePath
    etag: str | None


async def restarted_path(
    old: IcePath, session: SessionToRestart, signalling: Signalling, on_other: Callable[[Arrival], None]
) -> Restarted:
    """Restart ICE of `session`, whose way is `old`, on a socket of its own; media that comes there goes to `on_other`.

    SignallingError: `http_...` (405, 501, or a 204 without new credentials: the server cannot), `answer` when its
    fragment is unusable, `ice_timeout` when the new way does not work.
    """
    path = old.another()
    try:
        remote, candidates, etag = await _told(path, session, signalling)
        path.begin(remote, candidates, on_other)
        await path.establish()
    except BaseException:
        path.close()
        raise
    return Restarted(path, etag)


async def _told(
    path: IcePath, session: SessionToRestart, signalling: Signalling
) -> tuple[RemoteIce, Sequence[Candidate], str | None]:
    """Tell the server our new credentials: its own, its candidates, the new ETag."""
    fragment = restart_fragment(path.local, session.answer.media[0].mid, [path.candidate])
    status, body, etag = await signalling.patch(session.url, fragment, session.etag)
    if status != _RESTARTED:
        raise SignallingError(f"http_{status}", f"The server does not restart ICE: {status}.")
    try:
        answered = parse_fragment(body)
    except WireError as error:
        raise SignallingError("answer", str(error)) from error
    credentials = Credentials(answered.ufrag or "", answered.pwd or "")
    if not are_credentials(credentials.ufrag, credentials.pwd):
        raise SignallingError("answer", "The answer to the ICE restart has no valid credentials.")
    told = tuple(candidate for value in answered.candidates if (candidate := parse_candidate(value)) is not None)
    return RemoteIce(credentials, session.answer.is_lite), told or session.answer.candidates, etag
