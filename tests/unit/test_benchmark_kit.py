"""What benchmarks share: medians are right, tables and plots say what was measured, and docs change only when asked."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.__main__ import SCRIPTS, main
from benchmarks.kit import report as reports
from benchmarks.kit.plot import exponent, log_log, whiskers
from benchmarks.kit.posting import Line, form_post, post_all, request
from benchmarks.kit.report import Report, numbers, reporting
from benchmarks.kit.spread import Spread, duration, percentile, spread, times

SVG = "{http://www.w3.org/2000/svg}"
SPANS = st.lists(st.floats(0.0001, 1000), min_size=1, max_size=300)


def test_a_spread_is_the_median_with_how_far_the_others_lie_from_it() -> None:
    assert spread([4, 1, 2]) == Spread(3, 2, 1, 4, 4)
    assert spread([4, 1, 2, 3]).median == 2.5


def test_the_99th_percentile_leaves_out_one_of_a_hundred_and_none_of_fewer() -> None:
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile(range(1, 201), 0.99) == 198
    assert percentile(range(1, 100), 0.99) == 99
    assert percentile(range(1, 102), 0.99) == 100


@given(SPANS, st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_this_share_does_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6
    assert sum(value < found for value in values) < share * len(values) + 1e-6


def test_nothing_measured_has_no_median() -> None:
    with pytest.raises(ValueError, match="nothing"):
        spread([])


def test_durations_bear_their_unit() -> None:
    assert [duration(span) for span in (0.00094, 0.0158, 0.9999, 1.0, 77.3)] == [
        "0.9 ms", "15.8 ms", "999.9 ms", "1.00 s", "77.30 s",
    ]  # fmt: skip


def test_a_small_ratio_is_not_rounded_to_nothing() -> None:
    assert [times(ratio) for ratio in (0.063, 1.5, 10.04)] == ["0.06", "1.50", "10.0"]


def test_a_table_is_printed_row_by_row_and_is_markdown_in_the_docs(capsys: pytest.CaptureFixture[str]) -> None:
    table = Report("name", "A title.").table("database", "gates", "a very long title")
    table.row("SQLite", "1,000", 3)
    header, row = capsys.readouterr().out.strip().splitlines()
    assert header.split() == ["database", "gates", "a", "very", "long", "title"]
    assert row.split() == ["SQLite", "1,000", "3"]
    assert len(header) == len(row)
    assert table.markdown().splitlines() == [
        "| database | gates | a very long title |",
        "| --- | ---: | ---: |",
        "| SQLite | 1,000 | 3 |",
    ]


def test_a_row_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells below 3 titles"):
        Report("name", "A title.").table("database", "gates", "due").row("SQLite", 1)


def test_spans_say_how_many_times_the_limit_they_are() -> None:
    report = Report("name", "A title.")
    spans = report.spans()
    limit = spans.row("a commit", [0.001, 0.002, 0.003])
    spans.row("a decision", [0.01, 0.02, 1.5], limit)
    written = report_text(report)
    assert "| a commit | 3 | 2.0 ms | 1.0 ms | 3.0 ms | 3.0 ms | – |" in written
    assert "| a decision | 3 | 20.0 ms | 10.0 ms | 1.50 s | 1.50 s | 10.0 |" in written


def report_text(report: Report) -> str:
    return "".join(table.markdown() for table in report.tables)


def test_a_report_is_written_with_its_sentences_tables_and_plot(tmp_path: Path) -> None:
    report = Report("decisions", "How long decisions take.\n\nMore about it.")
    report.say("First a sentence.")
    report.spans("SQLite").row("a decision", [0.01, 0.02])
    written = report.write(tmp_path).read_text("utf-8")
    assert written.startswith("# How long decisions take\n\n`benchmarks/decisions.py")
    assert written.index("First a sentence.") < written.index("| SQLite |") < written.index("](decisions.svg)")
    assert "load" in written
    ElementTree.fromstring((tmp_path / "decisions.svg").read_text("utf-8"))


def test_a_report_without_spans_has_no_plot(tmp_path: Path) -> None:
    Report("disk", "Disk.").write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["disk.md"]


@pytest.mark.parametrize(("words", "written"), [(["7"], False), (["7", "--write"], True)])
def test_docs_change_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], written: bool
) -> None:
    monkeypatch.setattr(sys, "argv", ["disk.py", *words])
    monkeypatch.setattr(reports, "FOLDER", tmp_path)
    with reporting("benchmarks/disk.py", "Disk.") as report:
        report.say("A sentence.")
    assert (tmp_path / "disk.md").exists() is written


def test_what_failed_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["disk.py", "--write"])
    monkeypatch.setattr(reports, "FOLDER", tmp_path)
    with pytest.raises(SystemExit), reporting("benchmarks/disk.py", "Disk."):
        raise SystemExit("three errors")
    assert not list(tmp_path.iterdir())


def test_numbers_that_are_left_out_are_the_usual_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["x.py", "10", "sqlite", "--write", "20"])
    assert numbers(1, 2, 3) == [10, 20, 3]
    assert numbers(1) == [10]


def test_whiskers_lie_where_the_axis_says() -> None:
    drawn = ElementTree.fromstring(whiskers({"fast": Spread(3, 0.01, 0.001, 0.1, 0.1), "a <slow> one": _slow()}))
    fast, slow = (float(dot.attrib["cx"]) for dot in drawn.iter(f"{SVG}circle"))
    lines = [line.attrib for line in drawn.iter(f"{SVG}line")]
    axis = {round(float(line["x1"])) for line in lines if line["stroke"] == "#dddddd"}
    assert {round(fast), round(slow)} <= axis  # 10 and 100 ms are powers of ten
    assert fast < slow
    whisker = next(line for line in lines if line["stroke"] != "#dddddd")
    assert float(whisker["x1"]) < fast < float(whisker["x2"])
    assert "a <slow> one" in [text.text for text in drawn.iter(f"{SVG}text")]


def _slow() -> Spread:
    return Spread(3, 0.1, 0.1, 1, 1)


def test_the_exponent_is_nought_for_what_is_flat_and_one_for_what_is_linear() -> None:
    assert exponent([(10, 5), (100, 5), (1000, 5)]) == pytest.approx(0)
    assert exponent([(10, 5), (100, 50), (1000, 500)]) == pytest.approx(1)
    ElementTree.fromstring(log_log({"SQLite": {"start": [(10, 5), (100, 50)]}}, "rollouts", "ms"))


class Answering(BaseHTTPRequestHandler):
    """Says yes to what is posted at /yes, no to what is posted elsewhere, and hangs up at /gone."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        given = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/gone":
            self.close_connection = True
            return
        said = b"<p>You said <b>" + given + b"</b></p>" + b" " * 100_000
        self.send_response(200 if self.path == "/yes" else 409)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a server that answers as above."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


