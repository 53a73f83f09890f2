"""What holds for every page: its headers, its language, who may read the mailbox, and that no secret reaches a log."""

from __future__ import annotations

import base64
import hashlib
import logging
import mailbox
import re
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.fakes_operations import TOKEN, decide_page
from tests.unit.web_client import LINK, client, fake_operations, form, installation, text_of
from web.masking import MaskTokens, masked
from web.visitor import preferred

PATHS = ["/", LINK, "/decide/nothing", "/rollouts/nothing/nothing", "/nowhere", "/mailbox", "/healthz"]


@pytest.fixture(autouse=True)
def page(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one open request."""
    fake_operations(monkeypatch, page=decide_page())


@pytest.fixture
def browser(tmp_path: Path) -> TestClient:
    """A browser on the machine of the installation."""
    return client(installation(tmp_path))


def deliver(
    home: Path, to: str, subject: str = "Please decide", html: str = "<html><head></head><p>Hi</p></html>"
) -> None:
    """Put a mail into the local mailbox."""
    mail = EmailMessage()
    mail["Delivered-To"], mail["To"], mail["Subject"], mail["From"] = to, to, subject, "Etappe <etappe@localhost>"
    mail.set_content(f"Hello\n\nhttp://127.0.0.1:8400{LINK}.\n\n<b>Code: 123456</b>\n")
    mail.add_alternative(html, subtype="html")
    mailbox.Maildir(home / "mailbox", create=True).add(mail.as_bytes())


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_headers(browser: TestClient, path: str, method: str) -> None:
    headers = browser.request(method, path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "noindex" in headers["x-robots-tag"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "script-src" not in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]


def test_the_policy_allows_the_style_of_the_page_and_no_other(browser: TestClient) -> None:
    answer = browser.get(LINK)
    [style] = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["content-security-policy"]
    assert not re.search(r"\sstyle=|\son\w+=|javascript:", answer.text)


def test_a_failure_is_one_sentence_with_the_headers_and_without_a_trace(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(f"boom at /decide/{TOKEN}")

    monkeypatch.setattr("web.decide.show_request", broken)
    with caplog.at_level(logging.ERROR, "web"):
        answer = browser.get(LINK)
    assert answer.status_code == 500
    assert "not your fault" in text_of(answer.text)
    assert "boom" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert TOKEN not in " ".join(record.getMessage() for record in caplog.records if record.name.startswith("web"))


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", "/decide/x", 405)])
def test_what_is_not_there_is_said_in_the_browsers_language(
    browser: TestClient, method: str, path: str, status: int
) -> None:
    answer = browser.request(method, path, headers={"accept-language": "de"})
    assert answer.status_code == status
    assert '<html lang="de">' in answer.text


def test_there_is_no_interactive_documentation(browser: TestClient) -> None:
    assert [browser.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [404, 404, 404]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "en"), ("de-CH,de;q=0.9,en;q=0.8", "de"), ("en,de", "en"), ("fr;q=0.9,de;q=0.1", "de"), ("de;q=0", "en"),
     ("*", "en"), ("de;q=x", "en"), ("DE", "de"), ("en;q=0.2, de ; q=0.3", "de"), (";;,,", "en")],
)  # fmt: skip
def test_the_browsers_language_is_german_or_english(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


def test_a_browser_that_prefers_neither_gets_what_the_page_is_about() -> None:
    assert [preferred(accepted, "de") for accepted in ("", "fr", "*", "en")] == ["de", "de", "de", "en"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"GET {LINK} HTTP/1.1", "GET /decide/… HTTP/1.1"),
        (f"http://127.0.0.1:8400{LINK}?a=1", "http://127.0.0.1:8400/decide/…"),
        (f"'{LINK}.'", "'/decide/…'"),
        (f"GET /rollouts/k3j9x2/{TOKEN} HTTP/1.1", "GET /rollouts/k3j9x2/… HTTP/1.1"),
        (f"'http://127.0.0.1:8400/rollouts/k3j9x2/{TOKEN}.'", "'http://127.0.0.1:8400/rollouts/k3j9x2/…'"),
        ("GET /api/v1/rollouts/k3j9x2/explanation HTTP/1.1", "GET /api/v1/rollouts/k3j9x2/explanation HTTP/1.1"),
        (f"GET /board/{TOKEN}?show=ended HTTP/1.1", "GET /board/…?show=ended HTTP/1.1"),
        (f"GET /calendar/{TOKEN}.ics HTTP/1.1", "GET /calendar/… HTTP/1.1"),
        ("GET /mailbox HTTP/1.1", "GET /mailbox HTTP/1.1"),
    ],
)
def test_a_token_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_the_access_log_shows_no_token() -> None:
    line = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d',
                             ("127.0.0.1:1", "GET", LINK, "1.1", 200), None)  # fmt: skip
    assert MaskTokens().filter(line)
    assert line.getMessage() == '127.0.0.1:1 - "GET /decide/… HTTP/1.1" 200'


def test_a_traceback_shows_no_token() -> None:
    try:
        raise RuntimeError(f"no such page: {LINK}")
    except RuntimeError:
        record = logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    assert MaskTokens().filter(record)
    written = logging.Formatter().format(record)
    assert "no such page: /decide/…" in written
    assert TOKEN not in written


def test_nothing_that_is_logged_while_somebody_decides_holds_the_token(
    browser: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)  # the browser's own log
        browser.get(LINK)
        browser.post(LINK, data=form(code="493017"))
    logged = " ".join(record.getMessage() for record in caplog.records)
    assert TOKEN not in logged
    assert "493017" not in logged


def test_the_mailbox_lists_newest_first_and_finds_by_recipient(browser: TestClient, tmp_path: Path) -> None:
    for to in ("anna@example.com", "ben@example.com"):
        deliver(tmp_path, to, f"For {to}")
    listed = text_of(browser.get("/mailbox").text)
    assert 0 < listed.index("For ben@example.com") < listed.index("For anna@example.com")
    for wanted in ("anna@example.com", "ANNA"):
        found = text_of(browser.get("/mailbox", params={"to": wanted}).text)
        assert "For anna@example.com" in found
        assert "For ben@example.com" not in found


def test_an_empty_mailbox_says_so_in_both_languages(browser: TestClient) -> None:
    assert "There is no mail yet" in text_of(browser.get("/mailbox").text)
    assert "Postfach" in browser.get("/mailbox", headers={"accept-language": "de"}).text


def test_a_mail_is_shown_as_text_with_its_link_and_as_its_html_in_a_sandbox(
    browser: TestClient, tmp_path: Path
) -> None:
    deliver(tmp_path, "anna@example.com", "<script>alert(1)</script>", "<html><head></head><p>Hello</p></html>")
    [path] = re.findall(r'href="(/mailbox/[^"]+)"', browser.get("/mailbox").text)
    shown = browser.get(path)
    assert f'<a href="http://127.0.0.1:8400{LINK}" rel="noreferrer">' in shown.text
    assert "&lt;b&gt;Code: 123456&lt;/b&gt;" in shown.text
    assert "<script" not in shown.text
    [frame] = re.findall(r"<iframe[^>]*>", shown.text)
    assert 'sandbox="' in frame
    assert "allow-scripts" not in frame
    html = browser.get(f"{path}/html")
    assert html.headers["content-security-policy"].startswith("sandbox ")
    assert html.headers["x-frame-options"] == "SAMEORIGIN"
    assert '<head><base target="_top"></head>' in html.text


@pytest.mark.parametrize("path", ["/mailbox/nothing", "/mailbox/nothing/html", "/mailbox/..%2f..%2fsecret-key"])
def test_an_unknown_mail_is_not_there(browser: TestClient, path: str) -> None:
    assert browser.get(path).status_code == 404


@pytest.mark.parametrize(
    ("host", "url", "headers"),
    [
        ("192.0.2.7", "http://127.0.0.1", {}),
        ("testclient", "http://127.0.0.1", {}),
        ("127.0.0.1", "http://evil.example", {}),
        ("127.0.0.1", "http://127.0.0.1", {"x-forwarded-for": "192.0.2.7"}),
        ("127.0.0.1", "http://127.0.0.1", {"forwarded": "for=192.0.2.7"}),
    ],
)
def test_the_mailbox_is_not_there_for_anybody_elsewhere(
    tmp_path: Path, host: str, url: str, headers: dict[str, str]
) -> None:
    deliver(tmp_path, "anna@example.com")
    stranger = client(installation(tmp_path), host=host, url=url)
    assert stranger.get("/mailbox", headers=headers).status_code == 404
    assert "/mailbox" not in stranger.get("/", headers=headers).text


@pytest.mark.parametrize(("host", "url"), [("127.0.0.1", "http://localhost:8400"), ("::1", "http://[::1]:8400")])
def test_the_mailbox_is_there_on_this_machine(tmp_path: Path, host: str, url: str) -> None:
    assert client(installation(tmp_path), host=host, url=url).get("/mailbox").status_code == 200


def test_there_is_no_mailbox_when_mail_goes_to_a_real_server(tmp_path: Path) -> None:
    deliver(tmp_path, "anna@example.com")
    settings = installation(tmp_path, ETAPPE_SMTP_URL="smtp://mail.example.com")
    assert client(settings).get("/mailbox").status_code == 404


def test_the_first_page_leads_to_the_mailbox_and_to_prefect(tmp_path: Path) -> None:
    first = client(installation(tmp_path), prefect_ui_url="http://127.0.0.1:4200").get("/").text
    assert 'href="/mailbox"' in first
    assert 'href="http://127.0.0.1:4200"' in first


def test_the_process_says_that_it_is_up_and_that_a_database_without_tables_is_not_ready(browser: TestClient) -> None:
    assert browser.get("/healthz").json() == {"status": "up"}
    answer = browser.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
