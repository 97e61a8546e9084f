import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import yaml
from pydantic import BaseModel

from gateway import config
from gateway.config import HostPort, SecondPublisher, Settings
from gateway.errors import ConfigError
from gateway.metrics import FAMILIES

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "railbird.example.yml"
SECRET = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("RAILBIRD_"):
            monkeypatch.delenv(name)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a settings file."""

    def written(text: str) -> Path:
        path = tmp_path / "railbird.yml"
        path.write_text(text)
        return path

    return written


# The manual


def test_example_file_equals_the_defaults() -> None:
    assert config.load(EXAMPLE) == Settings()


def _names(model: type[BaseModel], values: dict[str, Any], at: str = "") -> Iterator[tuple[str, bool]]:
    """Every setting's full name, and whether `values` has it."""
    for name in model.model_fields:
        yield f"{at}{name}", name in values
        section = getattr(Settings(), name, None) if not at else None
        if isinstance(section, config.Section):
            yield from _names(type(section), values.get(name) or {}, f"{name}.")


def test_example_file_has_every_setting() -> None:
    names = dict(_names(Settings, yaml.safe_load(EXAMPLE.read_text())))
    assert {"http", "limits.sessions", "tokens.control", "playout_delay.max_ms"} <= set(names)
    assert [name for name, is_there in names.items() if not is_there] == []


def test_example_file_mentions_only_what_there_is() -> None:
    text, settings = EXAMPLE.read_text(), dict(_names(Settings, {}))
    sections = "|".join(name for name in Settings.model_fields if f"{name}." in " ".join(settings))
    mentioned = set(re.findall(rf"(?<!/)\b(?:{sections})\.[a-z_]+", text))
    assert "timeouts.stale_publisher_s" in mentioned
    assert mentioned <= set(settings)
    assert set(re.findall(r"railbird_\w+", text)) <= set(FAMILIES)


# Sources


def test_sources_rise_from_file_over_variables_to_flags(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("http: 127.0.0.1:1\nudp: 127.0.0.1:2\nlog_level: error\nlimits: {sessions: 3, streams: 4}\n")
    monkeypatch.setenv("RAILBIRD_UDP", "127.0.0.1:20")
    monkeypatch.setenv("RAILBIRD_LOG_LEVEL", "debug")
    monkeypatch.setenv("RAILBIRD_LIMITS__SESSIONS", "30")
    settings = config.load(path, {"udp": "[::1]:200"})
    assert str(settings.http) == "127.0.0.1:1"
    assert str(settings.udp) == "[::1]:200"
    assert settings.log_level == "debug"
    assert (settings.limits.sessions, settings.limits.streams) == (30, 4)


def test_defaults_without_any_source() -> None:
    settings = config.load()
    assert settings == Settings()
    assert settings.http == HostPort(host="127.0.0.1", port=8080)
    assert settings.second_publisher is SecondPublisher.TAKE_OVER


def test_file_of_one_load_does_not_reach_the_next(write: Callable[[str], Path]) -> None:
    assert config.load(write("log_level: error")).log_level == "error"
    with pytest.raises(ConfigError):
        config.load(write("log_level: loud"))
    assert config.load().log_level == "info"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_file_without_settings_is_the_defaults(write: Callable[[str], Path], text: str) -> None:
    assert config.load(write(text)) == Settings()


def test_lists_come_from_the_file_and_as_json_from_variables(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("public_addresses: [192.0.2.1, '2001:db8::1']\nallowed_origins: [https://a.example]\n")
    assert [str(each) for each in config.load(path).public_addresses] == ["192.0.2.1", "2001:db8::1"]
    monkeypatch.setenv("RAILBIRD_PUBLIC_ADDRESSES", '["198.51.100.1"]')
    assert [str(each) for each in config.load(path).public_addresses] == ["198.51.100.1"]


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        ("10.0.0.1,fd00::1", ["10.0.0.1", "fd00::1"]),
        ("10.0.0.1", ["10.0.0.1"]),
        (" fd00::1 , 10.0.0.1 ", ["fd00::1", "10.0.0.1"]),
        ("[]", []),
    ],
)
def test_public_addresses_are_also_parted_by_commas(
    monkeypatch: pytest.MonkeyPatch, value: str, addresses: list[str]
) -> None:
    """As Kubernetes' fieldRef `status.hostIPs` gives them."""
    monkeypatch.setenv("RAILBIRD_PUBLIC_ADDRESSES", value)
    assert [str(each) for each in config.load().public_addresses] == addresses


