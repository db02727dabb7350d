"""An API server that notes what spark-submit asks it to make, and runs nothing."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

Made = Queue[dict[str, Any]]
"""What was asked for, in its order."""


class _Api(BaseHTTPRequestHandler):
    made: Made
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        kind = self.path.split("?")[0].rsplit("/", 1)[-1]
        if re.fullmatch("pods|services|configmaps|persistentvolumeclaims", kind):
            self._answer(200, {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": []})
        else:
            self._answer(404, {"kind": "Status", "apiVersion": "v1", "status": "Failure"})

    def do_POST(self) -> None:
        asked = json.loads(self._body())
        self.made.put(asked)
        named = {"uid": "1", "namespace": "default", "resourceVersion": "1"}
        self._answer(201, {**asked, "metadata": {**asked.get("metadata", {}), **named}})

    def do_PATCH(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        self._body()
        self._answer(200, {"kind": "Status", "apiVersion": "v1", "status": "Success"})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, code: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def api_server() -> Iterator[tuple[str, Made]]:
    """Listen on loopback.

    Yields:
        The master's URL for spark-submit, and what it was asked to make.
    """
    made: Made = Queue()
    handler = type("Api", (_Api,), {"made": made})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"k8s://http://127.0.0.1:{server.server_port}", made
        finally:
            server.shutdown()
