"""The built book behind a small web server, and a headless Chromium that opens its pages."""

import contextlib
import functools
import http.server
import itertools
import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

try:
    import fcntl
except ImportError:  # Windows, where the browser tests are skipped
    fcntl = None

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
    # Whatever is asked of another host fails at once, and shows as a failed request.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class Chromium:
    """A headless browser, driven over a pipe by the DevTools protocol."""

    def __init__(self, program, profile):
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()

        def connect():
            # The browser reads commands from descriptor 3 and answers on 4.
            commands, answers = (
                fcntl.fcntl(f, fcntl.F_DUPFD, 10) for f in (to_browser, from_browser)
            )
            os.dup2(commands, 3)
            os.dup2(answers, 4)

        self._process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=connect, pass_fds=(3, 4),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        self._ids = itertools.count(1)
        self._buffer = b""
        self.events = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    session = None

    def send(self, method, **params):
        """Send a command and wait for its answer; what happens meanwhile is kept."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def _receive(self):
        while b"\0" not in self._buffer:
            part = os.read(self._in, 1 << 16)
            if not part:
                raise RuntimeError("Chromium ended")
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def evaluate(self, script):
        """The value of a JavaScript expression in the page; a promise is awaited."""
        answer = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def open(self, address, window=(1280, 900), dark=False):
        """Load a page in a window of this size; return what it asked for and complained of."""
        self.resize(*window)
        self._prefer(dark)
        self.events.clear()
        self.send("Page.navigate", url=address)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())
        self.evaluate("document.fonts.ready.then(() => true)")
        time.sleep(0.05)
        self.evaluate("true")
        return Visit(list(self.events))

    def resize(self, width, height):
        """Give the window another size; the narrow ones are those of a phone."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip

    def _prefer(self, dark):
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def colours(self, dark):
        """Change the colours of the page that is open, and wait until the page has seen it."""
        self._prefer(dark)
        theme = "dark" if dark else "light"
        assert self.until(f"document.documentElement.dataset.theme === '{theme}'")

    def until(self, script, seconds=30):
        """Wait for a JavaScript expression to be true; say whether it ever was."""
        end = time.monotonic() + seconds
        while not (true := self.evaluate(script)) and time.monotonic() < end:
            time.sleep(0.05)
        return bool(true)

    def close(self):
        """End the browser."""
        with contextlib.suppress(OSError, RuntimeError):
            self.session = None
            self.send("Browser.close")
        self._process.wait(timeout=20)
        os.close(self._out)
        os.close(self._in)


class Visit:
    """What happened while a page was loaded."""

    def __init__(self, events):
        self.events = events

    def of(self, method):
        """The parameters of all events of a kind."""
        return [event["params"] for event in self.events if event.get("method") == method]

    @property
    def requests(self):
        """The addresses that the page asked for."""
        return [event["request"]["url"] for event in self.of("Network.requestWillBeSent")]

    @property
    def complaints(self):
        """Errors and warnings in the console, exceptions, and answers that were no success."""
        console = [
            " ".join(str(arg.get("value", arg)) for arg in event["args"])
            for event in self.of("Runtime.consoleAPICalled")
            if event["type"] in ("error", "warning", "assert")
        ]
        log = [
            event["entry"]["text"]
            for event in self.of("Log.entryAdded")
            if event["entry"]["level"] in ("error", "warning")
        ]
        thrown = [event["exceptionDetails"]["text"] for event in self.of("Runtime.exceptionThrown")]
        refused = [
            f"{event['response']['status']} {event['response']['url']}"
            for event in self.of("Network.responseReceived")
            if event["response"]["status"] >= 400
        ]
        return console + log + thrown + refused


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serve files without a log."""

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(scope="session")
def site():
    """The folder of the built book."""
    folder = Path(os.environ.get("KETKAR_BOOK", ROOT / "_build" / "html"))
    if not (folder / "index.html").exists():
        pytest.skip(f"the book is not built: {folder} has no index.html")
    return folder


@pytest.fixture(scope="session")
def address(site):
    """Where the built book is served."""
    handler = functools.partial(Handler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """A headless Chromium."""
    if fcntl is None:
        pytest.skip("the pipe to Chromium is written for POSIX")
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no Chromium found; install it (package chromium) to run the browser tests")
    browser = Chromium(program, tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()
