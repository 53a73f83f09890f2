"""The parts of a running Etappe as child processes: started in order, watched, ended in reverse order.

Who may start them, and what happens when somebody presses Ctrl-C, is worker/supervisor.py's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from io import BufferedWriter
from pathlib import Path
from types import TracebackType
from typing import Self

from domain.errors import EtappeError
from worker import leash
from worker.family import end_all, family
from worker.preloading import Fork, Preloaded, Process, is_possible

LOOK_EVERY = 0.05
LAST_LINES = 15
LARGEST_LOG = 5_000_000
LOCAL_ADDRESSES = "127.0.0.1,localhost,::1"


def _at_once() -> bool:
    return True


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Port:
    """A TCP port on 127.0.0.1 that a part wants, and the option that gives it another one."""

    number: int
    option: str


@dataclass(frozen=True)
class Part:
    """One child process.

    `environment` is added to the starter's own. `prepare` is called just before the start. `ready` is asked again and
    again until it says yes; a part that `finishes` is ready when it has ended with exit code 0, and the next one starts
    then. `beside`: it starts together with the part before it, instead of when that one is ready. `stop_signal` asks it
    to end, and after `stop_within` it is ended with all its descendants. `user` is whom it runs as when the starter is
    root; empty: root.

    `preload` names modules, and functions as `module:function`, that are imported and called before the part runs. One
    that names some is forked from a process that has done it for all parts, where that is possible; its `command` is
    `python … -m MODULE ARGUMENT…`.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] = _at_once
    ready_within: timedelta = timedelta(seconds=60)
    prepare: Callable[[], None] = _nothing
    finishes: bool = False
    beside: bool = False
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: timedelta = timedelta(seconds=10)
    ports: tuple[Port, ...] = ()
    user: str = ""
    preload: tuple[str, ...] = ()


class PartFailed(EtappeError):
    """A part did not start, or ended though nobody asked it to. `last_lines` are those of its log."""

    def __init__(self, part: Part, what: str, log: Path, last_lines: Sequence[str]) -> None:
        self.part, self.log, self.last_lines = part, log, list(last_lines)
        super().__init__(f"The {part.name} {what}; its log is {log}.")

    @property
    def report(self) -> str:
        """The sentence, and below it the last lines of the part's log."""
        return "\n".join([self.sentence, *(f"  | {line}" for line in self.last_lines)])


class Interrupted(Exception):
    """Somebody asked to stop while the parts were still coming up."""


@dataclass(frozen=True)
class _Running:
    part: Part
    child: Process
    log: Path
    log_began_at: int

    def last_lines(self) -> list[str]:
        with self.log.open("rb") as stream:
            stream.seek(max(self.log_began_at, self.log.stat().st_size - 20_000))
            return stream.read().decode(errors="replace").splitlines()[-LAST_LINES:]

    def failure(self, what: str) -> PartFailed:
        return PartFailed(self.part, what, self.log, self.last_lines())

    def has_failed(self) -> bool:
        """Whether it has ended though nobody asked it to; a part that finishes may end well at any moment."""
        code = self.child.poll()
        return code is not None and not (self.part.finishes and code == 0)

    def ended_unasked(self) -> PartFailed:
        code = self.child.wait()
        how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        return self.failure(f"ended unexpectedly ({how})")


