"""Words answers by an OpenAI-compatible endpoint. The only importer of httpx.

The conversation with the server runs in a daemon thread that is abandoned at the deadline: no
time-out of a client ends a silent name server, or headers that come byte by byte.
"""

import queue
import ssl
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import httpx

from amx.core.endpoints import Endpoint
from amx.core.outcome import Outcome
from amx.core.phrasing import NoAnswer
from amx.core.secrets import REDACTED, redact_url
from amx.core.sending import Deadline
from amx.describers.events import Completion, EventStream, error_in
from amx.describers.retrying import Retrying, Wait

LONGEST_BODY = 4 << 20
"""Bytes of an answer; a token takes some 250 of them in an event stream."""

LONGEST_REFUSAL = 16 << 10
"""Bytes of a refusal that are read for its reason."""

LONGEST_REASON = 300
"""Characters of what a message says of a server's refusal."""

_OK: Final = 200
_WORTH_A_RETRY = (429, 500, 502, 503, 504)

_HEADERS = {"Accept": "text/event-stream, application/json", "Accept-Encoding": "identity"}
"""A compressed answer could unfold without bounds, so none is asked for or taken."""

_ADVICE = {
    400: "it does not take this request; look at model, temperature and max_tokens",
    401: "it does not take the key; look at api_key",
    403: "it does not take the key, or the key may not use this model; look at api_key",
    404: "it has no such address or no such model; look at api_base and model",
    407: "the proxy wants a password",
}

_Item = str | None
"""What the thread hands over: a piece of the answer, maybe empty; None at its end."""


class OpenAIModel:
    """A model behind an endpoint.

    Args:
        endpoint: Where it is, and how long it may take.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    @property
    def name(self) -> str:
        return self._endpoint.model

    @property
    def warnings(self) -> Sequence[str]:
        if not self._endpoint.has_literal_key:
            return ()
        where = f"{self._endpoint.where}.api_key"
        return [f"{where} holds the key itself. Better: amx config set {where} '${{VARIABLE}}'"]

    def words(self, messages: Sequence[Mapping[str, str]]) -> Generator[str, None, None]:
        deadline = Deadline(self._endpoint.timeout_s)
        pieces: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        outcome: Outcome[None] = Outcome()
        talk = _Talk(self._endpoint, messages, pieces, deadline)

        def work() -> None:
            outcome.of(talk.run)
            pieces.put(None)

        threading.Thread(target=work, daemon=True).start()
        try:
            while (piece := self._next(pieces, talk, deadline)) is not None:
                yield piece
            outcome.wait(0)
        except NoAnswer as reason:
            raise NoAnswer(self._complete(str(reason))) from reason
        finally:
            talk.is_over.set()

    def _next(self, pieces: "queue.SimpleQueue[_Item]", talk: "_Talk", deadline: Deadline) -> _Item:
        gap_s = self._endpoint.gap_s
        limit_s = min(gap_s, deadline.remaining_s) if talk.has_begun else deadline.remaining_s
        try:
            return pieces.get(timeout=limit_s)
        except queue.Empty:
            if deadline.is_over:
                took = f"was not done within {self._endpoint.timeout_s:g} s"
                raise NoAnswer(f"{took} ({self._endpoint.where}.timeout_s)") from None
            raise NoAnswer(f"fell silent for {gap_s:g} s in the middle of its answer") from None

    def _complete(self, reason: str) -> str:
        """Return a reason as a sentence in which no secret stands, whatever the server said."""
        if self._endpoint.key:
            reason = reason.replace(self._endpoint.key, REDACTED)
        reason = redact_url(reason)  # and only then cut: half of a secret would not be known
        shortened = reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]} …"
        place = f"{self._endpoint.model} at {self._endpoint.place}"
        return f"The model {place} {shortened.rstrip('.')}."


class _Talk:
    """One question to the endpoint, with its tries; runs in a thread of its own."""

    def __init__(
        self,
        endpoint: Endpoint,
        messages: Sequence[Mapping[str, str]],
        pieces: "queue.SimpleQueue[_Item]",
        deadline: Deadline,
    ) -> None:
        self._endpoint = endpoint
        self._messages = messages
        self._pieces = pieces
        self._retrying = Retrying(deadline)
        self.is_over = threading.Event()
        self.has_begun = False

    def run(self) -> None:
        """Ask until an answer begins, then hand it over.

        Raises:
            NoAnswer: there is none.
        """
        try:
            with self._client() as client:
                while not self.is_over.is_set():
                    waited = self._tried(client)
                    if waited is None:
                        return
                    self.is_over.wait(self._retrying.before_next(waited))
        except (httpx.InvalidURL, UnicodeError) as error:
            raise NoAnswer("has no address that can be used; look at api_base") from error

    def _client(self) -> httpx.Client:
        """Return a client that follows no redirect: its target would get the key.

        Proxies are those of the environment, but none stands before this machine itself.
        """
        endpoint = self._endpoint
        timeout = httpx.Timeout(endpoint.first_s, connect=endpoint.connect_s)
        is_here = httpx.URL(endpoint.url).host in ("localhost", "127.0.0.1", "::1")
        try:
            return httpx.Client(
                timeout=timeout,
                trust_env=not is_here,
                verify=_verify(endpoint),
                follow_redirects=False,
            )
        except (ImportError, ValueError) as error:
            reason = "cannot be asked: the environment names a proxy that amx cannot use"
            raise NoAnswer(f"{reason} ({error})") from error

    def _tried(self, client: httpx.Client) -> Wait | None:
        """Have one try; return None once the answer is handed over, else why to wait."""
        try:
            with client.stream(
                "POST",
                self._endpoint.url,
                json=self._body(),
                headers=_HEADERS,
                auth=self._signed if self._endpoint.key else None,
            ) as response:
                if response.status_code in _WORTH_A_RETRY:
                    asked = response.headers.get("retry-after", "")
                    return Wait(self._refusal(response), asked)
                if response.status_code != _OK:
                    raise NoAnswer(self._refusal(response))
                self._hand_over(response)
        except httpx.ReadTimeout as error:
            if self.has_begun:
                raise NoAnswer("fell silent in the middle of its answer") from error
            raise NoAnswer(f"did not begin within {self._endpoint.first_s:g} s") from error
        except httpx.TransportError as error:
            return self._broken(error)
        return None

    def _broken(self, error: httpx.TransportError) -> Wait:
        reason = str(error) or type(error).__name__
        if self.has_begun:
            raise NoAnswer(f"broke off in the middle of its answer ({reason})") from error
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            remedy = f"{self._endpoint.where}.ca_bundle names a file of certificates to trust"
            raise NoAnswer(f"shows a certificate that is not trusted ({reason}); {remedy}")
        return Wait(f"could not be reached ({reason})")

    def _body(self) -> Mapping[str, object]:
        body = {
            "model": self._endpoint.model,
            "messages": self._messages,
            "stream": True,
            "temperature": self._endpoint.temperature,
            "max_tokens": self._endpoint.max_tokens,
        }
        return {key: value for key, value in body.items() if value is not None}

    def _signed(self, request: httpx.Request) -> httpx.Request:
        """Return a request with the key, whatever the address says of a user and a password."""
        request.headers["Authorization"] = f"Bearer {self._endpoint.key}"
        return request

    def _refusal(self, response: httpx.Response) -> str:
        status = response.status_code
        if response.is_redirect:
            host = httpx.URL(response.headers.get("location", "")).host
            return f"sends us on to {host or 'another address'}, which is not followed; look at api_base"
        told = ""
        if status not in (401, 403):
            body = b"".join(_up_to(LONGEST_REFUSAL, response.iter_raw()))
            told = error_in(body.decode("utf-8", "replace"))
        advice = _ADVICE.get(status, "")
        return f"answered {status}" + "".join(f": {text}" for text in (advice, told) if text)

    def _hand_over(self, response: httpx.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise NoAnswer("answered in a compressed form that was not asked for")
        completion = Completion()
        is_stream = response.headers.get("content-type", "").startswith("text/event-stream")
        for text in self._events(response) if is_stream else self._whole(response):
            self._pieces.put(completion.text_of(text))
            if completion.is_finished:
                return
        if is_stream:
            raise NoAnswer("broke off in the middle of its answer")

    def _events(self, response: httpx.Response) -> Iterator[str]:
        stream = EventStream()
        for chunk in self._bounded(response):
            yield from stream.take(chunk)
        yield from stream.take(b"", is_last=True)

    def _whole(self, response: httpx.Response) -> Iterator[str]:
        yield b"".join(self._bounded(response)).decode("utf-8", "replace")

    def _bounded(self, response: httpx.Response) -> Iterator[bytes]:
        size = 0
        for chunk in response.iter_raw():
            self.has_begun = True
            self._pieces.put("")  # a sign of life
            size += len(chunk)
            if size > LONGEST_BODY:
                raise NoAnswer(f"answered with more than {LONGEST_BODY >> 20} MiB")
            if self.is_over.is_set():
                return
            yield chunk


def _verify(endpoint: Endpoint) -> ssl.SSLContext | bool:
    if endpoint.ca_bundle is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(Path(endpoint.ca_bundle).expanduser()))
    except (OSError, RuntimeError) as error:
        where = f"{endpoint.where}.ca_bundle"
        raise NoAnswer(f"cannot be asked: {where} cannot be read ({error})") from error


def _up_to(limit: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[:limit]
        limit -= len(chunk)
        if limit <= 0:
            return
