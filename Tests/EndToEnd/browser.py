"""A headless Chromium, driven over its DevTools protocol."""

import base64
import itertools
import json
import os
import pathlib
import re
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator

import pytest
import websocket

ARGUMENTS = [
    "--headless", "--remote-debugging-port=0", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--disable-extensions", "--disable-gpu", "--disable-dev-shm-usage",
    "--hide-scrollbars", "--mute-audio", "--no-proxy-server", "--password-store=basic",
]
SHOWS_ITS_PORT = re.compile(r"DevTools listening on (ws://\S+)")


class CannotStart(Exception):
    """There is no Chromium here, or it does not run."""


class Browser:
    def __init__(self) -> None:
        if not (program := shutil.which("chromium")):
            raise CannotStart("chromium is not installed")
        self._home = tempfile.mkdtemp(prefix="chromium-", dir="/var/tmp")
        # Its own sandbox does not let root in.
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        self._process = subprocess.Popen(
            [program, *ARGUMENTS, *sandbox, f"--user-data-dir={self._home}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, "HOME": self._home, "TZ": "Europe/Berlin"})
        try:
            self._socket = websocket.create_connection(
                self._address(20), timeout=20, suppress_origin=True, http_no_proxy=["127.0.0.1"])
        except BaseException:
            self.close()
            raise
        self._numbers = itertools.count(1)
        self._pages: dict[str, Page] = {}

    def _address(self, seconds: float) -> str:
        deadline, said = time.monotonic() + seconds, b""
        while not (found := SHOWS_ITS_PORT.search(said.decode(errors="replace"))):
            ready, _, _ = select.select([self._process.stderr], [], [], max(0, deadline - time.monotonic()))
            piece = os.read(self._process.stderr.fileno(), 1 << 16) if ready else b""
            if not piece:
                last = said.decode(errors="replace").strip().splitlines()[-1:]
                raise CannotStart(f"chromium does not start: {' '.join(last) or 'it says nothing'}")
            said += piece
        return found[1]

    def call(self, method: str, parameters: dict | None = None, session: str | None = None) -> dict:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters or {}}
        self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            if page := self._pages.get(answer.get("sessionId")):
                page.heard(answer["method"], answer["params"])

    def page(self, width: int = 1280, height: int = 900) -> "Page":
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", {"url": "about:blank", "browserContextId": context})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = self._pages[session] = Page(self, session, context)
        for domain in ["Page", "Runtime", "Log", "Network", "Audits", "Accessibility", "DOM"]:
            page.call(f"{domain}.enable")
        page.call("Emulation.setFocusEmulationEnabled", enabled=True)
        page.resize(width, height)
        return page

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process.stderr.close()
        shutil.rmtree(self._home, ignore_errors=True)


class Page:
    """One tab with a profile of its own; it remembers what was complained of, and what was asked for."""

    def __init__(self, browser: Browser, session: str, context: str):
        self._browser, self._session, self._context = browser, session, context
        self.complaints: list[str] = []
        self.requests: list[str] = []

    def call(self, method: str, **parameters: object) -> dict:
        return self._browser.call(method, parameters, self._session)

    def heard(self, event: str, about: dict) -> None:
        match event:
            case "Runtime.consoleAPICalled":
                self.complaints.append(f"console: {[each.get('value') for each in about['args']]}")
            case "Runtime.exceptionThrown":
                details = about["exceptionDetails"]
                thrown = details.get("exception", {}).get("description", "")
                self.complaints.append(f"exception: {details['text']} {thrown}")
            case "Log.entryAdded":
                self.complaints.append(f"{about['entry']['source']}: {about['entry']['text']}")
            case "Audits.issueAdded":
                self.complaints.append(f"issue: {json.dumps(about['issue'])}")
            case "Network.requestWillBeSent":
                self.requests.append(about["request"]["url"])

    def open(self, address: str) -> None:
        went = self.call("Page.navigate", url=address)
        assert "errorText" not in went, went
        self.wait_until(f"location.href === {json.dumps(address)} && document.readyState === 'complete'")

    def evaluate(self, expression: str) -> object:
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_until(self, condition: str, *, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not self.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < deadline, f"not within {seconds} s: {condition}\n{self.text()}\n{self.complaints}"
            time.sleep(0.05)

    def wait_for(self, words: str, *, seconds: float = 20) -> None:
        """Waits until somebody can read it on the page."""
        self.wait_until(f"document.body.innerText.replaceAll('\\u00a0', ' ').includes({json.dumps(words)})", seconds=seconds)

    def text(self, selector: str = "body") -> str:
        """What can be seen, as it would be read out, with plain spaces."""
        found = self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")
        return str(found).replace("\u00a0", " ")

    def title(self) -> str:
        return str(self.evaluate("document.title")).replace("\u00a0", " ")

    def resize(self, width: int, height: int = 900) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)

    def prefer(self, scheme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme},
                    {"name": "prefers-reduced-motion", "value": "reduce"}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def look_again(self) -> None:
        """Somebody comes back to the tab."""
        self.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    def press(self, key: str) -> None:
        number = {"Tab": 9, "Enter": 13, "Home": 36, "ArrowLeft": 37}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=number, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=number)

    def screenshot(self, file: pathlib.Path, *, whole: bool = True) -> None:
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(taken["data"]))

    def accessible(self) -> list[tuple[str, str]]:
        """Role and name of everything that a screen reader meets."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", "").replace("\u00a0", " "))
                for node in nodes if not node["ignored"] and "role" in node]

    def close(self) -> None:
        self._browser.call("Target.disposeBrowserContext", {"browserContextId": self._context})


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        started = Browser()
    except CannotStart as reason:
        pytest.skip(str(reason))
    yield started
    started.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    page = browser.page()
    yield page
    page.close()
