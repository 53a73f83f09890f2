"""The checks of `etappe doctor`: each looks at one thing and says what it found, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from importlib.metadata import version as version_of
from urllib.parse import urlsplit

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from cli.finding import Finding
from cli.finding import ok as _ok
from cli.finding import problem as _problem
from cli.finding import warning as _warning
from cli.opening import connected, is_missing, require_current
from cli.other_systems import chats_of_people, other_systems
from cli.parts import is_healthy
from cli.printing import moment, now_utc, plural, span
from cli.smtp import trouble_with
from domain.errors import EtappeError
from domain.lateness import MAIL_MAY_WAIT
from domain.plan import RunGate
from models.gates import rollouts_with_unaskable_gates
from models.outbox import Message, MessageState, message_counts
from models.people import calendars_with_a_problem, people_present
from operations.check_health import check_health
from plans.catalogue import Catalogue
from settings import Settings
from worker.prefect_facts import LOOPBACK, PrefectFacts

WORKER_MAY_BE_SILENT = timedelta(seconds=90)
SHORTEST_SECRET = 32
DEPLOYMENTS = ("rollout/start", "check-stalled/scheduled")


def check_up(settings: Settings, prefect: PrefectFacts) -> list[Finding]:
    """Do every check. Nothing is changed or created."""
    return [
        *_secret(settings),
        *_base_url(settings),
        *_plans(settings),
        *other_systems(settings),
        *_smtp(settings),
        *_prefect(settings, prefect),
        *_database(settings),
    ]


def _secret(settings: Settings) -> Iterator[Finding]:
    path = settings.home / "secret-key"
    if settings.given_secret_keys:
        short = any(len(key) < SHORTEST_SECRET for key in settings.given_secret_keys)
        advice = f"a key in ETAPPE_SECRET_KEYS is shorter than {SHORTEST_SECRET} characters; make it longer"
        yield _warning("secret", advice) if short else _ok("secret", "given by ETAPPE_SECRET_KEYS")
    elif not path.exists():
        yield _warning("secret", f"{path} does not exist yet; it is made on the first start")
    elif (mode := path.stat().st_mode & 0o777) & 0o077:
        yield _problem("secret", f"others may read {path} (mode {mode:04o}); run: chmod 600 {path}")
    else:
        yield _ok("secret", f"{path} is readable by its owner alone")


def _base_url(settings: Settings) -> Iterator[Finding]:
    url = urlsplit(settings.base_url)
    if url.scheme not in ("http", "https") or not url.hostname:
        yield _problem("base URL", f"ETAPPE_BASE_URL is {settings.base_url}; write it like https://etappe.example.com")
        return
    if url.hostname in LOOPBACK:
        advice = "opens on this machine only; set ETAPPE_BASE_URL to an address that people's phones reach"
        yield _warning("base URL", f"{settings.base_url} {advice}")
    elif url.scheme == "http":
        yield _warning(
            "base URL", f"{settings.base_url} is not encrypted; links and codes travel in the open, use https"
        )
    else:
        yield _ok("base URL", settings.base_url)
    if is_healthy(settings.base_url):
        yield _ok("pages", f"answer at {settings.base_url}")
    else:
        yield _problem("pages", f"do not answer at {settings.base_url}; run `etappe start` or `etappe web`")


def _plans(settings: Settings) -> Iterator[Finding]:
    catalogue = Catalogue(settings.plan_folders)
    for broken in catalogue.broken():
        yield _problem("plans", f"{broken.paths[0]}: {broken.problems[0]}")
    yield _ok("plans", f"{', '.join(catalogue.names())} can be used")


def _smtp(settings: Settings) -> Iterator[Finding]:
    trouble = trouble_with(settings.smtp_url)
    yield _problem("mail", f"{trouble}; mails wait meanwhile") if trouble else _ok("mail", "the mail server answers")


def _prefect(settings: Settings, prefect: PrefectFacts) -> Iterator[Finding]:
    if not prefect.answers():
        advice = "run `etappe start`, or set PREFECT_API_URL; decisions and mails go on meanwhile"
        yield _problem("Prefect", f"does not answer at {prefect.url}; {advice}")
        return
    for check in (_prefect_version, _prefect_lock, _deployments, partial(_started_by_plans, settings), _worker):
        try:
            yield from check(prefect)
        except (OSError, ValueError, KeyError) as failure:
            advice = "if it wants credentials, set PREFECT_API_AUTH_STRING"
            yield _problem("Prefect", f"{prefect.url} does not say what it is asked ({failure}); {advice}")
            return


def _prefect_version(prefect: PrefectFacts) -> Iterator[Finding]:
    theirs, ours = prefect.version(), version_of("prefect")
    if theirs == ours:
        yield _ok("Prefect", f"{theirs} answers at {prefect.url}")
    else:
        yield _warning("Prefect", f"the server is {theirs}, Etappe was made for {ours}; run the same version")


def _prefect_lock(prefect: PrefectFacts) -> Iterator[Finding]:
    if not prefect.is_open_to_everybody():
        yield _ok("Prefect's API", "asks for credentials")
    elif prefect.is_local:
        yield _ok("Prefect's API", "has no authentication, and is reached from this machine only")
    else:
        advice = "bind it to 127.0.0.1, or set PREFECT_SERVER_API_AUTH_STRING"
        yield _problem("Prefect's API", f"{prefect.url} lets anybody in; {advice}")


def _deployments(prefect: PrefectFacts) -> Iterator[Finding]:
    missing = [name for name in DEPLOYMENTS if prefect.deployment_id(name) is None]
    if missing:
        yield _problem("deployments", f"{' and '.join(missing)} not registered; run `etappe deploy`")
    else:
        yield _ok("deployments", f"{' and '.join(DEPLOYMENTS)} are registered")


def _started_by_plans(settings: Settings, prefect: PrefectFacts) -> Iterator[Finding]:
    """The deployments that the plans' gates start; a gate waits until its deployment is there."""
    for loaded in Catalogue(settings.plan_folders).all():
        gates = [gate for stage in loaded.plan.stages for gate in stage.gates if isinstance(gate, RunGate)]
        for name in dict.fromkeys(gate.deployment for gate in gates):
            if not prefect.deployment_id(name):
                advice = f"the plan {loaded.plan.name} starts {name}, which Prefect does not have; deploy it"
                yield _warning("flow runs", advice)


