import socket

import pytest

from loadgen.errors import TargetError
from loadgen.target.listener import require_listener


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_listener_at_either_family_is_found(family: socket.AddressFamily, host: str) -> None:
    with socket.create_server((host, 0), family=family) as listener:
        written = f"[{host}]" if ":" in host else host
        require_listener(f"http://{written}:{listener.getsockname()[1]}/any/path")


def test_port_that_is_reserved_but_not_listened_at_is_refused() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        with pytest.raises(TargetError, match=f"Nobody listens at http://127.0.0.1:{port}: .*refused"):
            require_listener(f"http://user:secret@127.0.0.1:{port}")


def test_host_that_answers_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(address: tuple[str, int], within_s: float) -> socket.socket:
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", never)
    with pytest.raises(TargetError, match=r"Nobody listens at https://127\.0\.0\.1: timed out"):
        require_listener("https://127.0.0.1")
