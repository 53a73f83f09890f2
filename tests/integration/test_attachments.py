"""Attachments: kept once by their content, shown to everybody who is asked, downloads only, and pinned."""

from __future__ import annotations

import hashlib
import re
from io import BytesIO
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from domain.attachments import LARGEST, MOST
from domain.errors import EvidenceChanged, InvalidInput, NotAllowed, RolloutEnded, UnknownAttachment
from models.database import Database
from models.evidence import Attachment, Blob
from models.requests import Purpose, Request, RequestState
from operations.attach import NewFile, attach_file
from operations.list_attachments import list_attachments
from operations.record_decision import DecisionForm, record_decision
from operations.workspace import Actor
from settings import Settings
from tests.company import KEYS, REQUESTER, Company
from tests.integration.test_lapse import gate, plan, stage
from tests.integration.test_two_at_once import race
from tests.sample_plans import SIGN_OFF, one_gate
from web.app import create_app

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"
PINNED = plan(stage("one", gate("sign", more="pinned_to: [attachments]"), gate("style")), stage("two", gate("end")))
OFFER, NEWER = b"Offer: 12 500", b"Offer: 9 000"


@pytest.fixture
def company(db: Database) -> Company:
    """A company with a rollout under way."""
    company = Company(db)
    company.start(one_gate(SIGN_OFF), owner=DORA)
    return company


@pytest.fixture
def browser(company: Company, tmp_path: Path) -> TestClient:
    """A browser anywhere."""
    settings = Settings.from_environment({"ETAPPE_HOME": str(tmp_path), "ETAPPE_SECRET_KEYS": KEYS[0].decode()})
    return TestClient(create_app(settings, company.db, now=lambda: company.now), follow_redirects=False)


def count(db: Database, table: type[Attachment] | type[Blob]) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def link(company: Company, request: Request) -> str:
    return f"/decide/{company.token(request)}"


def to_respond(company: Company, person: str = DORA) -> Request:
    rows = company.requests(person, RequestState.OPEN)
    return next(row for row in rows if row.purpose is Purpose.RESPOND)


# Attaching and taking off


def test_a_file_is_attached_with_its_size_and_digest_and_stands_in_the_record(company: Company) -> None:
    assert company.attaches(OFFER, r"C:\offers\Offer.txt") == "Offer.txt"
    [one] = list_attachments(company.db, company.rollout_id)
    digest = hashlib.sha256(OFFER).hexdigest()
    assert (one["name"], one["size"], one["digest"], one["url"]) == ("Offer.txt", len(OFFER), digest, None)
    [entry] = company.entries("attachment.added")
    assert entry.facts == {"name": "Offer.txt", "digest": digest, "size": len(OFFER)}
    assert entry.actor == REQUESTER


def test_a_link_is_attached_by_its_address(company: Company) -> None:
    assert company.attaches("https://intranet.example.com/a/offer") == "offer"
    assert company.attaches("https://intranet.example.com/b/offer") == "offer (2)"
    assert company.attaches("https://intranet.example.com/a/offer") == "offer"
    assert company.attaches("https://intranet.example.com/c", "The offer") == "The offer"
    assert company.entries("attachment.added")[0].facts == {
        "name": "offer",
        "url": "https://intranet.example.com/a/offer",
    }
    assert company.attached() == ["The offer", "offer", "offer (2)"]


def test_the_same_bytes_are_kept_once_whatever_they_are_called_and_wherever(company: Company) -> None:
    company.attaches(OFFER, "Offer.txt")
    company.attaches(OFFER, "Copy.txt")
    company.start(one_gate(SIGN_OFF))
    company.attaches(OFFER, "Offer.txt")
    assert (count(company.db, Attachment), count(company.db, Blob)) == (3, 1)


def test_a_newer_file_of_the_same_name_takes_the_place_of_the_older_one(company: Company) -> None:
    company.attaches(OFFER, "Offer.txt")
    company.attaches(NEWER, "Offer.txt")
    [one] = list_attachments(company.db, company.rollout_id)
    assert one["digest"] == hashlib.sha256(NEWER).hexdigest()
    replaced = company.entries("attachment.added")[-1].facts["replaces"]
    assert replaced == {"name": "Offer.txt", "digest": hashlib.sha256(OFFER).hexdigest(), "size": len(OFFER)}


def test_the_same_file_again_changes_nothing(company: Company) -> None:
    for _ in range(3):
        company.attaches(OFFER, "Offer.txt")
    assert len(company.entries("attachment.added")) == 1


def test_taking_off_and_putting_back(company: Company) -> None:
    company.attaches(OFFER, "Offer.txt")
    company.detaches("Offer.txt")
    assert company.attached() == []
    assert company.entries("attachment.removed")[0].facts["name"] == "Offer.txt"
    company.attaches(OFFER, "Offer.txt")
    assert company.attached() == ["Offer.txt"]
    with pytest.raises(UnknownAttachment, match="did you mean"):
        company.detaches("Offer.tx")


