"""Draining by HTTP, for operators and for what they automate (docs/drain.md)."""

from aiohttp import web

from gateway.auth.audit import Deed
from gateway.auth.identity import Identity, Role
from gateway.clock import monotonic_s
from gateway.http.access import identify
from gateway.http.keys import HUB
from gateway.hub.drain import Order


async def drain(request: web.Request) -> web.Response:
    """How far it is.

    {"isDraining": bool, "isDrained": bool, "orders": ["signal" | "file" | "api"], "sinceUnixMs": ms | null,
     "roundsOpen": those that a drain waits for, "sessions": {"ingest", "egress"},
     "deadlineUnixMs": when rounds are aborted | null}
    """
    identify(request, Role.OPERATE)
    return _report(request, 200)


async def begin(request: web.Request) -> web.Response:
    """Drain: 202, for it takes its time. Again: nothing."""
    operator = identify(request, Role.OPERATE)
    if request.app[HUB].draining.order(Order.API, monotonic_s()):
        _note(request, "begun", operator)
    return _report(request, 202)


async def withdraw(request: web.Request) -> web.Response:
    """Take the order of `begin` back: where no other stands the gateway serves again."""
    operator = identify(request, Role.OPERATE)
    if request.app[HUB].draining.withdraw(Order.API):
        _note(request, "withdrawn", operator)
    return _report(request, 200)


def _note(request: web.Request, outcome: str, operator: Identity) -> None:
    request.app[HUB].audit.note(Deed.DRAIN, outcome, monotonic_s(), operator)


def _report(request: web.Request, status: int) -> web.Response:
    report = request.app[HUB].draining.report()
    return web.json_response(report, status=status, headers={"Cache-Control": "no-store"})


_PATH = "/api/v1/drain"
ROUTES = [web.get(_PATH, drain), web.post(_PATH, begin), web.delete(_PATH, withdraw)]
