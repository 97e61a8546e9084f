"""PATCH and DELETE of a session that is there, or not."""

import re

import pytest

from gateway.wire.sdpfrag import MAX_FRAGMENT_BYTES, parse_fragment
from tests.http.conftest import PUBLISH_OFFER, Answer, Api, Serve

FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
CANDIDATE = "a=mid:0\r\na=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\n"
RESTART = "a=ice-ufrag:anew\r\na=ice-pwd:0123456789012345678901\r\n" + CANDIDATE


@pytest.fixture
async def session(api: Api) -> Answer:
    """The answer of a publisher's POST."""
    return await api.publish()


async def _patch(api: Api, session: Answer, fragment: str | bytes, etag: str | None = None) -> Answer:
    headers = FRAGMENT if etag is None else FRAGMENT | {"If-Match": etag}
    return await api.request("PATCH", session["Location"], fragment, headers)


def _offered_ufrag() -> str:
    found = re.search(r"a=ice-ufrag:(\S+)", PUBLISH_OFFER)
    assert found
    return found[1]


# Trickle


@pytest.mark.parametrize(
    "fragment", [CANDIDATE, f"a=ice-ufrag:{_offered_ufrag()}\r\n{CANDIDATE}", "a=end-of-candidates"]
)
async def test_candidates_are_taken_without_if_match(api: Api, session: Answer, fragment: str) -> None:
    answer = await _patch(api, session, fragment)
    assert (answer.status, answer.text) == (204, "")
    assert answer["ETag"] == session["ETag"]


@pytest.mark.parametrize("quoting", ["{}", '"other", {}', "*"])
async def test_candidates_are_taken_with_the_present_etag(api: Api, session: Answer, quoting: str) -> None:
    answer = await _patch(api, session, CANDIDATE, quoting.format(session["ETag"]))
    assert answer.status == 204


async def test_candidates_of_another_ice_generation_are_refused(api: Api, session: Answer) -> None:
    answer = await _patch(api, session, CANDIDATE, '"another"')
    assert answer.status == 412
    assert "ETag is another one" in answer.text


# ICE restarts


@pytest.mark.parametrize("matches_any", [True, False])
async def test_restart_yields_new_credentials_and_a_new_etag(api: Api, session: Answer, matches_any: bool) -> None:
    answer = await _patch(api, session, RESTART, "*" if matches_any else session["ETag"])
    assert answer.status == 200
    assert answer["Content-Type"].startswith("application/trickle-ice-sdpfrag")
    assert answer["ETag"] != session["ETag"]
    fragment = parse_fragment(answer.text)
    assert fragment.ufrag is not None
    assert f"a=ice-ufrag:{fragment.ufrag}\r\n" not in session.text
    assert fragment.pwd is not None
    assert len(fragment.candidates) == 1
    assert fragment.end_of_candidates
    assert "a=mid:0\r\n" in answer.text


async def test_restart_changes_what_the_next_one_has_to_match(api: Api, session: Answer) -> None:
    first = await _patch(api, session, RESTART, session["ETag"])
    again = RESTART.replace("anew", "more")
    assert (await _patch(api, session, again, session["ETag"])).status == 412
    assert (await _patch(api, session, again, first["ETag"])).status == 200


async def test_candidates_after_a_restart_belong_to_the_new_generation(api: Api, session: Answer) -> None:
    restarted = await _patch(api, session, RESTART, "*")
    assert (await _patch(api, session, RESTART, restarted["ETag"])).status == 204
    assert (await _patch(api, session, CANDIDATE, session["ETag"])).status == 412


async def test_restart_without_if_match_is_refused(api: Api, session: Answer) -> None:
    answer = await _patch(api, session, RESTART)
    assert answer.status == 428
    assert "If-Match" in answer.text


