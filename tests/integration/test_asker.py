"""Etappe asks an https address that a plan names: a real server with a certificate of its own, good and bad answers."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler

import pytest

from tests.https_server import NAME, PUBLIC, Answer, HttpsServer, connected_to, here, says
from worker.asking import LARGEST_ANSWER, Network, NotAnswered, ask

PASS = '{"verdict": "pass", "message": "build 7"}'


def why_not(server: HttpsServer, seconds: float = 5, url: str = f"https://{NAME}/status") -> str:
    """Why there is no answer."""
    with pytest.raises(NotAnswered) as failure:
        ask(url, seconds, network=here(server.port))
    return str(failure.value)


class TestAsking:
    def test_an_answer_is_brought_as_it_is(self, server: HttpsServer) -> None:
        server.answers = [says(PASS)]
        answer = ask(f"https://{NAME}/status?of=main", 5, headers={"X-Etappe-Gate": "ci"}, network=here(server.port))
        assert answer.decode() == PASS
        [seen] = server.seen
        assert (seen["path"], seen["host"], seen["x-etappe-gate"]) == ("/status?of=main", NAME, "ci")
        assert "accept-encoding" not in seen or seen["accept-encoding"] == "identity"

    @pytest.mark.parametrize("status", [201, 204, 400, 401, 404, 500, 503])
    def test_anything_but_200_is_no_answer(self, server: HttpsServer, status: int) -> None:
        server.answers = [says(PASS, status)]
        assert f"status {status}" in why_not(server)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirects_are_not_followed(self, server: HttpsServer, status: int) -> None:
        server.answers = [says("", status, Location="https://127.0.0.1/"), says(PASS)]
        assert "redirects are not followed" in why_not(server)
        assert len(server.seen) == 1

    def test_a_slow_answer_is_no_answer(self, server: HttpsServer) -> None:
        done = threading.Event()
        server.answers = [lambda request: (done.wait(5), None)[1]]
        began = time.monotonic()
        assert why_not(server, seconds=0.4) == "it took longer than 0.4 seconds"
        assert time.monotonic() - began < 3
        done.set()

    @pytest.mark.parametrize("part", ["headers", "body"])
    def test_nor_is_one_that_comes_drop_by_drop(self, server: HttpsServer, part: str) -> None:
        """Each byte comes in time, and all of them together do not."""
        server.answers = [dripping(part)]
        began = time.monotonic()
        assert why_not(server, seconds=0.5) == "it took longer than 0.5 seconds"
        assert time.monotonic() - began < 3

    def test_a_line_that_says_nothing_is_no_answer(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(NotAnswered, match="longer than"):
            ask(f"https://{NAME}/", 0.3, network=here(mute.getsockname()[1]))

    def test_at_most_64_kb_are_read(self, server: HttpsServer) -> None:
        server.answers = [says("x" * LARGEST_ANSWER)]
        assert len(ask(f"https://{NAME}/", 5, network=here(server.port))) == LARGEST_ANSWER
        server.answers = [says("x" * (LARGEST_ANSWER + 1))]
        assert why_not(server) == "its answer is larger than 64 KB"

    def test_an_endless_answer_is_cut(self, server: HttpsServer) -> None:
        server.answers = [endless]
        assert why_not(server) == "its answer is larger than 64 KB"

    def test_what_is_no_http_is_no_answer(self, server: HttpsServer) -> None:
        server.answers = [lambda request: (request.wfile.write(b"hello\r\n\r\n"), None)[1]]
        assert "broken" in why_not(server)

    def test_a_server_that_is_down_is_no_answer(self, server: HttpsServer) -> None:
        server.stop()
        assert why_not(server) == "it refuses the connection"

    def test_a_certificate_that_nobody_trusts_is_no_answer(
        self, server: HttpsServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")
        assert "its certificate is not good" in why_not(server)
        assert server.seen == []

    def test_nor_is_a_certificate_for_another_name(self, server: HttpsServer) -> None:
        assert "its certificate is not good" in why_not(server, url="https://other.example.com/")
        assert server.seen == []

    def test_without_tls_nothing_is_asked(self, server: HttpsServer) -> None:
        with socket.create_server(("127.0.0.1", 0)) as plain:

            def answers() -> None:
                with plain.accept()[0] as line:
                    line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

            answering = threading.Thread(target=answers)
            answering.start()
            with pytest.raises(NotAnswered):
                ask(f"https://{NAME}/", 2, network=here(plain.getsockname()[1]))
            answering.join(5)


def dripping(part: str) -> Answer:
    """An answer of which a byte comes every tenth of a second, for ever."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"X: " if part == "headers" else b"\r\n"))
        for _ in range(100):
            request.wfile.write(b"x")
            threading.Event().wait(0.1)

    return answer


def endless(request: BaseHTTPRequestHandler) -> None:
    """An answer that does not end."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(1000):
        request.wfile.write(b"x" * 10_000)


class TestWhereTo:
    """No address that is near is asked, whatever its name says, and whenever it says it."""

    @pytest.mark.parametrize(
        "addresses",
        [["127.0.0.1"], ["10.0.0.1"], ["::1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], [PUBLIC, "10.0.0.1"]],
    )
    def test_one_near_address_is_enough_to_refuse(self, server: HttpsServer, addresses: list[str]) -> None:
        with pytest.raises(NotAnswered, match=r"not on the open internet.*ETAPPE_CHECK_HOSTS"):
            ask(f"https://{NAME}/", 5, network=here(server.port, addresses))
        assert server.seen == []

    @pytest.mark.parametrize("url", ["https://127.0.0.1", "https://[::1]", "https://localhost", "https://0x7f.1"])
    def test_so_is_one_that_stands_in_the_plan(self, server: HttpsServer, url: str) -> None:
        """Names and numbers as the system itself reads them."""
        with pytest.raises(NotAnswered, match=r"not on the open internet|name is not known"):
            ask(f"{url}:{server.port}/", 5)
        assert server.seen == []

    def test_the_operator_may_allow_a_host_by_name(self, server: HttpsServer) -> None:
        network = here(server.port, ["127.0.0.1"])
        assert ask(f"https://{NAME}/", 5, {NAME}, network=network)
        with pytest.raises(NotAnswered, match="not on the open internet"):
            ask(f"https://{NAME}/", 5, {"other.example.com"}, network=network)

    def test_a_name_is_looked_up_once_and_the_connection_goes_where_it_was_checked(self, server: HttpsServer) -> None:
        """DNS rebinding: a name that is public when it is checked, and private when it is connected to."""
        answers = [[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]]
        connected: list[str] = []

        def connect(address: str, port: int, seconds: float) -> socket.socket:
            connected.append(address)
            return connected_to(server.port, seconds)

        ask(f"https://{NAME}:{server.port}/", 5, network=Network(lambda host, port: answers.pop(0), connect))
        assert (connected, len(answers)) == ([PUBLIC], 2)

    def test_the_next_address_is_tried_when_one_does_not_answer(self, server: HttpsServer) -> None:
        def connect(address: str, port: int, seconds: float) -> socket.socket:
            if address == "1.1.1.1":
                raise ConnectionRefusedError
            return connected_to(server.port, seconds)

        assert ask(f"https://{NAME}/", 5, network=Network(lambda host, port: ["1.1.1.1", PUBLIC], connect))
