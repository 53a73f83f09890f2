"""Prefect's server runs on a PostgreSQL of our own, keeps to this machine, and never refuses a burst of creates.

The first half is quick; the second starts the real server once for all its tests (about six seconds).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
import psycopg
import pytest

from tests.ports import free_port
from worker.parts import Crew
from worker.postgres import LONGEST_SOCKET_PATH, FolderNotOurs, Postgres
from worker.prefect_server import database, has_worker, is_healthy, prefect_environment, server_parts, worker_part

CHECKOUT = Path(__file__).resolve().parents[2]


class TestTheEnvironment:
    def test_everything_is_kept_below_the_home_and_on_this_machine(self, tmp_path: Path) -> None:
        environment = prefect_environment(tmp_path, 4207)
        assert environment["PREFECT_HOME"] == str(tmp_path / "prefect")
        assert environment["PREFECT_API_URL"] == "http://127.0.0.1:4207/api"
        assert environment["PREFECT_SERVER_API_HOST"] == "127.0.0.1"
        assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
        assert "PREFECT_API_AUTH_STRING" not in environment

    def test_credentials_are_given_to_the_server_and_to_its_clients(self, tmp_path: Path) -> None:
        environment = prefect_environment(tmp_path, 4207, credentials="ada:secret")
        assert environment["PREFECT_SERVER_API_AUTH_STRING"] == "ada:secret"
        assert environment["PREFECT_API_AUTH_STRING"] == "ada:secret"

    def test_prefect_knows_every_setting(self, tmp_path: Path) -> None:
        """A misspelt setting would be ignored without a word."""
        from prefect.settings.legacy import _get_settings_fields  # the only list of names that Prefect has
        from prefect.settings.models.root import Settings

        known = set(_get_settings_fields(Settings))
        ours = {name for name in prefect_environment(tmp_path, 4207, credentials="a:b") if name.startswith("PREFECT_")}
        assert ours <= known


class TestTheDatabase:
    def test_it_starts_again_with_what_it_held(self, tmp_path: Path) -> None:
        database = Postgres(tmp_path / "pg", "held")
        for expected in ([], [("kept",)]):
            with Crew(tmp_path / "logs") as crew:
                crew.start(database.part())
                with psycopg.connect(database.url()) as connection:
                    connection.execute("CREATE TABLE IF NOT EXISTS words (word text)")
                    assert connection.execute("SELECT word FROM words").fetchall() == expected
                    connection.execute("INSERT INTO words VALUES ('kept')")

    def test_one_that_outlived_its_crew_is_ended_by_the_next_start(self, tmp_path: Path) -> None:
        database = Postgres(tmp_path / "pg", "held")
        with Crew(tmp_path / "earlier") as earlier, Crew(tmp_path / "logs") as crew:
            earlier.start(database.part())
            crew.start(database.part())
            assert database.answers()
            assert earlier.failed() is not None

    def test_it_starts_again_at_once_after_everything_was_killed(self, tmp_path: Path) -> None:
        """Its own children notice a moment later, and hold the memory that the next one wants."""
        database = Postgres(tmp_path / "pg", "held")
        script = (
            "import os; from pathlib import Path; from worker.parts import Crew; from worker.postgres import Postgres\n"
            f"Crew(Path({str(tmp_path)!r})).start(Postgres(Path({str(tmp_path / 'pg')!r}), 'held').part())\n"
            "os._exit(0)"
        )
        subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, check=True)
        with Crew(tmp_path / "logs") as crew:
            crew.start(database.part())
            assert database.answers()

    def test_a_note_of_a_process_that_is_somebody_else_now_does_not_stop_it(self, tmp_path: Path) -> None:
        database = Postgres(tmp_path / "pg", "held")
        database.prepare()
        (database.data / "postmaster.pid").write_text(f"{os.getpid()}\n{database.data}\n1\n5432\n\n\n")
        with Crew(tmp_path / "logs") as crew:
            crew.start(database.part())

    def test_it_listens_to_no_network_and_shows_its_socket_to_nobody_else(self, tmp_path: Path) -> None:
        database = Postgres(tmp_path / "pg", "held")
        with Crew(tmp_path / "logs") as crew:
            crew.start(database.part())
            assert database.socket_folder.stat().st_mode & 0o077 == 0
            server = psutil.Process(int((database.data / "postmaster.pid").read_text().split()[0]))
            assert server.net_connections("tcp") == []

    def test_a_long_path_puts_the_socket_elsewhere(self, tmp_path: Path) -> None:
        database = Postgres(tmp_path / ("long" * 30) / "pg", "held")
        assert len(str(database.socket_folder / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH
        with Crew(tmp_path / "logs") as crew:
            crew.start(database.part())

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
    def test_a_folder_of_somebody_else_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "pg").mkdir()
        os.chown(tmp_path / "pg", 4711, 4711)
        with pytest.raises(FolderNotOurs, match="belongs to another user"):
            Postgres(tmp_path / "pg", "held").prepare()

    @pytest.mark.skipif(os.geteuid() != 0, reason="this is about being root")
    def test_as_root_it_runs_as_somebody_else_below_a_folder_that_only_root_may_enter(self, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        database = Postgres(closed / "pg", "held")
        with Crew(tmp_path / "logs") as crew:
            crew.start(database.part())
            number = int((database.data / "postmaster.pid").read_text().split()[0])
            assert psutil.Process(number).uids().effective != 0
        assert closed.stat().st_mode & 0o777 == 0o700


def test_sigterm_ends_prefects_program_as_ctrl_c_does() -> None:
    """Prefect's services take no notice of SIGTERM, and as the first process of a container would have to be killed."""
    waits = (
        "import asyncio; from worker.prefect_program import end_as_by_ctrl_c; end_as_by_ctrl_c()\n"
        "async def wait():\n"
        "    print('waiting', flush=True)\n"
        "    try: await asyncio.Event().wait()\n"
        "    finally: print('cancelled', flush=True)\n"
        "try: asyncio.run(wait())\n"
        "except KeyboardInterrupt: print('ended')"
    )
    with subprocess.Popen([sys.executable, "-c", waits], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "waiting\n"
        process.terminate()
        assert process.communicate(timeout=20)[0] == "cancelled\nended\n"
    assert process.returncode == 0


@dataclass(frozen=True)
class Server:
    home: Path
    port: int
    crew: Crew

    @property
    def api(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}/api", timeout=60, trust_env=False)

    def deployment(self) -> str:
        """A deployment that nobody works for; returns its id."""
        with self.api as api:
            flow = api.post("/flows/", json={"name": "rollout"}).json()["id"]
            return str(api.post("/deployments/", json={"name": "start", "flow_id": flow}).json()["id"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home, port = tmp_path_factory.mktemp("home"), free_port()
    with Crew(home / "logs") as crew:
        for part in server_parts(home, port):
            crew.start(part)
        yield Server(home, port, crew)
    assert not is_healthy(port)


def prepare(environment: dict[str, str]) -> None:
    """Run `python -m worker.prefect_database`."""
    subprocess.run(
        [sys.executable, "-m", "worker.prefect_database"],
        cwd=CHECKOUT, env=os.environ | environment, check=True, timeout=120, capture_output=True,
    )  # fmt: skip


def blocks(url: str) -> set[tuple[str, str]]:
    """The types of blocks in a database of Prefect's, with the checksums of their schemas."""
    with psycopg.connect(url) as connection:
        query = "SELECT slug, checksum FROM block_type JOIN block_schema ON block_type_id = block_type.id"
        return set(connection.execute(query).fetchall())


class TestTheServer:
    def test_forty_creates_at_once_are_all_accepted(self, server: Server) -> None:
        deployment = server.deployment()
        with server.api as api, ThreadPoolExecutor(40) as pool:
            answers = list(
                pool.map(lambda _: api.post(f"/deployments/{deployment}/create_flow_run", json={}), range(40))
            )
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 40

    def test_it_opens_the_pages_that_ask_no_analytics_service(self, server: Server) -> None:
        with server.api as api:
            settings = api.get(f"http://127.0.0.1:{server.port}/ui-settings").json()
            assert settings["default_ui"] == "v1"
            assert settings["api_url"] == f"http://127.0.0.1:{server.port}/api"
            assert api.get("/admin/settings").json()["server"]["analytics_enabled"] is False

    def test_a_page_from_elsewhere_may_not_call_it(self, server: Server) -> None:
        asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
        with server.api as api:
            answer = api.options("/flow_runs/filter", headers=asked)
        assert "access-control-allow-origin" not in answer.headers

    def test_a_database_that_was_prepared_has_the_blocks_that_a_server_registers(self, server: Server) -> None:
        """So that servers which are told to register none, as in deploy/, miss nothing."""
        mine = database(server.home).url()
        with psycopg.connect(mine, autocommit=True) as connection:
            connection.execute("CREATE DATABASE prepared")
        name, environment = "PREFECT_SERVER_DATABASE_CONNECTION_URL", prefect_environment(server.home, server.port)
        for _ in range(2):  # a second time, nothing is left to do
            prepare(environment | {name: environment[name].replace("/prefect?", "/prepared?")})
        registered = blocks(mine)
        assert blocks(mine.replace("/prefect?", "/prepared?")) == registered and len(registered) > 50

    def test_the_worker_is_ready_when_it_has_reported_to_its_pool(self, server: Server) -> None:
        before = datetime.now(UTC)
        assert not has_worker(server.port, since=before)
        server.crew.start(worker_part(server.home, server.port))
        assert has_worker(server.port, since=before)
        assert not has_worker(server.port, since=datetime.now(UTC) + timedelta(minutes=1))
        with server.api as api:
            assert api.get("/work_pools/etappe").json()["type"] == "warm"
        assert (server.home / "prefect" / "temporary" / "runner_storage").is_dir()