def test_ten_megabytes_are_taken_and_one_byte_more_leaves_nothing_behind(company: Company) -> None:
    company.attaches(b"x" * LARGEST, "film.mp4")
    before = company.actions()
    with pytest.raises(InvalidInput, match="at most 10 MB"):
        company.attaches(b"x" * (LARGEST + 1), "longer film.mp4")
    assert company.actions() == before
    assert (count(company.db, Attachment), count(company.db, Blob)) == (1, 1)


def test_there_are_at_most_twenty(company: Company) -> None:
    for number in range(MOST):
        company.attaches(b"%d" % number, f"{number}.txt")
    with pytest.raises(InvalidInput, match="at most 20"):
        company.attaches(OFFER, "one more.txt")
    company.attaches(OFFER, "3.txt")
    company.detaches("4.txt")
    company.attaches(OFFER, "one more.txt")
    assert len(company.attached()) == MOST


def test_those_who_look_after_it_may_and_others_may_not(db: Database) -> None:
    company = Company(db)
    company.import_people(company.directory.replace("roles:", "roles:\n  administrator: [carla@example.com]", 1))
    owned = one_gate(SIGN_OFF).replace("title: Only stage\n", "title: Only stage\n    owner: finance-head\n")
    company.start(owned, owner=DORA)
    for person in (DORA, REQUESTER, EMIL, CARLA, "operator"):
        company.attaches(person.encode(), "Offer.txt", by=person)
        company.detaches("Offer.txt", by=person)
    company.attaches(OFFER, "Offer.txt")
    with pytest.raises(NotAllowed):
        company.attaches(NEWER, "Offer.txt", by=ANNA)
    with pytest.raises(NotAllowed):
        company.attaches("https://example.com", by="eve@example.com")
    with pytest.raises(NotAllowed):
        company.detaches("Offer.txt", by=ANNA)


def test_nothing_changes_once_the_rollout_has_ended(company: Company) -> None:
    company.attaches(OFFER, "Offer.txt")
    company.cancels()
    with pytest.raises(RolloutEnded):
        company.attaches(NEWER, "Offer.txt")
    with pytest.raises(RolloutEnded):
        company.detaches("Offer.txt")


def test_the_same_file_attached_to_two_rollouts_at_once_is_kept_once(db: Database) -> None:
    company = Company(db)
    rollouts = [company.start(one_gate(SIGN_OFF)) for _ in range(6)]

    def attaching(rollout_id: str) -> object:
        actor = Actor(REQUESTER, "command")
        return lambda: attach_file(db, KEYS, rollout_id, NewFile("Offer.txt", BytesIO(OFFER)), actor, company.now)

    came_back = race([attaching(rollout_id) for rollout_id in rollouts])  # type: ignore[misc]
    assert came_back == ["Offer.txt"] * 6
    assert (count(db, Attachment), count(db, Blob)) == (6, 1)


# What approvals are pinned to


def test_approvals_that_are_pinned_to_the_attachments_lapse_and_no_others(db: Database) -> None:
    company = Company(db)
    company.start(PINNED)
    company.attaches(OFFER, "Offer.txt")
    for request in company.requests(ANNA):
        company.decides(ANNA, request=request)
    company.attaches(NEWER, "Offer.txt")
    assert company.lapsed() == [(ANNA, "the attachments have changed: Offer.txt")]
    assert [entry.gate for entry in company.entries("decision.lapsed")] == ["sign"]


def test_taking_off_lets_them_lapse_too_and_putting_back_does_not_bring_them_back(db: Database) -> None:
    company = Company(db)
    company.start(PINNED)
    company.attaches(OFFER, "Offer.txt")
    company.decides(ANNA, request=company.requests(ANNA)[0])
    company.detaches("Offer.txt")
    company.attaches(OFFER, "Offer.txt")
    assert len(company.lapsed()) == 1
    assert ANNA in company.gate("sign")["waiting_for"]


def test_a_page_from_before_the_change_decides_nothing(company: Company) -> None:
    company.attaches(OFFER, "Offer.txt")
    request = company.asked(BEN)
    form = DecisionForm("approve", company.code(request), company.page(request).digest)
    company.attaches(NEWER, "Offer.txt")
    with pytest.raises(EvidenceChanged):
        record_decision(company.db, KEYS, company.token(request), form, company.now)


def test_the_page_names_the_file_that_has_changed(company: Company, browser: TestClient) -> None:
    company.attaches(OFFER, "Offer.txt")
    request = company.asked(BEN)
    html = browser.get(link(company, request)).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html))
    company.attaches(NEWER, "Offer.txt")
    typed = {**hidden, "decision": "approve", "code": company.code(request)}
    answer = browser.post(link(company, request), data=typed)
    assert answer.status_code == 409
    before, after = (hashlib.sha256(content).hexdigest()[:8] for content in (OFFER, NEWER))
    assert f"<del>Offer.txt (13 bytes, {before})</del>" in answer.text
    assert f"<ins>Offer.txt (12 bytes, {after})</ins>" in answer.text


# Downloads


