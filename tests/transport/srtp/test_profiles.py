from gateway.transport.srtp import AEAD_AES_128_GCM, AES128_CM_SHA1_80, PROFILES


def test_profiles_prefer_gcm() -> None:
    assert PROFILES == (AEAD_AES_128_GCM, AES128_CM_SHA1_80)


def test_split_cuts_client_and_server_keys_then_salts() -> None:
    for profile in PROFILES:
        exported = b"C" * 16 + b"S" * 16 + b"c" * profile.salt_bytes + b"s" * profile.salt_bytes
        assert len(exported) == profile.exported_bytes
        client, server = profile.split(exported)
        assert client == b"C" * 16 + b"c" * profile.salt_bytes
        assert server == b"S" * 16 + b"s" * profile.salt_bytes