@pytest.mark.parametrize(
    "fragment",
    [
        "a=ice-ufrag:anew\r\n",
        "a=ice-ufrag:abc\r\na=ice-pwd:0123456789012345678901\r\n",
        "a=ice-ufrag:anew\r\na=ice-pwd:short\r\n",
        f"a=ice-ufrag:{'u' * 257}\r\na=ice-pwd:0123456789012345678901\r\n",
    ],
    ids=["no pwd", "short ufrag", "short pwd", "endless ufrag"],
)
async def test_restart_with_poor_credentials_is_refused(api: Api, session: Answer, fragment: str) -> None:
    answer = await _patch(api, session, fragment, "*")
    assert answer.status == 422
    assert (await _patch(api, session, CANDIDATE, session["ETag"])).status == 204


# Bodies


@pytest.mark.parametrize(
    ("fragment", "status"),
    [
        ("", 422),
        ("hello", 422),
        ("a=x\r\n" * MAX_FRAGMENT_BYTES, 413),
        (b"a=mid:\xff", 400),
    ],
    ids=["empty", "not SDP", "huge", "not UTF-8"],
)
async def test_fragment_that_is_none_is_refused(api: Api, session: Answer, fragment: str | bytes, status: int) -> None:
    answer = await _patch(api, session, fragment)
    assert answer.status == status
    assert re.fullmatch(r"[^\n]+\.\n", answer.text)


async def test_fragment_of_another_content_type_is_refused(api: Api, session: Answer) -> None:
    answer = await api.request("PATCH", session["Location"], CANDIDATE, {"Content-Type": "application/sdp"})
    assert answer.status == 415
    assert answer["Accept-Patch"] == "application/trickle-ice-sdpfrag"


# The end


async def test_deleted_session_is_gone(api: Api, session: Answer) -> None:
    assert (await api.request("DELETE", session["Location"])).status == 200
    assert len(api.gateway.port) == 0
    assert (await api.request("DELETE", session["Location"])).status == 404
    assert (await _patch(api, session, CANDIDATE)).status == 404


@pytest.mark.parametrize("path", ["/whip/table/nobody", "/whep/table/nobody", "/whip/-/-"])
async def test_unknown_session_is_not_found(api: Api, path: str) -> None:
    answer = await api.request("DELETE", path)
    assert answer.status == 404
    assert answer.text == "There is no such session; it may have ended.\n"


@pytest.mark.parametrize(("here", "there"), [("/whip/", "/whep/"), ("/table/", "/another/")])
async def test_session_is_found_only_where_it_was_made(api: Api, session: Answer, here: str, there: str) -> None:
    elsewhere = session["Location"].replace(here, there)
    assert (await api.request("DELETE", elsewhere)).status == 404
    assert (await api.request("PATCH", elsewhere, CANDIDATE, FRAGMENT)).status == 404
    assert len(api.gateway.port) == 1


# Tokens


@pytest.mark.parametrize(("root", "kind"), [("whip", "publish"), ("whep", "watch")])
async def test_token_is_needed_for_everything_but_options(serve: Serve, root: str, kind: str) -> None:
    api, bearer = await serve(tokens={kind: "secret"}), {"Authorization": "Bearer secret"}
    api.go_live()
    ask = api.publish if root == "whip" else api.watch
    assert (await ask()).status == 401
    opened = await ask(**bearer)
    assert opened.status == 201
    for method in ("PATCH", "DELETE"):
        refused = await api.request(method, opened["Location"], CANDIDATE, FRAGMENT)
        assert refused.status == 401
        assert refused["WWW-Authenticate"] == 'Bearer realm="railbird"'
    assert (await api.request("PATCH", opened["Location"], CANDIDATE, FRAGMENT | bearer)).status == 204
    assert (await api.request("DELETE", opened["Location"], headers=bearer)).status == 200


async def test_token_of_one_side_does_not_open_the_other(serve: Serve) -> None:
    api = await serve(tokens={"publish": "one", "watch": "other"})
    publishing, watching = await api.publish(Authorization="Bearer other"), await api.watch(Authorization="Bearer one")
    assert (publishing.status, publishing.text) == (403, "The token does not let its bearer publish.\n")
    assert (watching.status, watching.text) == (403, "The token does not let its bearer watch.\n")