def download_of(company: Company, browser: TestClient, person: str = BEN) -> str:
    html = browser.get(link(company, company.asked(person))).text
    [found] = re.findall(r'href="(/decide/[^"]+/files/\d+)"', html)
    return str(found)


@pytest.mark.parametrize("name", ["page.html", "picture.svg", "Übersicht.pdf"])
def test_a_file_is_a_download_whatever_it_holds(company: Company, browser: TestClient, name: str) -> None:
    content = b"<script>alert(1)</script>"
    company.attaches(content, name)
    answer = browser.get(download_of(company, browser))
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["etag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert answer.headers["cache-control"] == "no-store"


def test_head_tells_the_same_without_the_bytes_and_a_known_file_is_not_sent_again(
    company: Company, browser: TestClient
) -> None:
    company.attaches(OFFER, "Offer.txt")
    path = download_of(company, browser)
    head, get = browser.head(path), browser.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert dict(head.headers) == dict(get.headers)
    again = browser.get(path, headers={"if-none-match": get.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("number", ["0", "999999", "99999999999999999999", "x", "-1", "1.0", "²"])
def test_what_is_not_attached_is_not_there(company: Company, browser: TestClient, number: str) -> None:
    company.attaches("https://example.com/a")
    answer = browser.get(f"{link(company, company.asked(BEN))}/files/{number}")
    assert answer.status_code == 404


def test_a_link_of_another_rollout_does_not_reach_it(company: Company, browser: TestClient) -> None:
    company.attaches(OFFER, "Offer.txt")
    path = download_of(company, browser)
    company.start(one_gate(SIGN_OFF))
    other = link(company, company.asked(BEN))
    assert browser.get(f"{other}/files/{path.rpartition('/')[2]}").status_code == 404
    assert browser.get(f"/decide/{'A' * 43}/files/{path.rpartition('/')[2]}").status_code == 404


def test_what_was_taken_off_or_replaced_is_no_longer_there(company: Company, browser: TestClient) -> None:
    company.attaches(OFFER, "Offer.txt")
    path = download_of(company, browser)
    company.attaches(NEWER, "Offer.txt")
    assert browser.get(path).status_code == 404
    assert browser.get(download_of(company, browser)).content == NEWER


def test_a_link_that_was_renewed_no_longer_reaches_it(company: Company, browser: TestClient) -> None:
    company.attaches(OFFER, "Offer.txt")
    path, request = download_of(company, browser), company.asked(BEN)
    for _ in range(5):
        browser.post(link(company, request), data={"decision": "approve", "code": "0", "digest": "d"})
    assert browser.get(path).status_code == 410


# Uploading on the owner's page


def upload(company: Company, browser: TestClient, content: bytes, **typed: str) -> tuple[int, str]:
    request = to_respond(company)
    html = browser.get(link(company, request)).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html))
    fields = {**hidden, "reply": "Here it is.", "code": company.code(request), **typed}
    answer = browser.post(
        f"{link(company, request)}/respond", data=fields, files={"file": ("Offer.txt", content, "text/html")}
    )
    return answer.status_code, answer.text


def test_the_owner_attaches_a_file_and_a_link_and_takes_one_off_with_the_answer(
    company: Company, browser: TestClient
) -> None:
    company.attaches(b"old", "Old.txt")
    [old] = list_attachments(company.db, company.rollout_id)
    company.decides(ANNA, "request-changes")
    status, _ = upload(company, browser, OFFER, **{f"remove-{old['id']}": "yes", "link": "https://example.com/more"})
    assert status == 200
    assert company.attached() == ["Offer.txt", "more"]
    changed = company.page(company.asked(ANNA)).question.changed
    assert changed is not None
    assert [(bool(shift.before), bool(shift.after)) for shift in changed.changes] == [
        (True, False), (False, True), (False, True)]  # fmt: skip
    assert browser.get(download_of(company, browser)).content == OFFER


def test_an_upload_of_ten_megabytes_arrives_whole(company: Company, browser: TestClient) -> None:
    company.decides(ANNA, "request-changes")
    content = bytes(range(256)) * (LARGEST // 256)
    assert upload(company, browser, content)[0] == 200
    assert browser.get(download_of(company, browser)).content == content


def test_one_byte_more_is_refused_beside_its_field_and_nothing_is_kept(company: Company, browser: TestClient) -> None:
    company.decides(ANNA, "request-changes")
    status, html = upload(company, browser, b"x" * (LARGEST + 1), reply="My long answer", link="https://example.com/a")
    assert status == 422
    [error] = re.findall(r'id="error-file">([^<]+)<', html)
    assert "at most 10 MB" in error or "höchstens 10 MB" in error
    assert "My long answer</textarea>" in html
    assert company.attached() == []
    assert (count(company.db, Attachment), count(company.db, Blob)) == (0, 0)
    assert company.entries("changes.answered") == []


def test_a_wrong_code_keeps_nothing_of_the_file(company: Company, browser: TestClient) -> None:
    company.decides(ANNA, "request-changes")
    status, _ = upload(company, browser, OFFER, code="000000")
    assert status == 403
    assert (count(company.db, Attachment), count(company.db, Blob)) == (0, 0)
