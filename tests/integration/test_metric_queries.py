"""Measurements that Etappe asks a database for: nothing is changed there, and what cannot be asked is said."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from domain.measurement import Value
from models.database import Database
from models.measurements import Measurement
from operations.chart import chart
from operations.installation import Installation
from settings import Settings
from tests.company import KEYS, MONDAY, REQUESTER, Company
from tests.integration.test_metric_sources import DORA, MEASURED
from tests.postgres import Postgres
from tests.sample_plans import one_gate
from worker.asker import Asker
from worker.querying import NotRead, read


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of somebody else's database, with a table of orders."""
    statements = ("CREATE TABLE orders (amount numeric(20, 4))", "INSERT INTO orders VALUES (12.5), (70.0001)")
    if request.param == "sqlite":
        file = tmp_path / "shop.db"
        with closing(sqlite3.connect(file)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
        yield f"sqlite:///{file}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        address = server.create()
        with psycopg.connect(address.replace("postgresql+psycopg", "postgresql")) as connection:
            for statement in statements:
                connection.execute(statement.encode())
        yield address


class TestReading:
    def test_one_row_with_its_names(self, shop: str) -> None:
        answer = read(shop, "SELECT max(amount) AS value, count(*) AS sample FROM orders")
        assert list(answer.columns) == ["value", "sample"]
        [(value, sample)] = answer.rows
        assert (Decimal(str(value)), sample) == (Decimal("70.0001"), 2)

    def test_a_with_and_a_percent_sign_and_a_comment(self, shop: str) -> None:
        query = "WITH big AS (SELECT * FROM orders WHERE '50%s' LIKE '%') SELECT count(*) AS value FROM big -- all"
        assert list(read(shop, query).rows) == [(2,)]

    def test_no_more_than_two_rows_are_read(self, shop: str) -> None:
        query = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS value FROM n"
        assert len(read(shop, query).rows) == 2

    @pytest.mark.parametrize(
        "query",
        [
            "DELETE FROM orders",
            "UPDATE orders SET amount = 0",
            "WITH gone AS (DELETE FROM orders RETURNING 1) SELECT count(*) AS value FROM gone",
            "SELECT 1 AS value) AS a; DELETE FROM orders; SELECT * FROM (SELECT 1",
            "SELECT 1 AS value; COMMIT; DELETE FROM orders",
            "SELECT 1 AS value INTO other",
        ],
    )
    def test_nothing_can_be_changed(self, shop: str, query: str) -> None:
        with pytest.raises(NotRead):
            read(shop, query)
        assert list(read(shop, "SELECT count(*) AS value FROM orders WHERE amount > 0").rows) == [(2,)]

    def test_what_takes_too_long_is_ended(self, shop: str) -> None:
        query = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS value FROM n"
        with pytest.raises(NotRead, match="it took too long"):
            read(shop, query, seconds=0.5)

    def test_a_mistake_in_the_query_is_said(self, shop: str) -> None:
        with pytest.raises(NotRead, match="orderz"):
            read(shop, "SELECT 1 AS value FROM orderz")


def test_a_function_that_writes_is_refused_by_the_transaction(postgres: Postgres) -> None:
    address = postgres.create()
    with psycopg.connect(address.replace("postgresql+psycopg", "postgresql")) as connection:
        connection.execute("CREATE TABLE seen (i int)")
        connection.execute(
            "CREATE FUNCTION see() RETURNS int LANGUAGE sql AS 'INSERT INTO seen VALUES (1) RETURNING i'"
        )
    with pytest.raises(NotRead, match="read-only transaction"):
        read(address, "SELECT see() AS value")
    with pytest.raises(NotRead, match="transaction read-write mode"):
        read(address, "SELECT set_config('transaction_read_only', 'off', false) AS value, see() AS sample")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nonsense",
        "mysql://user:secret@host/name",
        "postgresql://anna:secret@127.0.0.1:9/shop",
        "sqlite:////no/such.db",
    ],
)
def test_a_database_that_cannot_be_used_is_said_without_its_password(address: str) -> None:
    with pytest.raises(NotRead) as failure:
        read(address, "SELECT 1 AS value", seconds=2)
    assert "secret" not in str(failure.value)


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotRead):
        read(f"sqlite:///{tmp_path / 'none.db'}", "SELECT 1 AS value")
    assert list(tmp_path.iterdir()) == []


