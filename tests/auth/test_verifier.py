"""Tokens, good and bad, before a verifier that knows some keys."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.api_jws import PyJWS

from gateway.auth import verifier as module
from gateway.auth.identity import Role
from gateway.auth.key_set import parse_key_set
from gateway.auth.refusal import AccessError, Cause
from gateway.auth.verifier import MAX_TOKEN_BYTES, UNNAMED_KEY, Verifier
from gateway.config import AuthSettings
from tests.auth.issuer import Issuer, encoded, key_set, with_another_signature, with_payload

ALL = ("ES256", "EdDSA", "RS256")
ISSUERS = {algorithm: Issuer(algorithm.lower(), algorithm) for algorithm in ALL}
ISSUER = ISSUERS["ES256"]
STRANGER = Issuer("stranger")
CLIENT = "192.0.2.1"
NOW_UNIX_S = time.time()


def verifier(*issuers: Issuer, **settings: object) -> Verifier:
    """One that knows the keys of `issuers`, or of all."""
    made = Verifier(AuthSettings.model_validate(settings))
    made.use(parse_key_set(key_set(*(each.jwk for each in issuers or ISSUERS.values())), ALL))
    return made


def cause_of(token: str | bytes, by: Verifier, now_unix_s: float = NOW_UNIX_S) -> Cause:
    with pytest.raises(AccessError) as refused:
        by.verify(token if isinstance(token, bytes) else token.encode(), CLIENT, now_unix_s)
    return refused.value.cause


@pytest.mark.parametrize("algorithm", ALL)
def test_good_token_tells_who_bears_it(algorithm: str) -> None:
    issuer = ISSUERS[algorithm]
    token = issuer.token(roles="watch bet", streams=["table"], jurisdiction="MT", exp=NOW_UNIX_S + 60)
    identity = verifier().verify(token.encode(), CLIENT, NOW_UNIX_S)
    assert (identity.client, identity.player, identity.jurisdiction) == (CLIENT, "player-7", "MT")
    assert (identity.expires_unix_s, identity.proof) == (NOW_UNIX_S + 60, issuer.key_id)
    assert identity.may(Role.BET, "table")
    assert not identity.may(Role.BET, "other")


BAD = {
    "nothing": (b"", Cause.MALFORMED),
    "garbage": (b"garbage", Cause.MALFORMED),
    "two dots": (b"a.b.c", Cause.MALFORMED),
    "not ASCII": ("\u20ac.\xff.".encode(), Cause.MALFORMED),
    "a header that is no object": (f"{encoded([])}.e30.AAAA".encode(), Cause.MALFORMED),
    "a header that is no JSON": (f"{encoded(b'{')}.e30.AAAA".encode(), Cause.MALFORMED),
    "a deep header": (f"{encoded(b'[' * 2000)}.e30.AAAA".encode(), Cause.MALFORMED),
    "no algorithm": (f"{encoded({'kid': 'es256'})}.e30.AAAA".encode(), Cause.ALGORITHM),
    "no signature": (ISSUER.token().rpartition(".")[0].encode(), Cause.MALFORMED),
    "an empty signature": (ISSUER.token().rpartition(".")[0].encode() + b".", Cause.SIGNATURE),
    "a short signature": (ISSUER.token().encode()[:-2], Cause.SIGNATURE),
    "five parts": (ISSUER.token().encode() + b".AAAA.AAAA", Cause.MALFORMED),
    "padding in its signature": (ISSUER.token().encode() + b"====", Cause.MALFORMED),
    "too many bytes": (b"e" * (MAX_TOKEN_BYTES + 1), Cause.TOO_LONG),
    "none": (ISSUER.unsigned().encode(), Cause.ALGORITHM),
    "NoNe": (ISSUER.unsigned("NoNe").encode(), Cause.ALGORITHM),
    "ES256 without signature": (ISSUER.unsigned("ES256").encode(), Cause.SIGNATURE),
    "HMAC by the public key": (ISSUER.by_hmac_with_the_public_key().encode(), Cause.ALGORITHM),
    "HMAC by the entry of the set": (ISSUER.by_hmac_with_the_public_key("jwk").encode(), Cause.ALGORITHM),
    "a list of algorithms": (f"{encoded({'alg': ['ES256'], 'kid': 'es256'})}.e30.AAAA".encode(), Cause.ALGORITHM),
    "an unknown kid": (ISSUER.token({"kid": "other"}).encode(), Cause.UNKNOWN_KEY),
    "no kid": (Issuer(None, name="es256").token().encode(), Cause.NO_KEY_ID),
    "a kid that is no name": (f"{encoded({'alg': 'ES256', 'kid': 7})}.e30.AAAA".encode(), Cause.MALFORMED),
    "the kid of another algorithm": (ISSUER.token({"kid": "rs256"}).encode(), Cause.KEY_MISMATCH),
    "the kid of somebody else": (STRANGER.token({"kid": "es256"}).encode(), Cause.SIGNATURE),
    "another payload": (with_payload(ISSUER.token(), roles=["operate"]).encode(), Cause.SIGNATURE),
    "another signature": (with_another_signature(ISSUER.token()).encode(), Cause.SIGNATURE),
    "crit": (ISSUER.token({"crit": ["exp"]}).encode(), Cause.EXTENSION),
    "an empty crit": (ISSUER.token({"crit": []}).encode(), Cause.EXTENSION),
    "a detached payload": (
        f"{encoded({'alg': 'ES256', 'b64': False, 'crit': ['b64']})}..AAAA".encode(),
        Cause.EXTENSION,
    ),
    "expired": (ISSUER.token(exp=NOW_UNIX_S - 60).encode(), Cause.EXPIRED),
    "no expiry": (ISSUER.token(exp=None).encode(), Cause.CLAIMS),
    "not valid yet": (ISSUER.token(nbf=NOW_UNIX_S + 60).encode(), Cause.NOT_YET),
}


@pytest.mark.parametrize(("token", "cause"), BAD.values(), ids=BAD)
def test_bad_token_is_refused_with_its_cause(token: bytes, cause: Cause) -> None:
    judge = verifier()
    assert cause_of(token, judge) is cause
    assert len(judge) == 0


def test_every_cause_that_a_token_can_have_is_in_the_table() -> None:
    elsewhere = {Cause.MISSING, Cause.STATIC, Cause.ROLE, Cause.STREAM, Cause.FOREIGN_PAGE, Cause.NOT_HERE}
    elsewhere |= {Cause.ISSUER, Cause.AUDIENCE}
    assert {cause for _token, cause in BAD.values()} == set(Cause) - elsewhere


@pytest.mark.parametrize("type_", ["JWT", "at+jwt", "anything", None])
def test_type_of_a_token_is_ignored(type_: str | None) -> None:
    verifier().verify(ISSUER.token({"typ": type_}).encode(), CLIENT, NOW_UNIX_S)


def test_payload_that_is_signed_but_no_object_is_refused() -> None:
    for payload in (b"[]", b"7", b"{", b"\xff", b"[" * 1000):
        token = PyJWS().encode(payload, ISSUER.key, "ES256", headers={"kid": "es256"})
        assert cause_of(token, verifier()) is Cause.MALFORMED


def test_token_without_kid_is_judged_by_the_only_key() -> None:
    nameless = Issuer(None, name="alone")
    identity = verifier(nameless).verify(nameless.token().encode(), CLIENT, NOW_UNIX_S)
    assert identity.proof == UNNAMED_KEY


def test_algorithm_that_is_not_configured_is_refused() -> None:
    assert cause_of(ISSUERS["RS256"].token(), verifier(algorithms=["ES256"])) is Cause.ALGORITHM


def test_issuer_and_audience_are_those_of_the_settings() -> None:
    judge = verifier(issuer="https://id.example", audience="edge")
    assert cause_of(ISSUER.token(aud="edge"), judge) is Cause.ISSUER
    assert cause_of(ISSUER.token(iss="https://id.example"), judge) is Cause.AUDIENCE
    judge.verify(ISSUER.token(iss="https://id.example", aud=["edge"]).encode(), CLIENT, NOW_UNIX_S)


# What is remembered


def _count_signatures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    looked_at: list[str] = []
    decode = PyJWS.decode

    def counting(self: PyJWS, jwt: bytes, *args: object, **named: object) -> object:
        looked_at.append(str(jwt))
        return decode(self, jwt, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(PyJWS, "decode", counting)
    return looked_at


def test_signature_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = _count_signatures(monkeypatch)
    judge, token = verifier(), ISSUER.token().encode()
    first = judge.verify(token, CLIENT, NOW_UNIX_S)
    again = judge.verify(token, "192.0.2.2", NOW_UNIX_S)
    assert len(looked_at) == 1
    assert (first.client, again.client) == (CLIENT, "192.0.2.2")
    assert first.player == again.player


def test_remembered_token_expires() -> None:
    judge, token = verifier(leeway_s=5), ISSUER.token(exp=NOW_UNIX_S + 60).encode()
    judge.verify(token, CLIENT, NOW_UNIX_S)
    judge.verify(token, CLIENT, NOW_UNIX_S + 64.9)
    assert len(judge) == 1
    assert cause_of(token, judge, NOW_UNIX_S + 65) is Cause.EXPIRED
    assert len(judge) == 0


def test_remembered_tokens_are_bounded_and_the_newest_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED", 3)
    looked_at = _count_signatures(monkeypatch)
    judge, tokens = verifier(), [ISSUER.token(sub=str(number)).encode() for number in range(4)]
    for token in (*tokens[:3], tokens[0], tokens[3]):
        judge.verify(token, CLIENT, NOW_UNIX_S)
    assert len(judge) == 3
    looked_at.clear()
    judge.verify(tokens[0], CLIENT, NOW_UNIX_S)
    assert looked_at == []
    judge.verify(tokens[1], CLIENT, NOW_UNIX_S)
    assert len(looked_at) == 1


def test_key_that_is_rotated_away_takes_its_tokens_with_it() -> None:
    judge, other = verifier(), ISSUERS["EdDSA"]
    gone, stays = ISSUER.token().encode(), other.token().encode()
    for token in (gone, stays):
        judge.verify(token, CLIENT, NOW_UNIX_S)
    judge.use(parse_key_set(key_set(other.jwk, STRANGER.jwk), ALL))
    assert len(judge) == 1
    assert cause_of(gone, judge) is Cause.UNKNOWN_KEY
    judge.verify(stays, CLIENT, NOW_UNIX_S)
    judge.verify(STRANGER.token().encode(), CLIENT, NOW_UNIX_S)


def test_key_that_changed_under_its_id_takes_its_tokens_with_it() -> None:
    judge, token = verifier(ISSUER), ISSUER.token().encode()
    judge.verify(token, CLIENT, NOW_UNIX_S)
    judge.use(parse_key_set(Issuer("es256", name="successor").key_set, ALL))
    assert cause_of(token, judge) is Cause.SIGNATURE


def test_only_an_unknown_kid_calls_for_newer_keys() -> None:
    judge = verifier()
    assert judge.knows_key_of(ISSUER.token().encode())
    assert not judge.knows_key_of(STRANGER.token().encode())
    for token, cause in BAD.values():
        assert judge.knows_key_of(token) is (cause is not Cause.UNKNOWN_KEY)


@settings(deadline=None)
@given(st.binary(max_size=200) | st.tuples(*[st.binary(max_size=60)] * 3).map(lambda parts: b".".join(parts)))
def test_any_bytes_are_refused_and_raise_nothing_else(token: bytes) -> None:
    judge = verifier()
    with pytest.raises(AccessError):
        judge.verify(token, CLIENT, NOW_UNIX_S)


headers = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c"]),
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["ES256", "none", "HS256", "es256", "rs256"])
    | st.text(),
)


@settings(deadline=None)
@given(headers, st.binary(max_size=80))
def test_any_header_is_refused_and_raises_nothing_else(header: dict[str, object], signature: bytes) -> None:
    payload = encoded(ISSUER.claims())
    with pytest.raises(AccessError):
        verifier().verify(f"{encoded(header)}.{payload}.{encoded(signature)}".encode(), CLIENT, NOW_UNIX_S)


@settings(deadline=None)
@given(st.integers(min_value=0), st.integers(min_value=0, max_value=255))
def test_token_with_any_byte_changed_is_refused_or_the_same(place: int, byte: int) -> None:
    token = bytearray(GOOD_TOKEN)
    token[place % len(token)] = byte
    if bytes(token) == GOOD_TOKEN:
        return
    judge = verifier()
    with pytest.raises(AccessError):
        judge.verify(bytes(token), CLIENT, NOW_UNIX_S)


GOOD_TOKEN = ISSUER.token(exp=NOW_UNIX_S + 600).encode()
