"""The rounds of a stream over HTTP: the studio's back office, or its page, says what happens at the table.

POST `{"state", "roundId"?, "closesInMs"?, "result"?}`: 201 and the round for a new one, 200 for one that moved on, or
stood there already. GET: the newest rounds and all that are open, the oldest first.
"""

from dataclasses import replace

import structlog
from aiohttp import web

from gateway.auth.audit import Deed
from gateway.auth.identity import Role
from gateway.clock import monotonic_s
from gateway.errors import SignallingError
from gateway.http.access import identify
from gateway.http.body import read_text
from gateway.http.keys import HUB
from gateway.rounds.causes import AbortCause
from gateway.rounds.description import describe_in_full
from gateway.rounds.request import MAX_BODY_BYTES, parse_command
from gateway.rounds.states import RoundState

log = structlog.get_logger()

JSON_TYPE = "application/json"
"""Insisted on: plain text a page of any origin may post without asking first (CORS)."""

MAX_NEWEST_TOLD = 100
"""Rounds of a GET, beside older ones that are still open: ten thousand would keep the event loop for a second."""


async def post(request: web.Request) -> web.Response:
    """Open a round, or move it on."""
    hub, stream = request.app[HUB], request.match_info["stream"]
    identity = identify(request, Role.PUBLISH, stream, Role.OPERATE)
    command = parse_command(await read_text(request, JSON_TYPE, MAX_BODY_BYTES, "Accept-Post"))
    if not identity.may(Role.PUBLISH, stream):
        if command.state is not RoundState.ABORTED:
            raise SignallingError(403, "An operator may abort rounds; all else is the studio's.")
        command = replace(command, cause=AbortCause.POLICY)
    is_new = command.round_id is None or hub.play.rounds.find(stream, command.round_id) is None
    told = hub.play.command_round(stream, command, monotonic_s())
    if command.cause is AbortCause.POLICY:
        hub.audit.note(Deed.ABORT, "done", monotonic_s(), identity, stream=stream, roundId=told.round_id)
    log.info("round command", stream=stream, round_id=told.round_id, state=command.state.value, client=identity.client)
    return web.json_response(describe_in_full(told), status=201 if is_new else 200)


async def rounds(request: web.Request) -> web.Response:
    """The newest and all open rounds, with what only studio and operator may know: evidence, number of bets."""
    stream = request.match_info["stream"]
    identify(request, Role.PUBLISH, stream, Role.OPERATE)
    known = list(request.app[HUB].play.rounds.of_stream(stream))
    older, newest = known[:-MAX_NEWEST_TOLD], known[-MAX_NEWEST_TOLD:]
    told = [*(each for each in older if not each.is_over), *newest]
    return web.json_response({"rounds": [describe_in_full(each) for each in told]})


async def options(request: web.Request) -> web.Response:
    """Preflight, and what may be posted. Never asks for a token."""
    return web.Response(status=204, headers={"Accept-Post": JSON_TYPE, "Allow": "GET, HEAD, POST, OPTIONS"})


_PATH = "/api/v1/streams/{stream}/rounds"
ROUTES = [web.post(_PATH, post), web.get(_PATH, rounds), web.options(_PATH, options)]
