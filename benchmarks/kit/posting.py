"""A light HTTP client: requests made beforehand, sent over kept connections, one answer awaited on each of them.

A process of its own, so that what is measured does not share its interpreter; it says what it used of the processor.
"""

from __future__ import annotations

import pickle
import re
import resource
import selectors
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from settings import CHECKOUT

PATIENCE_SECONDS = 120.0
SHOWN = 3
"""How many unexpected answers are kept to be looked at."""
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_CHUNK = 1 << 16


def form_post(path: str, fields: dict[str, str]) -> bytes:
    """Return the request that posts a form."""
    return request("POST", path, urlencode(fields).encode(), "application/x-www-form-urlencoded")


def request(method: str, path: str, body: bytes = b"", kind: str = "", token: str = "") -> bytes:
    """Return a request over HTTP/1.1, with a body of this media type and somebody's token, if there are any."""
    heads = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    heads += [f"Content-Type: {kind}"] if kind else []
    heads += [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([*heads, "", ""]).encode() + body


@dataclass
class Posted:
    """What came of many requests: seconds each, statuses, some of the answers that were not as expected.

    `began` and `ended` are moments of `time.monotonic`, which is the same in all processes of a machine; `cpu` is in
    seconds.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0
    cpu: float = 0.0

    @property
    def took(self) -> float:
        """Seconds from the first request to the last answer."""
        return self.ended - self.began

    @property
    def per_second(self) -> float:
        """Answers in a second."""
        return len(self.seconds) / self.took

    @property
    def client_share(self) -> float:
        """What this client used of one core."""
        return self.cpu / self.took

    def errors(self, expected: int = 200) -> int:
        """How many answers had another status; 0 stands for a connection that broke."""
        return self.statuses.total() - self.statuses[expected]

    def succeeded(self, expected: int = 200) -> Posted:
        """Return itself. Raises SystemExit when an answer had another status."""
        if self.errors(expected):
            raise SystemExit("\n".join([f"{self.errors(expected)} errors, {self.statuses}", *self.unexpected]))
        return self


class Line:
    """One kept connection to a server on this machine."""

    def __init__(self, port: int, connected: socket.socket | None = None) -> None:
        """`connected` is the connection; when it is left out, a new one to this port of 127.0.0.1."""
        self.port, self.socket = port, connected or _connected(port)
        self._heard, self._end = bytearray(), 0

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def ask(self, words: bytes) -> tuple[int, bytes]:
        """Send a request, wait for the answer, and return its status and body."""
        self.send(words)
        while (answer := self.hear()) is None:
            pass
        return answer

    def send(self, words: bytes) -> None:
        """Send a request."""
        self.socket.sendall(words)

    def hear(self) -> tuple[int, bytes] | None:
        """Take in what has come, and return the answer once all of it is there. Raises OSError when hung up on."""
        heard = self.socket.recv(_CHUNK)
        if not heard:
            raise ConnectionError("the server hung up")
        self._heard += heard
        head = self._heard.find(b"\r\n\r\n")
        if head < 0:
            return None
        if not self._end:
            found = _LENGTH.search(self._heard, 0, head + 2)
            if found is None:
                raise ConnectionError(f"no length: {bytes(self._heard[:200])!r}")
            self._end = head + 4 + int(found[1])
        if len(self._heard) < self._end:
            return None
        answer = int(self._heard[9:12]), bytes(self._heard[head + 4 : self._end])
        del self._heard[: self._end]
        self._end = 0
        return answer


def post_all(ports: Sequence[int], requests: Sequence[bytes], clients: int, expected: int = 200) -> Posted:
    """Have so many clients in another process send all of these, as many to each port, each after its answer to the
    one before; return what came of them. Raises CalledProcessError when that process fails."""
    command = [sys.executable, "-m", "benchmarks.kit.posting"]
    given = pickle.dumps((ports, requests, clients, expected))
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, cwd=CHECKOUT, check=True)
    posted = pickle.loads(done.stdout)
    assert isinstance(posted, Posted)
    return posted


def in_words(status: int, body: bytes) -> str:
    """Return what an answer says, without its markup and not too long."""
    words = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", body.decode("utf-8", "replace"), flags=re.DOTALL)
    return f"{status} {' '.join(words.split())[:600]}"


def _send_all(ports: Sequence[int], requests: Sequence[bytes], clients: int, expected: int) -> Posted:
    left, posted, sent_at = iter(requests), Posted(), dict[Line, float]()
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    with selectors.DefaultSelector() as selector:
        lines = [Line(ports[number % len(ports)]) for number in range(clients)]
        posted.began = time.monotonic()
        for line in lines:
            _send_next(line, left, selector, sent_at)
        while selector.get_map():
            ready = selector.select(PATIENCE_SECONDS)
            if not ready:
                raise SystemExit(f"{len(selector.get_map())} clients waited {PATIENCE_SECONDS:g} s in vain")
            for key, _ in ready:
                answer = _heard(key.data)
                if answer is not None:
                    posted.seconds.append(time.monotonic() - sent_at[key.data])
                    _note(posted, answer, expected)
                    selector.unregister(key.data.socket)
                    _send_next(_after(key.data, answer), left, selector, sent_at)
    posted.ended = time.monotonic()
    used = resource.getrusage(resource.RUSAGE_SELF)
    posted.cpu = used.ru_utime + used.ru_stime - cpu.ru_utime - cpu.ru_stime
    return posted


def _send_next(
    line: Line, left: Iterator[bytes], selector: selectors.DefaultSelector, sent_at: dict[Line, float]
) -> None:
    words = next(left, None)
    if words is None:
        line.close()
        return
    sent_at[line] = time.monotonic()
    line.send(words)
    selector.register(line.socket, selectors.EVENT_READ, line)


def _heard(line: Line) -> tuple[int, bytes] | None:
    try:
        return line.hear()
    except OSError as broken:
        return 0, repr(broken).encode()


def _after(line: Line, answer: tuple[int, bytes]) -> Line:
    if answer[0]:
        return line
    line.close()
    return Line(line.port)


def _note(posted: Posted, answer: tuple[int, bytes], expected: int) -> None:
    status, body = answer
    posted.statuses[status] += 1
    if status != expected and len(posted.unexpected) < SHOWN:
        posted.unexpected.append(in_words(status, body))


def _connected(port: int) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


if __name__ == "__main__":
    from benchmarks.kit.posting import _send_all as send_all  # so that what is pickled is known by its module's name

    sys.stdout.buffer.write(pickle.dumps(send_all(*pickle.load(sys.stdin.buffer))))
