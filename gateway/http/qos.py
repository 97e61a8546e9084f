"""The quality of what is served: for everybody who reads streams, and for the operators' page."""

import math

from aiohttp import web

from gateway.auth.identity import Role
from gateway.clock import monotonic_s
from gateway.errors import SignallingError
from gateway.http.access import identify
from gateway.http.keys import OPERATIONS, QUALITY


async def qos(request: web.Request) -> web.Response:
    """Scores by window (`1m`, `5m`, `1h`), with what each term cost. docs/qos.md has the formula.

        {"edge": {"windows": {WINDOW: {
            "score": 0-100 | null, "worst_stream": name | null, "worst_score": 0-100 | null,
            "viewers": mean of the window, "terms": [{"term", "lost"}]}}},
         "streams": [{"stream", "windows": {WINDOW: {
            "score": 0-100 | null (no data), "worst_term": term | null, "seconds": what was measured,
            "viewers": mean of the window,
            "terms": [{"term", "value": number | null (no data), "unit", "lost": points,
                       "begins_at", "all_at", "points": the most it can cost}],
            "measured": {
                "rtt": {"pings", "p50_ms", "p95_ms", "p99_ms": number | null},
                "frames": {LEG: {"frames", "dropped", "dropped_share": number | null}},
                "packets": {"ingest" | "egress": {"packets", "lost"}},
                "freezes": {"freezes", "frozen_s", "watched_s", "dropped_s", "still_s", "attended_s"},
                "rounds": {"ended", "aborted", "aborted_by_network"}}}}}]}

    LEG: `ingest`, `egress`, `player`.
    """
    return web.json_response(text=await request.app[QUALITY].report_text())


async def ops(request: web.Request) -> web.Response:
    """All that the operators' page shows. Role `operate`. A row of each stream, and of those that are named by `stream`
    all else: with 64 streams, one of them named, 35 kB. Read anew once a second at most. Counters are since the start,
    or since the stream began.

        {"at_unix_s",
         "gateway": {"process_id", "uptime_s", "loop_lag_max_s", "cpu_share" (1.0: a core), "resident_bytes" | null,
            "is_draining", "sessions": {"ingest", "egress"}, "half_open_sessions",
            "sessions_ended": {LEG: {cause: n}}, "sessions_refused": {LEG: {cause: n}}, "token_refusals": {cause: n},
            "signals": {carrier: connections}, "datagrams_dropped": {cause: n}, "kernel_drops",
            "socket_buffer_bytes": {"receive" | "send": {"asked", "granted"}}, "gso": bool, "ledger_failures"},
         "edge": the last minute of all streams, a WINDOW of `edge` in /api/v1/qos, at most 5 s old,
         "bets": {state: n}, "upstream": {"waiting", "retries", "outcomes": {"delivered" | "undelivered": n}},
         "aborts": {cause: n},
         "streams": [{
            "stream", "state": "live" | "waiting" | "gone" (it has rounds, but is no more),
            of the last minute, at most 5 s old, null where there is no data: "score" (0-100), "worst_term",
            "rtt_p50_ms", "rtt_p95_ms", "rtt_p99_ms",
            "dropped_ingest_share", "dropped_egress_share", "dropped_player_share" (of the leg's frames),
            and of now: "viewers_webrtc", "viewers_hls", "bitrate_bps" (0 without a studio),
            "round": state of the oldest open round | null, "rounds_aborted"}],
         "details": {name: {
            "since_s", "publisher", "tracks": as in /api/v1/streams,
            "qos": {"windows": as in /api/v1/qos} | null (not sampled yet),
            "frames_dropped": {LEG: {reason: n}},
            "rounds": {"open": [ROUND, the oldest first], "last": [ROUND, the newest first; 20 at most]},
            "rounds_ended": {"settled" | "aborted": n}, "aborts": {cause: n},
            "signals": {carrier: connections}, "pings_unanswered", "reports": {state: n}, "bets": {state: n}}},
         "history": {"edge": PLOT, "streams": {name: PLOT}}}

    ROUND: {"round_id", "state", "began_unix_ms", "at_unix_ms" (of its newest step), "closes_at_unix_ms" | null,
    "result", "cause" | null, "evidence": {}, "bets"}. A mapping may lack labels that nothing was
    counted for.

    PLOT: column -> values, the oldest first, each five seconds for 15 minutes; `at_unix_s` is the first column; null:
    no data. Of the edge: score, worst_score, streams, viewers_webrtc, viewers_hls, bitrate_bps, loop_lag_max_ms,
    cpu_share, kernel_drops_per_s, sessions. Of a stream: score (of the last minute), rtt_p50_ms, rtt_p95_ms,
    dropped_ingest_per_s, dropped_egress_per_s, dropped_player_per_s, viewers_webrtc, viewers_hls, bitrate_bps.

    Query: `stream`, once or more: whose details and plots are wanted, 8 at most; those that are not there are left out.
    `since_unix_s`: only points newer than that, so that a page asks for what it does not have yet.
    """
    identify(request, Role.OPERATE)
    since_unix_s = _since_unix_s(request)
    names = request.query.getall("stream", [])
    text = await request.app[OPERATIONS].report_text(monotonic_s(), names, since_unix_s)
    return web.json_response(text=text, headers={"Cache-Control": "no-store"})


def _since_unix_s(request: web.Request) -> float:
    try:
        since_unix_s = float(request.query.get("since_unix_s", "0"))
    except ValueError:
        since_unix_s = math.nan
    if math.isfinite(since_unix_s):
        return since_unix_s
    raise SignallingError(400, "since_unix_s is a Unix time in seconds.")


ROUTES = [web.get("/api/v1/qos", qos), web.get("/api/v1/ops", ops)]
