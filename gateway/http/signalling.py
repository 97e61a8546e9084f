"""WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): the two differ only in what opens a session.

POST an offer: 201, the answer, Location and ETag. PATCH a fragment: 204 for candidates, 200 for an ICE restart. DELETE:
200.
"""

from collections.abc import Callable

from aiohttp import web

from gateway.auth.identity import Identity, Role
from gateway.errors import SignallingError, WireError
from gateway.http.access import identify
from gateway.http.body import read_text
from gateway.http.keys import HUB
from gateway.hub.hub import Hub
from gateway.transport.peer import Leg
from gateway.transport.session import Session
from gateway.wire.sdp import (
    MAX_CREDENTIAL_CHARS,
    MAX_OFFER_BYTES,
    MIN_PWD_CHARS,
    MIN_UFRAG_CHARS,
    Offer,
    parse_offer,
)
from gateway.wire.sdpfrag import MAX_FRAGMENT_BYTES, SdpFragment, parse_fragment

SDP_TYPE = "application/sdp"
FRAGMENT_TYPE = "application/trickle-ice-sdpfrag"

Opener = Callable[[Hub, str, Offer, Identity], tuple[Session, str]]


class Signalling:
    """The endpoint `/{root}/{stream}` and its sessions."""

    def __init__(self, root: str, leg: Leg, opener: Opener, role: Role) -> None:
        self._root = root
        self._leg = leg
        self._open = opener
        self._role = role

    def routes(self) -> list[web.RouteDef]:
        """What the server is to serve."""
        endpoint, session = f"/{self._root}/{{stream}}", f"/{self._root}/{{stream}}/{{session}}"
        return [
            web.post(endpoint, self.post),
            web.options(endpoint, self.options),
            web.options(session, self.options),
            web.patch(session, self.patch),
            web.delete(session, self.delete),
        ]

    async def options(self, request: web.Request) -> web.Response:
        """Preflight, and what may be posted. Never asks for a token (RFC 9725 section 4.1)."""
        return web.Response(status=204, headers={"Accept-Post": SDP_TYPE, "Allow": "POST, PATCH, DELETE, OPTIONS"})

    async def post(self, request: web.Request) -> web.Response:
        """Open a session."""
        identity = self._identify(request)
        text = await read_text(request, SDP_TYPE, MAX_OFFER_BYTES, "Accept-Post")
        stream = request.match_info["stream"]
        session, answer = self._open(request.app[HUB], stream, parse_offer(text), identity)
        headers = {
            "Location": f"/{self._root}/{stream}/{session.session_id}",
            "ETag": _etag(session),
            "Accept-Patch": FRAGMENT_TYPE,
        }
        return web.Response(status=201, text=answer, content_type=SDP_TYPE, headers=headers)

    async def patch(self, request: web.Request) -> web.Response:
        """Candidates, which ICE-lite has no use for; or an ICE restart, told by another ufrag (RFC 9725 section
        4.3)."""
        self._identify(request)
        session = self._session(request)
        try:
            fragment = parse_fragment(await read_text(request, FRAGMENT_TYPE, MAX_FRAGMENT_BYTES, "Accept-Patch"))
        except WireError as error:
            raise SignallingError(422, str(error)) from None
        expected = request.headers.get("If-Match")
        if fragment.ufrag is None or fragment.ufrag == session.ice.remote_ufrag:
            _require_match(session, expected)
            return web.Response(status=204, headers={"ETag": _etag(session)})
        return self._restart(request, session, fragment, expected)

    def _restart(
        self, request: web.Request, session: Session, fragment: SdpFragment, expected: str | None
    ) -> web.Response:
        if not _are_credentials(fragment.ufrag or "", fragment.pwd or ""):
            raise SignallingError(422, "An ICE restart needs a valid a=ice-ufrag and a valid a=ice-pwd.")
        if expected is None:
            raise SignallingError(428, "An ICE restart needs If-Match: *, or the session's ETag.")
        _require_match(session, expected)
        text = request.app[HUB].sessions.restart_ice(session, fragment)
        return web.Response(status=200, text=text, content_type=FRAGMENT_TYPE, headers={"ETag": _etag(session)})

    async def delete(self, request: web.Request) -> web.Response:
        """End a session."""
        self._identify(request)
        self._session(request).close("deleted")
        return web.Response(status=200)

    def _identify(self, request: web.Request) -> Identity:
        return identify(request, self._role, request.match_info["stream"])

    def _session(self, request: web.Request) -> Session:
        session = request.app[HUB].port.session(request.match_info["session"])
        if session is None or session.leg is not self._leg or session.stream != request.match_info["stream"]:
            raise SignallingError(404, "There is no such session; it may have ended.")
        return session


def _are_credentials(ufrag: str, pwd: str) -> bool:
    """Whether both are as long as RFC 8839 section 5.4 wants them."""
    return MIN_UFRAG_CHARS <= len(ufrag) <= MAX_CREDENTIAL_CHARS and MIN_PWD_CHARS <= len(pwd) <= MAX_CREDENTIAL_CHARS


def _etag(session: Session) -> str:
    # The ICE session's identity (RFC 9725 section 4.3.1): its own ufrag changes with every restart.
    return f'"{session.ice.local.ufrag}"'


def _require_match(session: Session, expected: str | None) -> None:
    if expected is not None and expected.strip() != "*" and _etag(session) not in expected:
        raise SignallingError(412, "The session's ETag is another one: it was restarted meanwhile.")


WHIP = Signalling(
    "whip", Leg.INGEST, lambda hub, stream, offer, who: hub.studios.open(stream, offer, who), Role.PUBLISH
)
WHEP = Signalling("whep", Leg.EGRESS, Hub.open_viewer, Role.WATCH)
