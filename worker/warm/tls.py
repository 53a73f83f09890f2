"""TLS contexts that read their certificates when they are used first.

Prefect makes a context for each of its clients, several in each flow run, and each reads some 140 certificates, which
takes 18 ms and 0.7 MB, though Prefect is mostly asked over plain HTTP. They are certifi's, or those of the file that
`SSL_CERT_FILE` names.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from typing import Any

_make: Callable[..., ssl.SSLContext] = ssl.create_default_context


class _ReadsLate(ssl.SSLContext):
    """What `ssl.create_default_context(cafile=...)` returns, but for when it reads that file."""

    unread = ""

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        self._read()
        return super().wrap_socket(*arguments, **options)

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        self._read()
        return super().wrap_bio(*arguments, **options)

    def _read(self) -> None:
        if self.unread:
            self.load_verify_locations(cafile=self.unread)
            self.unread = ""


def read_late() -> None:
    """Have `ssl.create_default_context` make such contexts, where it is given a file of certificates and no more."""
    ssl.create_default_context = _create_default_context


def _create_default_context(*arguments: Any, **options: Any) -> ssl.SSLContext:
    if arguments or options.keys() != {"cafile"} or not os.path.isfile(options["cafile"] or ""):
        return _make(*arguments, **options)
    context = _ReadsLate(ssl.PROTOCOL_TLS_CLIENT)  # checks host names and certificates unless told otherwise
    context.unread = options["cafile"]
    if keys := os.environ.get("SSLKEYLOGFILE"):
        context.keylog_filename = keys
    return context
