"""TLS contexts that read their certificates late are the same contexts in every other way."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import certifi
import pytest

from worker.warm import tls


@pytest.fixture(autouse=True)
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssl, "create_default_context", ssl.create_default_context)
    tls.read_late()


def test_certificates_are_read_before_the_first_connection_and_not_before(tmp_path: Path) -> None:
    of_the_company = shutil.copy(certifi.where(), tmp_path / "company.pem")
    context, usual = ssl.create_default_context(cafile=of_the_company), tls._make(cafile=of_the_company)
    assert not context.get_ca_certs()
    for _ in range(2):
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="example.com")
    assert context.get_ca_certs() == usual.get_ca_certs() != []


def test_all_else_is_as_usual() -> None:
    context, usual = ssl.create_default_context(cafile=certifi.where()), tls._make(cafile=certifi.where())
    for name in ("check_hostname", "verify_mode", "verify_flags", "options", "minimum_version", "maximum_version"):
        assert getattr(context, name) == getattr(usual, name), name


def test_other_certificates_are_read_at_once() -> None:
    assert ssl.create_default_context(cadata=None, cafile=certifi.where()).get_ca_certs()
    assert type(ssl.create_default_context()) is ssl.SSLContext


def test_a_file_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises(FileNotFoundError):
        ssl.create_default_context(cafile="/nowhere/to/be/found.pem")
