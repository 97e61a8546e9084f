from gateway.transport.ice import Credentials
from gateway.wire.sdpfrag import parse_fragment
from loadgen.signalling.candidate import host_candidate
from loadgen.signalling.fragment import restart_fragment


def test_fragment_is_understood_by_the_gateway() -> None:
    candidate = host_candidate("192.0.2.1", 5000)
    text = restart_fragment(Credentials("ufrag", "p" * 24), "0", [candidate])
    assert text.endswith("a=end-of-candidates\r\n")
    parsed = parse_fragment(text)
    assert (parsed.ufrag, parsed.pwd, parsed.candidates) == ("ufrag", "p" * 24, (candidate,))
    assert parsed.end_of_candidates


def test_fragment_names_its_section_before_the_credentials() -> None:
    lines = restart_fragment(Credentials("ufrag", "p" * 24), "video", []).splitlines()
    assert lines.index("a=mid:video") < lines.index("a=ice-ufrag:ufrag")