def test_a_line_is_kept_for_many_questions(port: int) -> None:
    line = Line(port)
    answers = [line.ask(form_post("/yes", {"word": word})) for word in ("ja", "è")]
    line.close()
    assert [status for status, _ in answers] == [200, 200]
    assert [body.rstrip() for _, body in answers] == [
        b"<p>You said <b>word=ja</b></p>", b"<p>You said <b>word=%C3%A8</b></p>",
    ]  # fmt: skip


def test_an_answer_may_come_in_pieces() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        line = Line(0, ours)
        for piece in (
            b"HTTP/1.1 200 OK\r\nContent-Le",
            b"ngth: 4\r\n\r\nab",
            b"cdHTTP/1.1 404 No\r\ncontent-length: 0",
        ):
            theirs.sendall(piece)
            answer = line.hear()
        assert answer == (200, b"abcd")
        theirs.sendall(b"\r\n\r\n")
        assert line.hear() == (404, b"")


def test_every_post_is_counted_and_what_is_refused_is_shown(port: int) -> None:
    wanted = [form_post("/yes", {"n": str(number)}) for number in range(40)]
    posted = post_all([port], [*wanted, request("POST", "/no", b"hello"), *wanted], clients=4)
    assert posted.statuses == {200: 80, 409: 1}
    assert (posted.errors(), posted.unexpected) == (1, ["409 You said hello"])
    assert len(posted.seconds) == 81
    assert 0 < max(posted.seconds) <= posted.took
    assert posted.per_second == pytest.approx(81 / posted.took)
    with pytest.raises(SystemExit, match="409 You said hello"):
        posted.succeeded()


def test_a_line_that_breaks_is_an_error_and_the_client_goes_on(port: int) -> None:
    wanted = [request("POST", path, b"x") for path in ("/yes", "/gone", "/yes")]
    posted = post_all([port], wanted, clients=1)
    assert posted.statuses == {200: 2, 0: 1}
    assert posted.errors() == 1


def test_every_benchmark_is_run_by_make_bench() -> None:
    there = {path.stem for path in Path(reports.__file__).parents[1].glob("*.py")}
    apart = {"year", "compared"}  # a report with a target of its own, and what needs a package that is not ours
    assert set(SCRIPTS) == there - {"__init__", "__main__", *apart}


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bars", "stars"]) == 2
    assert main(["--wirte"]) == 2
    assert "usage" in capsys.readouterr().err
