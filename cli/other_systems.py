"""The checks of `etappe doctor` that look at other systems: keys, hosts, databases and chats that are named."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from cli.finding import Finding, ok, problem, warning
from domain import signatures
from domain.plan import CheckGate, Gate, MeasurementGate
from domain.reachable import is_public
from models.people import chats
from notifications.chat import is_usable
from plans.catalogue import Catalogue
from settings import Settings
from worker.asking import PORT, addresses_of
from worker.querying import NotRead, read

_KEYS, _HOSTS, _DATABASES, _CHAT = "check keys", "check hosts", "metric databases", "chat"


def other_systems(settings: Settings) -> Iterator[Finding]:
    """Look whether what is configured can be used, and whether all that plans name is configured."""
    gates = [(one.plan.name, gate) for one in Catalogue(settings.plan_folders).all() for stage in one.plan.stages
             for gate in stage.gates]  # fmt: skip
    yield from _keys(settings, gates)
    yield from _hosts(settings, gates)
    yield from _databases(settings, gates)
    yield from _channels(settings)


def _keys(settings: Settings, gates: list[tuple[str, Gate]]) -> Iterator[Finding]:
    broken = False
    for name, secret in settings.check_keys:
        try:
            signatures.key(secret)
        except ValueError as wrong:
            broken = True
            yield problem(_KEYS, f"the key “{name}” in ETAPPE_CHECK_KEYS {wrong}")
    known = {name for name, _ in settings.check_keys}
    wanted = [(plan, gate.signed_with) for plan, gate in gates if isinstance(gate, CheckGate) and gate.signed_with]
    missing = [(plan, name) for plan, name in wanted if name not in known]
    for plan, name in missing:
        yield problem(_KEYS, f"the plan {plan} names the key “{name}”; add {name}=whsec_... to ETAPPE_CHECK_KEYS")
    if known and not missing and not broken:
        yield ok(_KEYS, f"{', '.join(sorted(known))} can be used")


def _hosts(settings: Settings, gates: list[tuple[str, Gate]]) -> Iterator[Finding]:
    for plan, gate in gates:
        if isinstance(gate, CheckGate) and gate.asks:
            parts = urlsplit(gate.asks)
            yield _host(settings, plan, parts.hostname or "", parts.port or PORT)


def _host(settings: Settings, plan: str, host: str, port: int) -> Finding:
    try:
        near = [address for address in addresses_of(host, port) if not is_public(address)]
    except OSError:
        return warning(_HOSTS, f"the plan {plan} asks {host}, whose name is not known here")
    if near and host not in settings.check_hosts:
        advice = f"add {host} to ETAPPE_CHECK_HOSTS if that is meant"
        return problem(_HOSTS, f"the plan {plan} asks {host}, which has the private address {near[0]}; {advice}")
    return ok(_HOSTS, f"{host}, which the plan {plan} asks, may be asked")


def _databases(settings: Settings, gates: list[tuple[str, Gate]]) -> Iterator[Finding]:
    for name, address in settings.metric_databases:
        try:
            read(address, "SELECT 1 AS value")
        except NotRead as failure:
            yield problem(_DATABASES, f"“{name}” in ETAPPE_METRIC_DATABASES cannot be read: {failure}")
        else:
            yield ok(_DATABASES, f"{name} answers")
    known = {name for name, _ in settings.metric_databases}
    for plan, gate in gates:
        if isinstance(gate, MeasurementGate) and gate.queried and gate.queried.database not in known:
            name = gate.queried.database
            advice = f"add {name}=postgresql://... or {name}=sqlite:///... to ETAPPE_METRIC_DATABASES"
            yield problem(_DATABASES, f"the plan {plan} names the database “{name}”; {advice}")


def _channels(settings: Settings) -> Iterator[Finding]:
    usable = {name: is_usable(address) for name, address in settings.chat_urls}
    for name, can_be_used in usable.items():
        if can_be_used:
            yield ok(_CHAT, f"{name} can be used")
        else:
            yield problem(_CHAT, f"“{name}” in ETAPPE_CHAT_URLS is not an address that apprise knows")
    for loaded in Catalogue(settings.plan_folders).all():
        for name in loaded.plan.channels(*loaded.plan.stages):
            if name not in usable:
                advice = f"add {name}=slack://... or another address of apprise's to ETAPPE_CHAT_URLS"
                yield problem(_CHAT, f"the plan {loaded.plan.name} names the chat channel “{name}”; {advice}")


def chats_of_people(settings: Settings, session: Session) -> Iterator[Finding]:
    """Look whether the chats that people have in the directory can be used."""
    known = {name for name, _ in settings.chat_urls}
    for email, chat in session.execute(chats()):
        if "://" in chat and not is_usable(chat):
            yield problem(_CHAT, f"the address that {email} has in the directory is not one that apprise knows")
        elif "://" not in chat and chat not in known:
            yield problem(_CHAT, f"{email} has the chat “{chat}” in the directory; add it to ETAPPE_CHAT_URLS")
