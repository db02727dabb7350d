"""Headless Chromium by WebDriver: Debian's packages chromium and chromium-driver."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars",
]  # fmt: skip


class Browser:
    """One tab."""

    def __init__(self, address: str, profile: Path, binary: str):
        self._address = f"{address}/session"
        options = {"binary": binary, "args": [*FLAGS, f"--user-data-dir={profile}"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"performance": "ALL"}}
        session = self._post("", {"capabilities": {"alwaysMatch": wanted}})
        self._address += f"/{session['sessionId']}"

    def open(self, file: Path, width: int, height: int = 900, scheme: str = "light") -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.command("Emulation.setDeviceMetricsOverride", **size)
        scheme_feature = {"name": "prefers-color-scheme", "value": scheme}
        self.command("Emulation.setEmulatedMedia", features=[scheme_feature])
        self._post("/url", {"url": file.as_uri()})

    def command(self, name: str, **parameters: Any) -> Any:
        """A command of Chromium's DevTools protocol."""
        return self._post("/goog/cdp/execute", {"cmd": name, "params": parameters})

    def run(self, script: str) -> Any:
        """What a JavaScript function body returns."""
        return self._post("/execute/sync", {"script": script, "args": []})

    def press(self, key: str) -> None:
        down_up = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        self._post("/actions", {"actions": [{"type": "key", "id": "keys", "actions": down_up}]})

    def requests(self) -> list[str]:
        """Addresses asked for since the last call."""
        entries = self._post("/se/log", {"type": "performance"})
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        sent = [m for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [str(m["params"]["request"]["url"]) for m in sent]

    def close(self) -> None:
        with urlopen(Request(self._address, method="DELETE"), timeout=60):
            pass

    def _post(self, path: str, content: dict[str, Any]) -> Any:
        body = json.dumps(content).encode()
        request = Request(self._address + path, body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A browser with a new profile; skips where there is none, or fails where all must run."""
    driver, binary = shutil.which("chromedriver"), shutil.which("chromium")
    if driver is None or binary is None:
        absent = "needs Debian's packages chromium, chromium-driver and fonts-dejavu"
        if os.environ.get("CXRSPARK_NO_SKIP"):
            pytest.fail(absent)
        pytest.skip(absent)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen([driver, f"--port={port}", "--silent"]) as process:
        try:
            _wait_for(f"http://127.0.0.1:{port}/status")
            browser = Browser(f"http://127.0.0.1:{port}", profile, binary)
            try:
                yield browser
            finally:
                browser.close()
        finally:
            process.terminate()


def _wait_for(address: str) -> None:
    for _ in range(300):
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError(address)
