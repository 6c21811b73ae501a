"""A real HTTP server on 127.0.0.1 that plays a model endpoint, well or badly."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

WAIT_S = 30


class Asked(NamedTuple):
    """One request, as it came."""

    target: str
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:  # noqa: ANN401 - a document of any shape
        """Its JSON document."""
        return json.loads(self.text)

    @property
    def told(self) -> Any:  # noqa: ANN401 - a document of any shape
        """The JSON document that is its user's message."""
        return json.loads(self.body["messages"][1]["content"])


class Line(NamedTuple):
    """A connection with a request on it, to be answered."""

    connection: socket.socket
    is_over: threading.Event

    def send(self, *pieces: bytes) -> None:
        """Send each piece by itself."""
        for piece in pieces:
            self.connection.sendall(piece)

    def hold(self) -> None:
        """Say nothing until the other side goes away or the test ends."""
        while not self.is_over.is_set():
            self.connection.settimeout(0.1)
            with suppress(TimeoutError):
                if not self.connection.recv(1):
                    return


Act = Callable[[Line], None]


class Endpoint:
    """Answers requests in turn, each by its act; the last act is played again and again."""

    def __init__(self, *acts: Act, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.was_left = threading.Event()
        self._acts = list(acts)
        self._tls = tls
        self._is_over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    @property
    def base(self) -> str:
        """Its ``api_base``."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v1"

    def close(self) -> None:
        """End it."""
        self._is_over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(WAIT_S)
            assert not thread.is_alive()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._answer, args=[connection]))
                self._threads[-1].start()

    def _answer(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(WAIT_S)
        with suppress(OSError), connection:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                self.asked.append(_request(connection))
                act = self._acts.pop(0) if len(self._acts) > 1 else self._acts[0]
                act(Line(connection, self._is_over))
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
        self.was_left.set()


def _request(connection: socket.socket) -> Asked:
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += _more(connection)
    return Asked(first.split(" ")[1], headers, body.decode())


def _more(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    if not chunk:
        raise ConnectionResetError
    return chunk


# --- acts


def head(status: int = 200, type_: str = "text/event-stream", more: str = "") -> bytes:
    """Return the head of an answer that ends with its connection."""
    return f"HTTP/1.1 {status} X\r\nContent-Type: {type_}\r\n{more}\r\n".encode()


def event(text: str | None, finish: str | None = None, index: int = 0) -> bytes:
    """Return one event of an answer."""
    choice = {"index": index, "delta": {"content": text}, "finish_reason": finish}
    return f"data: {json.dumps({'choices': [choice]}, ensure_ascii=False)}\n\n".encode()


def said(*pieces: str) -> Act:
    """Answer in these pieces, as OpenAI does."""
    ends = [event(None, "stop"), b'data: {"choices": [], "usage": {}}\n\n', b"data: [DONE]\n\n"]
    return lambda line: line.send(head(), *map(event, pieces), *ends)


def raw(*pieces: bytes) -> Act:
    """Answer with exactly these bytes."""
    return lambda line: line.send(*pieces)


def body(text: str, status: int = 200, type_: str = "application/json", more: str = "") -> Act:
    """Answer with one whole body."""
    return raw(head(status, type_, more), text.encode())


def completion(content: object) -> str:
    """Return a whole answer, not a stream."""
    choice = {"index": 0, "message": {"content": content}, "finish_reason": "stop"}
    return json.dumps({"choices": [choice]})


def silent(*pieces: bytes) -> Act:
    """Say no more after these bytes."""

    def act(line: Line) -> None:
        line.send(*pieces)
        line.hold()

    return act


def reset(*pieces: bytes) -> Act:
    """Break the connection off after these bytes."""

    def act(line: Line) -> None:
        line.send(*pieces)
        linger = struct.pack("ii", 1, 0)
        line.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        line.connection.close()

    return act


def drip(first: bytes, piece: bytes, pause_s: float = 0.05) -> Act:
    """Go on for ever, a little at a time."""

    def act(line: Line) -> None:
        line.send(first)
        with suppress(OSError):
            while not line.is_over.wait(pause_s):
                line.send(piece)

    return act


def in_turn(*acts: Act) -> Sequence[Act]:
    """Return acts for the requests that follow each other."""
    return acts
