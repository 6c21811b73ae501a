"""A TCP proxy of the storm that does to connections whatever a network may do to them.

Each connection has a fate, which strikes after some steps of the protocol, in either direction:

- refuse: it is reset before a byte has passed.
- reset: it is reset (RST) on both sides.
- drop: it is closed on both sides, in the middle of a message as it may be.
- silent: its bytes are taken, and acknowledged by the kernel, and nothing is ever answered.
- swallow: a write reaches the server, which commits it; its answer is dropped, the client reset.

Now and then the door is closed for a moment: then there is no listener at all. In the first
second nothing happens. Where it has several ways to the server, chance takes one.
"""

import asyncio
import os
import random
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from tests.proofs.chaos_ground import Ledger

SHARES = {"refuse": 1, "reset": 2, "drop": 2, "silent": 1, "swallow": 3}
"""How often each fate strikes, in proportion; of the connections that are not let through."""

FAULTS = [*SHARES, "door closed"]

LONGEST = 16
"""After so many steps a fate has struck; a write of rows is about the tenth."""

_CHUNK = 4096
_CALM_S = 1.0
_CALM_SHARE = 0.45
_OPEN_S = (1.0, 2.5)
_CLOSED_S = (0.05, 0.3)
_WRITES = (b"INSERT INTO", b"COPY ")
_IDLE = b"Z\x00\x00\x00\x05I"
"""ReadyForQuery outside of any transaction: what was written is committed."""

_LINGER = struct.pack("ii", 1, 0)


def proxy(ledger: Ledger, host: str, port: int, ways: Sequence[int], seed: int) -> None:
    """Serve until killed, or until nobody is left who would do that."""
    dice = random.Random(seed)  # noqa: S311 - a seed, to try the same again
    asyncio.run(_Proxy(ledger, host, ways, dice).run(port))


class _Proxy:
    def __init__(self, ledger: Ledger, host: str, ways: Sequence[int], dice: random.Random) -> None:
        self._ledger = ledger
        self._host = host
        self._ways = ways
        self._dice = dice
        self._struck: Counter[str] = Counter()
        self._calm_until = time.monotonic() + _CALM_S
        self._served: set[asyncio.Task[None] | None] = set()

    async def run(self, port: int) -> None:
        parent = os.getppid()
        while os.getppid() == parent:
            server = await asyncio.start_server(self._serve, self._host, port, limit=_CHUNK)
            await self._wait(_OPEN_S)
            server.close()
            self._note("door closed")
            await self._wait(_CLOSED_S)

    def _fate(self) -> str:
        """Return whose turn it is: no fault shall be left out by chance."""
        if time.monotonic() < self._calm_until or self._dice.random() < _CALM_SHARE:
            return "through"
        return min(SHARES, key=lambda fate: (self._struck[fate] / SHARES[fate], fate))

    def _note(self, fault: str) -> None:
        self._struck[fault] += 1
        self._ledger.note(fault)

    async def _wait(self, limits: tuple[float, float]) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), self._dice.uniform(*limits))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._served.add(asyncio.current_task())  # asyncio itself keeps no task alive
        fate = self._fate()
        try:
            if fate == "refuse":
                self._note(fate)
                _reset(writer)
                return
            way = self._dice.choice(self._ways)
            there, back = await asyncio.open_connection(self._host, way, limit=_CHUNK)
        except OSError:
            writer.close()
            return
        steps = self._dice.randint(1, LONGEST)
        await _Link(fate, steps, self._note, (reader, writer), (there, back)).carry()


class _Link:
    """One connection from client to server."""

    def __init__(
        self,
        fate: str,
        steps: int,
        note: Callable[[str], None],
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._fate = fate
        self._steps = steps
        self._note = note
        self._client = client
        self._server = server
        self._has_struck = False
        self._is_armed = False

    async def carry(self) -> None:
        ways = (
            self._pass(self._client[0], self._server[1], is_to_server=True),
            self._pass(self._server[0], self._client[1], is_to_server=False),
        )
        with suppress(OSError):
            await asyncio.gather(*ways)
        for _, writer in (self._client, self._server):
            writer.close()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_to_server: bool
    ) -> None:
        while data := await reader.read(_CHUNK):
            if self._fate == "swallow":
                data = self._swallowed(data, is_to_server=is_to_server)
            elif self._fate != "through":
                self._strike()
                if self._has_struck:
                    data = b""
            if data:
                writer.write(data)
                await writer.drain()
        if not (self._fate == "silent" and self._has_struck):
            writer.close()

    def _strike(self) -> None:
        """Count a step; at the last one, do it."""
        self._steps -= 1
        if self._steps or self._has_struck:
            return
        self._has_struck = True
        self._note(self._fate)
        for _, writer in (self._client, self._server):
            if self._fate == "reset":
                _reset(writer)
            elif self._fate == "drop":
                writer.close()

    def _swallowed(self, data: bytes, *, is_to_server: bool) -> bytes:
        """Let a write through; keep back whatever answers it, until it is committed."""
        if is_to_server:
            self._is_armed |= any(word in data for word in _WRITES)
            return data
        if not self._is_armed:
            return data
        if _IDLE in data:
            self._note("swallow")
            _reset(self._client[1])
        return b""


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection by RST."""
    peer = writer.get_extra_info("socket")
    if peer is not None:
        with suppress(OSError):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    writer.transport.abort()
