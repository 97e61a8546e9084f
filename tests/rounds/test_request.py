"""The body of a POST to a stream's rounds: what it may say, and the sentence for all else."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import SignallingError
from gateway.rounds.request import MAX_RESULT_BYTES, parse_command
from gateway.rounds.rounds import Command
from gateway.rounds.states import RoundState


def of_result(result: str) -> str:
    """A body with that result, which is JSON."""
    return f'{{"state":"result","roundId":"r","result":{result}}}'


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ({"state": "scheduled"}, Command(RoundState.SCHEDULED)),
        ({"state": "betting_open", "roundId": None}, Command(RoundState.BETTING_OPEN)),
        (
            {"state": "betting_open", "roundId": "Coup_1.2:3-4", "closesInMs": 10_000},
            Command(RoundState.BETTING_OPEN, "Coup_1.2:3-4", 10.0),
        ),
        ({"state": "betting_open", "closesInMs": 100}, Command(RoundState.BETTING_OPEN, None, 0.1)),
        ({"state": "betting_open", "closesInMs": 3_600_000}, Command(RoundState.BETTING_OPEN, None, 3600.0)),
        ({"state": "betting_closed", "roundId": "r" * 64}, Command(RoundState.BETTING_CLOSED, "r" * 64)),
        (
            {"state": "result", "roundId": "r", "result": {"winner": "tie"}},
            Command(RoundState.RESULT, "r", None, {"winner": "tie"}),
        ),
        ({"state": "result", "roundId": "r"}, Command(RoundState.RESULT, "r")),
        ({"state": "aborted", "roundId": "r"}, Command(RoundState.ABORTED, "r")),
    ],
)
def test_command_is_read(body: dict[str, object], command: Command) -> None:
    assert parse_command(json.dumps(body)) == command


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 4000, "not JSON"),
        ('{"state":"scheduled","closesInMs":NaN}', "not JSON"),
        ("[]", "not a JSON object"),
        ('"betting_open"', "not a JSON object"),
        ("{}", "State is one of scheduled, betting_open, betting_closed, result, settled, aborted"),
        ('{"state":"open"}', "State is one of"),
        ('{"state":["betting_open"]}', "State is one of"),
        ('{"state":"betting_open","closesInMS":1000}', "and nothing else"),
        ('{"state":"betting_open","cause":"policy"}', "and nothing else"),
        ('{"state":"settled"}', "Settled needs roundId"),
        ('{"state":"betting_closed","roundId":null}', "Betting_closed needs roundId"),
        ('{"state":"scheduled","roundId":""}', "RoundId has 1 to 64"),
        ('{"state":"scheduled","roundId":"%s"}' % ("r" * 65), "RoundId has 1 to 64"),
        ('{"state":"scheduled","roundId":"a b"}', "RoundId has 1 to 64"),
        ('{"state":"scheduled","roundId":"a/b"}', "RoundId has 1 to 64"),
        ('{"state":"scheduled","roundId":"\\n"}', "RoundId has 1 to 64"),
        ('{"state":"scheduled","roundId":"r\\n"}', "RoundId has 1 to 64"),
        ('{"state":"scheduled","roundId":"\u0661"}', "RoundId has 1 to 64"),
        ('{"state":"scheduled","roundId":7}', "RoundId has 1 to 64"),
        ('{"state":"scheduled","closesInMs":1000}', "goes with betting_open alone"),
        ('{"state":"betting_open","closesInMs":99}', "from 100 to 3600000"),
        ('{"state":"betting_open","closesInMs":3600001}', "from 100 to 3600000"),
        ('{"state":"betting_open","closesInMs":1000.5}', "a whole number"),
        ('{"state":"betting_open","closesInMs":"1000"}', "a whole number"),
        ('{"state":"betting_open","closesInMs":true}', "a whole number"),
        ('{"state":"settled","roundId":"r","result":1}', "goes with the state result alone"),
        ('{"state":"result","roundId":"r","result":1e999}', "that JSON cannot carry"),
        ('{"state":"result","roundId":"r","result":"\\ud800"}', "that JSON cannot carry"),
        (of_result("9" * 19), "more than 18 digits"),
        (of_result('{"a":[-%s]}' % ("9" * 2000)), "more than 18 digits"),
        (of_result("[" * 17 + "]" * 17), "nested more than 16 deep"),
        (of_result('{"a":' * 300 + "1" + "}" * 300), "nested more than 16 deep"),
        ('{"state":"result","roundId":"r","result":"%s"}' % ("x" * MAX_RESULT_BYTES), "longer than 2048 bytes"),
    ],
)
def test_body_that_is_no_command_is_refused_with_a_sentence(body: str, said: str) -> None:
    with pytest.raises(SignallingError) as caught:
        parse_command(body)
    assert caught.value.status == 400
    assert said in caught.value.sentence
    assert caught.value.sentence.endswith(".")


def test_result_of_the_largest_size_is_taken() -> None:
    result = "é" * ((MAX_RESULT_BYTES - 2) // 2)
    command = parse_command(json.dumps({"state": "result", "roundId": "r", "result": result}))
    assert command.result == result


@pytest.mark.parametrize("result", ["[" * 16 + "]" * 16, "9" * 18, "-" + "9" * 18, "true", "1.5e300", '{"a":[[],{}]}'])
def test_result_at_the_edge_is_taken(result: str) -> None:
    command = parse_command(of_result(result))
    assert command.result == json.loads(result)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.text()
    | st.fixed_dictionaries(
        {"state": st.sampled_from([state.value for state in RoundState]) | _JSON},
        optional={"roundId": _JSON | st.from_regex(r"[a-z0-9.:_-]{1,70}"), "closesInMs": _JSON, "result": _JSON},
    ).map(json.dumps)
)
def test_any_body_is_a_command_or_a_refusal(body: str) -> None:
    with suppress(SignallingError):
        command = parse_command(body)
        json.dumps(command.result, allow_nan=False, ensure_ascii=False).encode()