def test_playout_delay_can_be_left_to_the_player(write: Callable[[str], Path]) -> None:
    assert config.load(write("playout_delay: null")).playout_delay is None


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("[::]:0", "::", 0),
        ("[2001:db8::1]:65535", "2001:db8::1", 65535),
        ("localhost:1", "localhost", 1),
    ],
)
def test_listen_address_is_read_and_written_alike(text: str, host: str, port: int) -> None:
    listen = config.load(flags={"udp": text}).udp
    assert (listen.host, listen.port) == (host, port)
    assert str(listen) == text


@pytest.mark.parametrize(
    ("given", "dscp"),
    [
        *(("EF", 46), ("ef", 46), ("AF11", 10), ("AF43", 38), ("CS0", 0), ("CS7", 56), ("DF", 0), ("LE", 1)),
        *(("VA", 44), ("0", 0), ("63", 63)),
    ],
)
def test_dscp_is_a_name_or_a_number(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, given: str, dscp: int
) -> None:
    assert config.load(write(f"dscp: {{audio: {given}}}")).dscp.audio == dscp
    monkeypatch.setenv("RAILBIRD_DSCP__VIDEO", given)
    assert config.load().dscp.video == dscp


# Refusals


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("http: 127.0.0.1:1\nhtp: 127.0.0.1:1\n", 2, "htp: Extra inputs"),
        ("limits:\n  streams: 1\n  session: 1\n", 3, "limits.session: Extra inputs"),
        ("limits:\n  sessions: many\n", 2, "limits.sessions: Input should be a valid integer"),
        ("limits:\n  sessions: 0\n", 2, "limits.sessions: Input should be greater than or equal to 1"),
        ("limits: 5\n", 1, "limits: Input should be a valid dictionary"),
        ("\nlimits:\n", 2, "limits: Input should be a valid dictionary"),
        ("fanout: {hold_ms: 21}\n", 1, "fanout.hold_ms: Input should be less than or equal to 20"),
        ("timeouts:\n  idle_s: 0\n", 2, "timeouts.idle_s: Input should be greater than 0"),
        ("timeouts:\n  idle_s: .nan\n", 2, "timeouts.idle_s: Input should be"),
        ("log_level: loud\n", 1, "log_level: Input should be 'debug'"),
        ("second_publisher: maybe\n", 1, "second_publisher: Input should be 'refuse' or 'take_over'"),
        ("http: 8080\n", 1, "http: "),
        ("http: ':8080'\n", 1, "http: expected HOST:PORT"),
        ("http: localhost\n", 1, "http: expected HOST:PORT"),
        ("http: localhost:99999\n", 1, "http.port: Input should be less than or equal to 65535"),
        ("# the media port\nudp: '[::]'\n", 2, "udp: expected HOST:PORT"),
        ("public_addresses:\n  - 192.0.2.1\n  - gateway.example\n", 3, "public_addresses.1: "),
        ("trusted_proxies: 192.0.2.1\n", 1, "trusted_proxies: "),
        ("playout_delay:\n  min_ms: 20\n", 1, "playout_delay: min_ms is larger than max_ms"),
        ("dscp:\n  audio: AF44\n", 2, "dscp.audio: expected a code point by name"),
        ("dscp:\n  audio: 64\n", 2, "dscp.audio: Input should be less than or equal to 63"),
        ("dscp:\n  audio: -1\n", 2, "dscp.audio: Input should be greater than or equal to 0"),
        ("dscp:\n  video: true\n", 2, "dscp.video: expected a code point by name"),
        ("dscp:\n  video: null\n", 2, "dscp.video: expected a code point by name"),
        ("drain:\n  rounds_s: .inf\n", 2, "drain.rounds_s: Input should be less than or equal to 86400"),
        ("drain:\n  notice_s: 121\n", 2, "drain.notice_s: Input should be less than or equal to 120"),
        ("socket_buffers:\n  receive_bytes: 65535\n", 2, "socket_buffers.receive_bytes: Input should be greater"),
        ("socket_buffers:\n  receive_bytes: 1073741824\n", 2, "socket_buffers.receive_bytes: Input should be less"),
        ("socket_buffers:\n  send_bytes: 3000000000\n", 2, "socket_buffers.send_bytes: Input should be less"),
        ("node:\n  max_age_s: 0\n", 2, "node.max_age_s: Input should be greater than 0"),
        ("tokens:\n  publish: ''\n", 2, "tokens.publish: "),
        ("tokens:\n  publish: 12345\n", 2, "tokens.publish: Input should be a valid string"),
        ("http: [\n", 2, "expected the node content"),
        ("a: b: c\n", 1, "mapping values are not allowed here"),
    ],
)
def test_file_with_a_bad_setting_is_refused_by_its_line(
    write: Callable[[str], Path], text: str, line: int, said: str
) -> None:
    path = write(text)
    with pytest.raises(ConfigError) as refused:
        config.load(path)
    assert str(refused.value).startswith(f"{path}:{line}: {said}")