class TestQueries:
    """A gate whose value Etappe asks a database for."""

    QUERY = "SELECT max(amount) AS value, count(*) AS sample, max(placed_at) AS measured_at FROM orders"

    def plan(self, query: str = QUERY, more: str = "") -> str:
        queried = f'queried: {{database: shop, query: "{query}", every: every 1 hour}}'
        return one_gate(f"{MEASURED}, {queried}{more}")

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        """The shop's database."""
        file = tmp_path / "shop.db"
        self.execute(file, "CREATE TABLE orders (amount, placed_at)")
        return file

    @pytest.fixture
    def company(self, db: Database) -> Company:
        """A company with people in it."""
        return Company(db)

    @pytest.fixture
    def asker(self, company: Company, file: Path, tmp_path: Path) -> Iterator[Asker]:
        """Whoever looks after the gates of that company."""
        given = {
            "ETAPPE_HOME": str(tmp_path),
            "ETAPPE_DATABASE_URL": company.db.url,
            "ETAPPE_SECRET_KEYS": KEYS[0].decode(),
            "ETAPPE_METRIC_DATABASES": f"other=sqlite:///x, shop=sqlite:///{file}",
        }
        installation = Installation(Settings.from_environment(given))
        yield Asker(installation, lambda: company.now)
        installation.db.close()

    def execute(self, file: Path, statement: str) -> None:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(statement)
            connection.commit()

    def order(self, file: Path, amount: str, placed_at: datetime) -> None:
        self.execute(file, f"INSERT INTO orders VALUES ({amount}, '{placed_at:%Y-%m-%d %H:%M:%S}')")

    def values(self, company: Company) -> list[tuple[Decimal, int | None, datetime, str]]:
        with company.db.read() as session:
            rows = session.scalars(select(Measurement).order_by(Measurement.id)).all()
        return [(row.value, row.sample, row.measured_at, row.reported_by) for row in rows]

    def test_nobody_is_asked_and_the_value_settles_the_gate(self, company: Company, asker: Asker, file: Path) -> None:
        self.order(file, "70.0000000001", MONDAY - timedelta(hours=1))
        company.start(self.plan())
        assert company.messages("request") == []
        assert asker.look() == 1
        assert company.state == "completed"
        assert self.values(company) == [(Decimal("70.0000000001"), 1, MONDAY - timedelta(hours=1), "query:shop")]

    def test_a_value_below_the_target_holds(self, company: Company, asker: Asker, file: Path) -> None:
        self.order(file, "12", MONDAY)
        company.start(self.plan())
        asker.look()
        assert (company.state, asker.look()) == ("held", 0)

    def test_the_same_value_of_the_same_moment_is_recorded_once(
        self, company: Company, asker: Asker, file: Path
    ) -> None:
        self.order(file, "80", MONDAY)
        company.start(self.plan(more=", minimum_sample: 2"))
        for _ in range(3):
            assert asker.look() == 1
            company.later(hours=1)
        assert len(self.values(company)) == 1
        self.order(file, "80", company.now)
        asker.look()
        assert (company.state, len(self.values(company))) == ("completed", 2)

    def test_no_value_yet_is_no_error(self, company: Company, asker: Asker) -> None:
        company.start(self.plan())
        asker.look()
        assert company.gate()["waits"] == [
            "No value has been measured yet.",
            "The database “shop” is asked on Monday, 2 March 2026, 11:00.",
            "The database “shop” has no value yet.",
        ]
        assert company.entries("query.failed") == []

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("SELECT 1 AS value FROM orderz", "orderz"),
            ("SELECT 1 AS valeu", "no column called “value”"),
            ("SELECT 1 AS value, 2 AS other", "the column “other”"),
            ("SELECT 'many' AS value", "not a number"),
            ("SELECT 9e999 AS value", "not a number"),
            ("SELECT 1 AS value WHERE 1 = 0", "no row"),
            ("SELECT 1 AS value UNION SELECT 2", "more than one row"),
            ("SELECT 1 AS value, 1.5 AS sample", "the sample is not a whole number"),
            ("SELECT 1 AS value, -1 AS sample", "the sample is not a whole number"),
            ("SELECT 1 AS value, 'noon' AS measured_at", "measured_at is no moment"),
            ("SELECT 1 AS value, '2036-01-01' AS measured_at", "dated in the future"),
        ],
    )
    def test_a_problem_is_noted_and_told_once_and_asked_again(
        self, company: Company, asker: Asker, query: str, words: str
    ) -> None:
        company.start(self.plan(query))
        for _ in range(3):
            assert (asker.look(), asker.look()) == (1, 0)
            company.later(hours=1)
        assert company.gate()["state"] == "open"
        assert words in company.gate()["waits"][-1]
        [entry] = company.entries("query.failed")
        assert (entry.actor, words in entry.comment) == ("query:shop", True)
        assert company.headlines(REQUESTER).count("No value could be read for “The gate”") == 1

    def test_a_problem_that_comes_back_is_told_again(self, company: Company, asker: Asker, file: Path) -> None:
        company.start(self.plan())
        for statement in ("ALTER TABLE orders RENAME TO old", "ALTER TABLE old RENAME TO orders",
                          "ALTER TABLE orders RENAME TO old"):  # fmt: skip
            self.execute(file, statement)
            asker.look()
            company.later(hours=1)
        assert len(company.entries("query.failed")) == 2

    def test_a_database_that_is_not_configured_is_said(self, company: Company, asker: Asker) -> None:
        company.start(self.plan().replace("database: shop", "database: till"))
        asker.look()
        assert "“till” is not named in ETAPPE_METRIC_DATABASES" in company.gate()["waits"][-1]

    def test_meanwhile_a_value_can_be_given_by_hand(self, company: Company, asker: Asker) -> None:
        company.start(self.plan("SELECT 1 AS value FROM orderz"))
        asker.look()
        company.measures("hits", "90")
        assert company.state == "completed"

    def test_an_escalation_asks_for_a_value_by_hand(self, company: Company, asker: Asker) -> None:
        company.start(self.plan("SELECT 1 AS value FROM orderz", ", escalate: [{after: 1 day, to: finance}]"))
        company.later(days=1)
        company.checks()
        assert company.page(company.asked(DORA)).question.metric == "hits"

    def test_it_holds_for_a_time_by_what_is_read_again_and_again(
        self, company: Company, asker: Asker, file: Path
    ) -> None:
        company.start(self.plan("SELECT 80 AS value", ", holds_for: 3 hours"))
        for _ in range(3):
            asker.look()
            assert company.gate()["state"] == "open"
            company.later(hours=1)
        asker.look()
        assert company.state == "completed"
        assert len(self.values(company)) == 4

    def test_prefects_page_is_painted_again_when_what_it_waits_for_changes(
        self, company: Company, asker: Asker, file: Path
    ) -> None:
        company.start(self.plan(), flow_run_id="5f2b6d0e-0000-4000-8000-000000000001")
        asker.look()
        shown = chart(company.db, company.rollout_id, company.now)
        assert shown is not None
        assert shown.shown < shown.sequence
        assert len(shown.gates[0].waits) == 3


def test_times_without_a_zone_are_utc(tmp_path: Path) -> None:
    from domain.queried import Answer, read_answer

    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    value = read_answer(Answer(["VALUE", "measured_at"], [(1.1, "2026-03-02T08:00:00")]), now)
    assert value == Value(Decimal("1.1"), None, now - timedelta(hours=1))
