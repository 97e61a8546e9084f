"""The players' common rounds: every 20 ms all sockets with something in them are read empty.

A poll of all sockets at once costs less than an event loop's callback for each, and what came meanwhile is read in one
go. Nothing is late by it: the kernel has stamped every datagram. Only who has to answer at once (pings over a data
channel) is read at once; those sockets wake the event loop together, and are polled together.
"""

import asyncio
import contextlib
import secrets
import select
import time
from collections.abc import Callable, Iterable

from loadgen.players.player import Player

ROUND_S = 0.02
_REPORT_ROUNDS = 50
"""A receiver report a second, of each player at its own time in it."""
_CHECK_ROUNDS = 125
"""A consent check in 2.5 s, as Chromium does it (RFC 7675 says about 5 s)."""


class Rounds:
    """Reads, reports and checks for the players that have joined."""

    def __init__(self, on_failure: Callable[[Player], None]) -> None:
        """`on_failure` is told, inside the `except`, about a player that raised, and has to remove it."""
        self._on_failure = on_failure
        self.lateness_s = 0.0
        """How late the latest round began, since `take_lateness_s`."""
        self._epoll = select.epoll()
        self._urgent_epoll = select.epoll()
        self._urgent: set[Player] = set()
        """Players whose sockets are in the one and not in the other."""
        self._watched_by: asyncio.AbstractEventLoop | None = None
        self._players: dict[int, Player] = {}
        """By the file number of their socket."""
        self._file_numbers: dict[Player, int] = {}
        self._troubled: set[Player] = set()
        self._reports: tuple[set[Player], ...] = tuple(set() for _ in range(_REPORT_ROUNDS))
        self._checks: tuple[set[Player], ...] = tuple(set() for _ in range(_CHECK_ROUNDS))
        self._slots: dict[Player, int] = {}

    def __len__(self) -> int:
        return len(self._file_numbers)

    def add(self, player: Player, is_urgent: bool = False) -> None:
        """Read this player's socket from now on; `is_urgent`: at once, not in rounds."""
        slot = self._slots[player] = secrets.randbelow(_REPORT_ROUNDS * _CHECK_ROUNDS)
        self._reports[slot % _REPORT_ROUNDS].add(player)
        self._checks[slot % _CHECK_ROUNDS].add(player)
        self._troubled.add(player)
        if is_urgent:
            self._urgent.add(player)
            self._watch_urgent()
        self._register(player)

    def move(self, player: Player) -> None:
        """The player has another socket than before; nothing where it was not read."""
        if player in self._slots:
            self._unregister(player)
            self._register(player)

    def remove(self, player: Player) -> None:
        """Leave this player's socket alone; nothing where it was not read."""
        slot = self._slots.pop(player, None)
        if slot is None:
            return
        self._reports[slot % _REPORT_ROUNDS].discard(player)
        self._checks[slot % _CHECK_ROUNDS].discard(player)
        self._troubled.discard(player)
        self._unregister(player)
        self._urgent.discard(player)

    def _watch_urgent(self) -> None:
        """A poll is readable when one of its sockets is: one callback for all of them."""
        if self._watched_by is None:
            self._watched_by = asyncio.get_running_loop()
            self._watched_by.add_reader(self._urgent_epoll.fileno(), self._read, self._urgent_epoll)

    def _epoll_of(self, player: Player) -> select.epoll:
        return self._urgent_epoll if player in self._urgent else self._epoll

    def _register(self, player: Player) -> None:
        file_number = player.socket.fileno()
        self._epoll_of(player).register(file_number, select.EPOLLIN)
        self._players[file_number] = player
        self._file_numbers[player] = file_number

    def _unregister(self, player: Player) -> None:
        file_number = self._file_numbers.pop(player, -1)
        # A closed socket's number may be another player's by now.
        if self._players.get(file_number) is player:
            del self._players[file_number]
            with contextlib.suppress(OSError):
                self._epoll_of(player).unregister(file_number)

    def close(self) -> None:
        """Give the polls back."""
        if self._watched_by is not None:
            self._watched_by.remove_reader(self._urgent_epoll.fileno())
        self._epoll.close()
        self._urgent_epoll.close()

    def take_lateness_s(self) -> float:
        """How late the latest round since the last call was."""
        lateness_s, self.lateness_s = self.lateness_s, 0.0
        return lateness_s

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        turn = 0
        while True:
            self.lateness_s = max(self.lateness_s, loop.time() - due_s)
            self._round(turn)
            turn += 1
            due_s = max(due_s + ROUND_S, loop.time())
            await asyncio.sleep(due_s - loop.time())

    def _round(self, turn: int) -> None:
        self._read(self._epoll)
        now_s = time.time()
        self._have(lambda player: self._repair(player, now_s), self._troubled)
        self._have(lambda player: player.report(now_s), self._reports[turn % _REPORT_ROUNDS])
        self._have(lambda player: player.check(now_s), self._checks[turn % _CHECK_ROUNDS])

    def _read(self, epoll: select.epoll) -> None:
        players = self._players
        for file_number, _events in epoll.poll(0, max(len(players), 1)):
            player = players.get(file_number)
            if player is None:
                continue
            try:
                if player.read():
                    self._troubled.add(player)
            except Exception:
                self._on_failure(player)

    def _repair(self, player: Player, now_s: float) -> None:
        if not player.repair(now_s):
            self._troubled.discard(player)

    def _have(self, act: Callable[[Player], None], players: Iterable[Player]) -> None:
        """Have each of `players` act. What one of them raises is no reason to forget the others."""
        for player in tuple(players):
            try:
                act(player)
            except Exception:
                self._on_failure(player)