def _worker(prefect: PrefectFacts) -> Iterator[Finding]:
    seen = prefect.last_heartbeat()
    if seen is None:
        yield _problem("worker", "none has ever reported; run `etappe worker`")
    elif now_utc() - seen > WORKER_MAY_BE_SILENT:
        yield _problem("worker", f"none has reported since {moment(seen)}; run `etappe worker`")
    else:
        yield _ok("worker", f"reported {span(now_utc() - seen)} ago")


def _database(settings: Settings) -> Iterator[Finding]:
    if is_missing(settings):
        yield _problem("database", "has not been set up; run `etappe start` or `etappe migrate`")
        return
    try:
        with connected(settings) as db:
            require_current(db)
            yield _ok("database", f"{'SQLite' if db.is_sqlite else 'PostgreSQL'} answers and is up to date")
            with db.read() as session:
                in_chat = partial(chats_of_people, settings)
                for check in (_people, in_chat, _calendars, _messages, _dead_letters, _last_check, _unaskable):
                    yield from check(session)
    except EtappeError as refusal:
        yield _problem("database", refusal.sentence)


def _people(session: Session) -> Iterator[Finding]:
    count = len(session.scalars(people_present()).all())
    if count:
        yield _ok("people", f"{plural(count, 'person', 'people')} in the directory")
    else:
        yield _problem("people", "nobody is in the directory; run `etappe people import FILE`")


def _calendars(session: Session) -> Iterator[Finding]:
    for person in session.scalars(calendars_with_a_problem()):
        why = f"the calendar of {person.email}, which says when they are away, could not be read"
        advice = f"name another one with etappe people calendar {person.email} URL, or --none"
        yield _warning("calendars", f"{why}: {person.calendar_problem}; {advice}")


def _messages(session: Session) -> Iterator[Finding]:
    wanted_at = func.coalesce(Message.wanted_at, Message.created_at)  # what is held for a morning does not wait yet
    pending = and_(Message.state == MessageState.PENDING, wanted_at <= now_utc())
    oldest = session.scalars(select(Message).where(pending).order_by(wanted_at).limit(1)).first()
    if oldest is None:
        yield _ok("messages", "none is waiting")
        return
    count = session.scalar(select(func.count()).select_from(Message).where(pending)) or 0
    age = now_utc() - (oldest.wanted_at or oldest.created_at)
    waiting = f"{plural(count, 'message')} waiting, the oldest for {span(age)}"
    if age <= MAIL_MAY_WAIT:
        yield _ok("messages", waiting)
    else:
        why = (
            f"the last try said: {oldest.last_error}" if oldest.last_error else "run `etappe relay`, or `etappe start`"
        )
        yield _problem("messages", f"{waiting}; {why}")


def _dead_letters(session: Session) -> Iterator[Finding]:
    counts = {str(state): count for state, count in session.execute(message_counts())}
    dead = counts.get(MessageState.DEAD, 0)
    if dead:
        yield _warning(
            "dead letters", f"{plural(dead, 'message')} refused for good; the owners of the rollouts were told"
        )
    else:
        yield _ok("dead letters", "none")


def _last_check(session: Session) -> Iterator[Finding]:
    health = check_health(session, now_utc())
    died = f"; {plural(health.unfinished, 'run')} begun since and not finished" if health.unfinished else ""
    if health.finished_at is None:
        said = f"the scheduled check has not run yet{died}; it runs every 15 minutes, or: etappe check-stalled"
        yield (_problem if health.late else _warning)("last check", said)
        return
    said = f"{span(now_utc() - health.finished_at)} ago{died}"
    late = f"{said}; is the worker running, and the schedule of check-stalled/scheduled on? Or: etappe check-stalled"
    yield _problem("last check", late) if health.late else _ok("last check", said)


def _unaskable(session: Session) -> Iterator[Finding]:
    stuck = sorted(set(session.scalars(rollouts_with_unaskable_gates())))
    if stuck:
        yield _warning("stuck gates", f"nobody can be asked in {', '.join(stuck)}; see etappe rollout show {stuck[0]}")
    else:
        yield _ok("stuck gates", "none")