def test_file_with_several_bad_settings_names_them_all(write: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigError) as refused:
        config.load(write("limits: {sessions: 0}\nlog_level: loud\n"))
    assert len(str(refused.value).splitlines()) == 2


@pytest.mark.parametrize("text", ["just text", "- a\n- list\n", "1: 2\n"])
def test_file_without_names_at_the_top_is_refused(write: Callable[[str], Path], text: str) -> None:
    with pytest.raises(ConfigError, match="expected settings by name"):
        config.load(write(text))


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.yml: No such file"):
        config.load(tmp_path / "missing.yml")


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "railbird.yml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        config.load(path)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("RAILBIRD_LIMITS__SESSIONS", "0", "RAILBIRD_LIMITS__SESSIONS: limits.sessions: Input should be greater"),
        ("RAILBIRD_LIMITS", '{"sessions": 0}', "RAILBIRD_LIMITS: limits.sessions: Input should be greater"),
        ("RAILBIRD_LIMITS__SESSION", "1", "RAILBIRD_LIMITS__SESSION: limits.session: Extra inputs"),
        ("RAILBIRD_LIMITS_SESSIONS", "1", "RAILBIRD_LIMITS_SESSIONS: there is no such setting"),
        ("RAILBIRD_HTTP_PORT", "8081", "RAILBIRD_HTTP_PORT: there is no such setting"),
        ("railbird_htp", "8081", "railbird_htp: there is no such setting"),
        ("RAILBIRD_ALLOWED_ORIGINS", "https://a.example", "RAILBIRD_ALLOWED_ORIGINS: expected JSON"),
        *(
            ("RAILBIRD_PUBLIC_ADDRESSES", text, f"RAILBIRD_PUBLIC_ADDRESSES: public_addresses{place}: ")
            for text, place in [
                *(("10.0.0.1,edge.example", ".1"), ("10.0.0.1,", ".1"), ("10.0.0.256", ".0"), ("", ".0")),
                *(('["10.0.0.1", "edge.example"]', ".1"), ('["10.0.0.1"', ""), ("[fd00::1]", "")),
            ]
        ),
        ("RAILBIRD_TOKENS__CONTROL", "", "RAILBIRD_TOKENS__CONTROL: tokens.control: "),
    ],
)
def test_variable_that_is_bad_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, write: Callable[[str], Path], variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as refused:
        config.load(write("limits:\n  sessions: 7\n"))
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RAILBIRD_SERVICE_HOST", "10.0.0.1"),
        ("RAILBIRD_SERVICE_PORT_HTTP", "8080"),
        ("RAILBIRD_PORT", "tcp://10.0.0.1:8080"),
        ("RAILBIRD_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("RAILBIRD_QOS_SERVICE_PORT", "8080"),
        ("RAILBIRD_DEMO_TOKEN", SECRET),
        ("RAILBIRDS_OWN", "whatever"),
    ],
)
def test_variable_that_is_no_setting_of_ours_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert config.load() == Settings()