class Crew:
    """The running parts; a context manager that ends them all, last started first."""

    def __init__(
        self,
        logs: Path,
        *,
        forking: Sequence[Part] = (),
        say: Callable[[str], None] = lambda text: None,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        """`forking` are the parts to come: those of them that `preload` something share it. `say` is given pieces of
        progress lines, line ends included; `interrupted` is asked while something is being waited for: a yes abandons
        a start, and shortens an end to a kill."""
        self._logs, self._say, self._interrupted = logs, say, interrupted
        self._running: list[_Running] = []
        self._in_a_hurry = False
        self._to_fork = [part for part in forking if part.preload] if is_possible() else []
        self._preloaded: Preloaded | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, *parts: Part) -> None:
        """Start parts beside each other and wait until each is ready. Raises PartFailed, Interrupted, or what a
        `prepare` refuses."""
        began, starting = time.monotonic(), list[_Running]()
        alone = len(parts) == 1
        self._say(f"{parts[0].name} … " if alone else "")
        try:
            self._begin_to_preload()
            for part in parts:
                part.prepare()
                starting.append(self._launch(part))
            for running in self._each_as_it_is_ready(starting, began):
                name = "" if alone else f"{running.part.name} … "
                how = "done" if running.part.finishes else "ready"
                self._say(f"{name}{how} ({time.monotonic() - began:.1f} s)\n")
        except OSError as error:
            self._say("\n" if alone else "")
            raise EtappeError(f"The {part.name} could not be started: {error}.") from error
        except (EtappeError, Interrupted):
            self._say("\n" if alone else "")
            raise

    def failed(self) -> PartFailed | None:
        """What to tell of the first part that has ended though nobody asked it to, if any."""
        return next((one.ended_unasked() for one in self._running if one.has_failed()), None)

    def pids(self) -> dict[str, int]:
        """The process of each part that runs, by the part's name; it may have children."""
        return {running.part.name: running.child.pid for running in self._running}

    def stop(self) -> None:
        """End every part, last started first, each with all its descendants."""
        self._end_preloading()
        while self._running:
            self._stop(self._running.pop())

    def _launch(self, part: Part) -> _Running:
        with self._log(part.name) as stream:
            began_at = stream.tell()
            child = self._forked(part, stream) or subprocess.Popen(
                leash.leashed(part.command, part.user),
                env=_environment(part),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            running = _Running(part, child, Path(stream.name), began_at)
        self._running.append(running)
        return running

    def _log(self, name: str) -> BufferedWriter:
        log = self._logs / f"{name.replace(' ', '-')}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > LARGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
        return log.open("ab")

    def _begin_to_preload(self) -> None:
        if self._to_fork and self._preloaded is None:
            names = list(dict.fromkeys(name for part in self._to_fork for name in part.preload))
            with self._log("preloaded") as stream:
                self._preloaded = Preloaded(names, _environment(self._to_fork[0]), stream)

    def _forked(self, part: Part, stream: BufferedWriter) -> Fork | None:
        """Have a part forked. None when it is to be started anew: it preloads nothing, or that has failed."""
        if self._preloaded is None or part not in self._to_fork:
            return None
        _, *command = part.command[part.command.index("-m") :]
        try:
            self._preloaded.ask(f"etappe {part.name}", command, _environment(part), stream)
            while not self._preloaded.answers(within=LOOK_EVERY):
                if self._interrupted():
                    raise Interrupted
            fork = self._preloaded.take()
        except OSError:  # why, it has written into its log
            self._to_fork = []
            fork = None
        else:
            self._to_fork.remove(part)
        self._end_preloading(unless=self._to_fork)
        return fork

    def _end_preloading(self, unless: object = None) -> None:
        if self._preloaded is not None and not unless:
            self._preloaded.close()
            self._preloaded = None

    def _each_as_it_is_ready(self, starting: list[_Running], began: float) -> Iterator[_Running]:
        while starting:
            for running in [one for one in starting if self._is_ready(one)]:
                starting.remove(running)
                yield running
            if self._interrupted():
                raise Interrupted
            for running in starting:
                within = running.part.ready_within.total_seconds()
                if time.monotonic() > began + within:
                    raise running.failure(f"was not ready within {within:g} seconds")
            if starting:
                time.sleep(LOOK_EVERY)

    def _is_ready(self, running: _Running) -> bool:
        """Whether it is ready by now. Raises PartFailed when any part has ended unasked."""
        if running.part.finishes and running.child.poll() == 0:
            self._running.remove(running)
            return True
        if (failure := self.failed()) is not None:
            raise failure
        return not running.part.finishes and running.part.ready()

    def _stop(self, running: _Running) -> None:
        descendants = family(running.child.pid)
        if running.child.poll() is None:
            running.child.send_signal(running.part.stop_signal)
            self._await_end(running)
            descendants = list({*descendants, *family(running.child.pid)})
        end_all(descendants)
        running.child.wait()

    def _await_end(self, running: _Running) -> None:
        deadline = time.monotonic() + running.part.stop_within.total_seconds()
        while running.child.poll() is None and time.monotonic() < deadline and not self._in_a_hurry:
            time.sleep(LOOK_EVERY)
            self._in_a_hurry = self._interrupted()


def _environment(part: Part) -> dict[str, str]:
    return {**os.environ, **_reaching_localhost(os.environ), **part.environment}


def _reaching_localhost(environment: Mapping[str, str]) -> dict[str, str]:
    """What keeps a company's proxy out of the talk between the parts."""
    return {
        name: ",".join(filter(None, [environment.get(name, ""), LOCAL_ADDRESSES])) for name in ("no_proxy", "NO_PROXY")
    }


def together(parts: Sequence[Part]) -> list[list[Part]]:
    """The parts in the order in which they start, those that start beside each other in one list."""
    groups: list[list[Part]] = []
    for part in parts:
        if part.beside and groups:
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups
