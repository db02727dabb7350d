"""A proxy between the tests and an emulator: it adds faults, and remembers what was asked."""

import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Literal


@dataclass(frozen=True)
class Request:
    """What was asked: `target` is path and query."""

    method: str
    target: str
    headers: Message


@dataclass(frozen=True)
class Answer:
    """Sent in place of the emulator's."""

    status: int
    code: str
    message: str = ""

    def body(self) -> bytes:
        """An error as S3 and the XML API of Google write it."""
        inner = f"<Code>{self.code}</Code><Message>{self.message}</Message>"
        return f'<?xml version="1.0"?><Error>{inner}</Error>'.encode()


Fault = Answer | Literal["reset", "truncate", "stall"]
BUSY = Answer(503, "SlowDown", "Please reduce your request rate.")


@dataclass
class Proxy:
    """Where the proxy listens and what it does; `faults` says what happens to a request."""

    port: int
    backend: int
    latency: float = 0.0
    faults: Callable[[Request], Fault | None] = lambda request: None
    requests: list[Request] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    @property
    def url(self) -> str:
        """Its endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> "Proxy":
        """Forget requests and faults."""
        self.latency, self.faults = 0.0, lambda request: None
        self.requests.clear()
        return self

    def meet(self, request: Request) -> Fault | None:
        """Remember a request and choose its fault, one request after the other."""
        with self.lock:
            self.requests.append(request)
            return self.faults(request)


def at_random(seed: int, shares: dict[Fault, float]) -> Callable[[Request], Fault | None]:
    """Each fault meets its share of the requests."""
    source = random.Random(seed)
    kinds = [*shares, None]
    weights = [*shares.values(), 1 - sum(shares.values())]
    return lambda request: source.choices(kinds, weights)[0]


@contextmanager
def run_proxy(backend: int) -> Iterator[Proxy]:
    """A proxy on loopback to the emulator on port `backend`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        proxy = server.proxy = Proxy(server.server_port, backend)  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield proxy
        server.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        proxy: Proxy = self.server.proxy  # type: ignore[attr-defined]
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, self.headers)
        fault = proxy.meet(request)
        time.sleep(proxy.latency)
        if fault == "reset":
            return self._reset()
        if fault == "stall":
            self.rfile.read(1)  # until the client gives up
            return self._close()
        if isinstance(fault, Answer):
            return self._send(fault.status, [], fault.body())
        backend = HTTPConnection("127.0.0.1", proxy.backend)
        backend.request(self.command, self.path, sent, dict(self.headers.items()))
        answer = backend.getresponse()
        body = answer.read()
        backend.close()
        return self._send(answer.status, answer.getheaders(), body, cut=fault == "truncate")

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815

    def _send(
        self, status: int, headers: list[tuple[str, str]], body: bytes, cut: bool = False
    ) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, value)
        length = {n.lower(): v for n, v in headers}.get("content-length", str(len(body)))
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self._close()

    def _reset(self) -> None:
        """Close without a good-bye: the client sees a connection that is reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._close()

    def _close(self) -> None:
        self.close_connection = True
