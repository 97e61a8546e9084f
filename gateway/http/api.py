"""The control API: what streams and sessions there are, and ending one."""

from aiohttp import web

from gateway.auth.audit import Deed
from gateway.auth.identity import Role
from gateway.clock import monotonic_s
from gateway.errors import SignallingError
from gateway.http.access import identify
from gateway.http.keys import HUB
from gateway.hub.report import session_report, stream_report


async def streams(request: web.Request) -> web.Response:
    """All streams."""
    hub, now_s = request.app[HUB], monotonic_s()
    return web.json_response({"streams": [stream_report(hub, stream, now_s) for stream in hub.registry]})


async def stream(request: web.Request) -> web.Response:
    """One stream."""
    hub = request.app[HUB]
    found = hub.registry.stream(request.match_info["stream"])
    if found is None:
        raise SignallingError(404, "There is no such stream now.")
    return web.json_response(stream_report(hub, found, monotonic_s()))


async def sessions(request: web.Request) -> web.Response:
    """All sessions. Their ids are what ends them, so this asks for the control token."""
    identify(request, Role.OPERATE)
    now_s = monotonic_s()
    return web.json_response({"sessions": [session_report(each, now_s) for each in request.app[HUB].port.sessions()]})


async def delete_session(request: web.Request) -> web.Response:
    """End a session of either side."""
    operator = identify(request, Role.OPERATE)
    session = request.app[HUB].port.session(request.match_info["session"])
    if session is None:
        raise SignallingError(404, "There is no such session; it may have ended.")
    session.close("operator")
    told = {"stream": session.stream, "session": session.session_id, "leg": session.leg.value}
    request.app[HUB].audit.note(Deed.KICK, "done", monotonic_s(), operator, **told)
    return web.Response(status=204)


ROUTES = [
    web.get("/api/v1/streams", streams),
    web.get("/api/v1/streams/{stream}", stream),
    web.get("/api/v1/sessions", sessions),
    web.delete("/api/v1/sessions/{session}", delete_session),
]