def test_flag_that_is_bad_is_refused_by_its_name(write: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigError) as refused:
        config.load(write("http: 127.0.0.1:1\n"), {"http": "8080"})
    assert str(refused.value).startswith("--http: http: expected HOST:PORT")


# Tokens


def test_token_is_not_shown_by_settings() -> None:
    settings = Settings(tokens={"publish": SECRET, "watch": SECRET, "control": SECRET})
    assert settings.tokens.publish is not None
    assert settings.tokens.publish.get_secret_value() == SECRET
    for shown in (repr(settings), str(settings), f"{settings.tokens}", settings.model_dump_json(), str(vars(settings))):
        assert SECRET not in shown


@pytest.mark.parametrize(
    "text",
    [
        f"tokens: {SECRET}\n",
        f"tokens: [{SECRET}]\n",
        f"tokens: {{publish: [{SECRET}]}}\n",
        f"tokens: {{publish: {SECRET}, extra: {SECRET}}}\n",
        f"tokens:\n  publish: '{SECRET}\n",
        f"tokens:\n  publish: {SECRET}\n watch: {SECRET}\n",
        f"tokens:\n  publish: {SECRET}: {SECRET}\n",
        f"tokens:\n  publish: {SECRET}\nlog_level: loud\n",
        f"tokens:\n\tpublish: {SECRET}\n",
        f"tokens: {{publish: @{SECRET}}}\n",
        f"tokens: {{publish: *{SECRET}}}\n",
        f"tokens: {{publish: !{SECRET} x}}\n",
        f"- {SECRET}\n",
    ],
)
def test_token_is_not_shown_by_a_refusal(write: Callable[[str], Path], text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        config.load(write(text))
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("variable", "value"), [("RAILBIRD_TOKENS", SECRET), ("RAILBIRD_TOKENS", f'{{"x": "{SECRET}"}}')]
)
def test_token_in_a_bad_variable_is_not_shown(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as refused:
        config.load()
    assert SECRET not in str(refused.value)


def test_token_is_not_shown_by_a_log_line(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(tokens={"publish": SECRET})
    structlog.get_logger().info("settings", settings=settings, tokens=settings.tokens, publish=settings.tokens.publish)
    assert SECRET not in "".join(capsys.readouterr())


# Doors


OPEN_DOORS = "other machines come in, and could publish and watch without a token. Set auth.jwks, or tokens.publish "


@pytest.mark.parametrize(
    ("text", "line", "setting"),
    [
        ("log_level: info\nhttp: 0.0.0.0:8080\n", 2, "http"),
        ("http: '[::]:8080'\n", 1, "http"),
        ("http: 192.0.2.1:8080\n", 1, "http"),
        ("http: edge.example:8080\n", 1, "http"),
        ("\ntrusted_proxies: [127.0.0.1]\n", 2, "trusted_proxies"),
        ("http: 0.0.0.0:8080\ntokens: {control: c}\n", 1, "http"),
    ],
)
def test_open_doors_are_not_for_other_machines(
    write: Callable[[str], Path], text: str, line: int, setting: str
) -> None:
    path = write(text)
    with pytest.raises(ConfigError) as refused:
        config.load(path)
    assert str(refused.value).startswith(f"{path}:{line}: {setting}: {OPEN_DOORS}")


@pytest.mark.parametrize(("open_door", "token"), [("publish", "watch"), ("watch", "publish")])
def test_one_open_door_is_named_alone(write: Callable[[str], Path], open_door: str, token: str) -> None:
    with pytest.raises(ConfigError) as refused:
        config.load(write(f"http: 0.0.0.0:8080\ntokens: {{{token}: t}}\n"))
    assert f"could {open_door} without a token. Set auth.jwks, or tokens.{open_door}; " in str(refused.value)


def test_open_doors_by_a_flag_or_a_variable_are_told_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"^--http: http: other machines"):
        config.load(flags={"http": "0.0.0.0:8080"})
    monkeypatch.setenv("RAILBIRD_HTTP", "0.0.0.0:8080")
    with pytest.raises(ConfigError, match=r"^RAILBIRD_HTTP: http: other machines"):
        config.load()


@pytest.mark.parametrize(
    "text",
    [
        "http: 127.0.0.1:8080\n",
        "http: '[::1]:8080'\n",
        "http: localhost:8080\n",
        "http: 0.0.0.0:8080\nauth: {jwks: keys.json}\n",
        "http: 0.0.0.0:8080\ntokens: {publish: p, watch: w}\n",
        "http: 0.0.0.0:8080\ntrusted_proxies: [192.0.2.1]\nauth: {open_to_network: true}\n",
    ],
)
def test_doors_that_are_guarded_or_only_for_this_machine_or_meant_to_be_open_are_good(
    write: Callable[[str], Path], text: str
) -> None:
    config.load(write(text))


@pytest.mark.parametrize(
    "jwks",
    [
        "keys.json",
        "/etc/railbird/keys.json",
        "https://id.example/jwks.json",
        "http://127.0.0.1:8000/jwks",
        "http://[::1]/jwks",
        "http://localhost/jwks",
    ],
)
def test_keys_are_a_file_or_a_url_that_nobody_can_change_on_the_way(write: Callable[[str], Path], jwks: str) -> None:
    assert config.load(write(f"auth: {{jwks: '{jwks}'}}\n")).auth.jwks == jwks


@pytest.mark.parametrize(
    "jwks", ["http://id.example/jwks", "ftp://id.example/jwks", "https://", "http://127.0.0.1.example/", "file:///keys"]
)
def test_keys_from_a_url_that_somebody_could_change_are_refused(write: Callable[[str], Path], jwks: str) -> None:
    path = write(f"auth:\n  jwks: '{jwks}'\n")
    with pytest.raises(ConfigError) as refused:
        config.load(path)
    assert str(refused.value) == f"{path}:2: auth.jwks: expected a file, an https URL, or an http URL of this machine"


@pytest.mark.parametrize("algorithms", ["[none]", "[HS256]", "[]", "[ES256, HS512]"])
def test_algorithms_are_asymmetric_ones(write: Callable[[str], Path], algorithms: str) -> None:
    with pytest.raises(ConfigError, match=r"auth\.algorithms"):
        config.load(write(f"auth: {{algorithms: {algorithms}}}\n"))


# Drain


def test_other_edges_are_base_urls_without_a_slash(write: Callable[[str], Path]) -> None:
    urls = ["https://b.example/", "http://10.0.0.1:8080", "https://c.example:8443", " HTTPS://Bücher.example\n"]
    text = f"drain: {{elsewhere: {json.dumps(urls)}}}\n"
    expected = (
        "https://b.example",
        "http://10.0.0.1:8080",
        "https://c.example:8443",
        "https://xn--bcher-kva.example",
    )
    assert config.load(write(text)).drain.elsewhere == expected


@pytest.mark.parametrize(
    "url",
    [
        "edge-b.example",
        "ftp://b.example",
        "https://",
        "https://b.example/eu",
        "https://b.example/?a=b",
        "https://b.example/#a",
        "https://u@b.example",
        "https://:secret@b.example",
        "https:b.example",
        r"https:\\\\b.example",
        r"https://b\t.example",
        r"https://b.example\r\nX-Other: a",
    ],
)
def test_other_edge_that_is_no_base_url_is_refused_by_its_line(write: Callable[[str], Path], url: str) -> None:
    path = write(f'drain:\n  rounds_s: 60\n  elsewhere: ["{url}"]\n')
    with pytest.raises(ConfigError) as refused:
        config.load(path)
    assert str(refused.value).startswith(f"{path}:3: drain.elsewhere.0: ")


def test_drain_takes_at_most_all_of_its_times(write: Callable[[str], Path]) -> None:
    assert config.load(write("drain: {rounds_s: 10, spread_s: 2, leave_s: 1}\n")).drain.longest_s == 16.0
    assert config.load(write("drain: {rounds_s: 10, notice_s: 8, spread_s: 2, leave_s: 1}\n")).drain.longest_s == 16.0
    assert config.load(write("drain: {rounds_s: 10, notice_s: 20, spread_s: 2, leave_s: 1}\n")).drain.longest_s == 26.0
