"""Where metrics are served, as the command line says it."""

from __future__ import annotations

from dataclasses import dataclass

_MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Listen:
    """An address to listen at; `str` gives what `parse` takes."""

    host: str
    """Without brackets."""
    port: int
    """0 takes any."""

    @classmethod
    def parse(cls, text: str) -> Listen:
        """Of HOST:PORT, `127.0.0.1:9108` or `[::1]:9108`; ValueError for anything else."""
        host, separator, port = text.rpartition(":")
        is_bracketed = host.startswith("[") and host.endswith("]")
        bare = host[1:-1] if is_bracketed else host
        is_host = bool(bare) and not set("[]") & set(bare) and (":" in bare) == is_bracketed
        is_port = port.isascii() and port.isdigit() and int(port) <= _MAX_PORT
        if not (separator and is_host and is_port):
            raise ValueError(f"{text}: expected HOST:PORT, such as 127.0.0.1:9108 or [::1]:9108")
        return cls(bare, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


DEFAULT_LISTEN = Listen("127.0.0.1", 9108)
"""Of the loopback alone: who scrapes from outside of the node says so."""
