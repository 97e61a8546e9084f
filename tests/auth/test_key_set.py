"""Key sets, good and bad."""

import contextlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, get_default_algorithms

from gateway.auth.key_set import MAX_KEY_SET_BYTES, MAX_KEYS, KeySet, KeySetError, parse_key_set
from tests.auth.issuer import Issuer, key_set, private_key, public_jwk

ALL = ("ES256", "EdDSA", "RS256")
EC, ED, RSA = (Issuer(algorithm.lower(), algorithm) for algorithm in ALL)


def parsed(*entries: dict[str, Any]) -> KeySet:
    return parse_key_set(key_set(*entries), ALL)


def without(entry: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in names}


@pytest.mark.parametrize("issuer", [EC, ED, RSA], ids=ALL)
def test_key_is_good_for_its_own_algorithm(issuer: Issuer) -> None:
    for entry in (issuer.jwk, without(issuer.jwk, "alg", "use")):
        key = parsed(entry).key(issuer.key_id)
        assert key is not None
        assert key.algorithm == issuer.algorithm


def test_keys_are_found_by_their_ids() -> None:
    keys = parsed(EC.jwk, ED.jwk, RSA.jwk)
    assert len(keys) == 3
    assert [key.key_id for name in ("es256", "eddsa", "rs256") if (key := keys.key(name))] == [
        "es256",
        "eddsa",
        "rs256",
    ]
    assert keys.key("other") is None


def test_only_key_is_found_without_an_id_and_no_other_way() -> None:
    assert parsed(EC.jwk).key(None) is not None
    assert parsed(without(EC.jwk, "kid")).key(None) is not None
    assert parsed(without(EC.jwk, "kid")).key("es256") is None
    assert parsed(EC.jwk, ED.jwk).key(None) is None


def _p384() -> dict[str, Any]:
    return {**ECAlgorithm.to_jwk(generate_private_key(SECP384R1()).public_key(), as_dict=True), "kid": "p384"}


@pytest.mark.parametrize(
    "entry",
    [
        RSA.jwk | {"use": "enc", "kid": "other"},
        RSA.jwk | {"alg": "RSA-OAEP", "kid": "other"},
        RSA.jwk | {"alg": "PS256", "kid": "other"},
        _p384(),
        {"kty": "OKP", "crv": "Ed448", "x": "AAAA", "kid": "other"},
        {"kty": "EC", "crv": ["P-256"], "kid": "other"},
        {"kty": "future", "kid": "other"},
    ],
    ids=["for encryption", "of encryption", "PS256", "P-384", "Ed448", "no curve", "unknown type"],
)
def test_key_that_serves_something_else_is_passed_over(entry: dict[str, Any]) -> None:
    assert len(parsed(EC.jwk, entry)) == 1
    with pytest.raises(KeySetError, match=r"no key for any algorithm"):
        parsed(entry)


def test_key_of_an_algorithm_that_is_not_configured_is_passed_over() -> None:
    assert len(parse_key_set(key_set(EC.jwk, RSA.jwk), ["ES256"])) == 1


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ([EC.jwk, without(ED.jwk, "kid")], "a key has no kid, which more than one key need"),
        ([EC.jwk, ED.jwk | {"kid": "es256"}], "two keys have the same kid"),
        ([EC.jwk | {"kid": 7}], "key 1 has a kid that is no name"),
        ([EC.jwk | {"kid": ""}], "key 1 has a kid that is no name"),
        ([EC.jwk | {"kid": "k" * 257}], "key 1 has a kid that is no name"),
        ([ED.jwk, without(EC.jwk, "x")], "key 2 does not hold a key of its kind"),
        ([EC.jwk | {"x": EC.jwk["y"]}], "key 1 does not hold a key of its kind"),
        ([EC.jwk | {"x": 7}], "key 1 does not hold a key of its kind"),
        ([ED.jwk | {"x": "AAAA"}], "key 1 does not hold a key of its kind"),
        ([RSA.jwk | {"e": "AA"}], "key 1 does not hold a key of its kind"),
        ([RSA.jwk | {"n": []}], "key 1 does not hold a key of its kind"),
        (["key"], "key 1 is no JSON Web Key"),
        ([{"kid": "a"}], "key 1 is no JSON Web Key"),
        ([{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}], "key 1 is secret: k has no business here"),
        ([EC.jwk] * (MAX_KEYS + 1), f"it has more than {MAX_KEYS} keys"),
        ([], "it holds no key for any algorithm of auth.algorithms"),
    ],
)
def test_bad_set_is_refused_whole(entries: list[Any], problem: str) -> None:
    with pytest.raises(KeySetError) as refused:
        parsed(*entries)
    assert str(refused.value) == problem


@pytest.mark.parametrize("issuer", [EC, ED, RSA], ids=ALL)
def test_private_key_refuses_the_set_and_is_not_told(issuer: Issuer) -> None:
    entry = get_default_algorithms()[issuer.algorithm].to_jwk(issuer.key, as_dict=True) | {"kid": "a"}
    with pytest.raises(KeySetError, match=r"^key 1 is secret: d has no business here$"):
        parsed(entry)


def test_weak_rsa_key_refuses_the_set() -> None:
    weak = public_jwk(private_key("RS256", "bits-1024"), "RS256", "weak")
    with pytest.raises(KeySetError, match=r"key 2 is an RSA key of less than 2048"):
        parsed(EC.jwk, weak)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "it is no JSON"),
        (b"\xff", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b"[]", "it is no JSON Web Key Set: it has no list of keys"),
        (b"{}", "it is no JSON Web Key Set: it has no list of keys"),
        (b'{"keys": {}}', "it is no JSON Web Key Set: it has no list of keys"),
        (b" " * (MAX_KEY_SET_BYTES + 1), f"it is longer than {MAX_KEY_SET_BYTES} bytes"),
    ],
    ids=["empty", "no UTF-8", "deep", "list", "no keys", "no list", "long"],
)
def test_what_is_no_set_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(KeySetError) as refused:
        parse_key_set(data, ALL)
    assert str(refused.value) == problem


def test_key_that_changed_under_its_id_is_another_one() -> None:
    before, after = Issuer("a", name="before"), Issuer("a", name="after")
    assert parse_key_set(before.key_set, ALL).fingerprints == parse_key_set(before.key_set, ALL).fingerprints
    assert parse_key_set(before.key_set, ALL).fingerprints.isdisjoint(parse_key_set(after.key_set, ALL).fingerprints)


members = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.text(), max_size=2)
FIELDS = ("kty", "crv", "x", "y", "n", "e", "kid", "use", "alg")


@settings(deadline=None)
@given(st.sampled_from([EC, ED, RSA]), st.dictionaries(st.sampled_from(FIELDS), members, min_size=1))
def test_damaged_key_is_taken_or_refused_and_raises_nothing_else(issuer: Issuer, damage: dict[str, Any]) -> None:
    with contextlib.suppress(KeySetError):
        parse_key_set(json.dumps({"keys": [issuer.jwk | damage]}).encode(), ALL)
