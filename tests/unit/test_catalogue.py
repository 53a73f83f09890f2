"""The catalogue: plans are found by name, and one that cannot be used does not hide the others."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from domain.errors import InvalidPlan, UnknownPlan
from plans.catalogue import Catalogue
from tests.unit.plan_texts import GOOD, changed

BUNDLED = ["office-policy", "social-media-introduction"]


def write(folder: Path, name: str, text: str = GOOD) -> Path:
    """Write a plan file and return its path."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_bundled_plans_are_there() -> None:
    assert set(BUNDLED) <= set(Catalogue().names())
    assert Catalogue().broken() == []


def test_a_plan_comes_with_its_text_and_its_file(tmp_path: Path) -> None:
    path = write(tmp_path, "small.yaml")
    loaded = Catalogue([tmp_path]).load("small")
    assert (loaded.plan.name, loaded.source, loaded.path) == ("small", GOOD, path)
    assert loaded in Catalogue([tmp_path]).all()


def test_an_unknown_plan_names_the_nearest() -> None:
    with pytest.raises(UnknownPlan, match="“office-polcy”; did you mean “office-policy”"):
        Catalogue().load("office-polcy")


def test_a_name_that_is_a_path_is_unknown() -> None:
    with pytest.raises(UnknownPlan):
        Catalogue().load("people/sample")


def test_a_broken_plan_does_not_hide_the_others(tmp_path: Path) -> None:
    write(tmp_path, "small.yaml")
    write(tmp_path, "worse.yaml", changed("kind: review", "kind: dance"))
    catalogue = Catalogue([tmp_path])
    assert catalogue.names() == sorted([*Catalogue().names(), "small"])
    (broken,) = catalogue.broken()
    assert (broken.name, broken.problems[0].line) == ("worse", 19)
    with pytest.raises(InvalidPlan, match="dance"):
        catalogue.load("worse")


def test_two_files_of_one_name_are_named_both(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one", "small.yaml"), write(tmp_path / "two", "small.yaml")
    catalogue = Catalogue([tmp_path / "one", tmp_path / "two"])
    with pytest.raises(InvalidPlan) as caught:
        catalogue.load("small")
    assert str(one) in caught.value.sentence
    assert str(two) in caught.value.sentence
    assert "small" not in catalogue.names()
    assert [broken.paths for broken in catalogue.broken()] == [(one, two)]


def test_a_folder_named_twice_counts_once(tmp_path: Path) -> None:
    write(tmp_path, "small.yaml")
    assert Catalogue([tmp_path, tmp_path / ".." / tmp_path.name]).load("small")


def test_the_file_is_named_like_the_plan(tmp_path: Path) -> None:
    write(tmp_path, "other.yaml")
    with pytest.raises(InvalidPlan, match=r"“small” must be in a file called small\.yaml"):
        Catalogue([tmp_path]).load("other")


def test_a_folder_that_is_missing_is_listed_as_broken(tmp_path: Path) -> None:
    (broken,) = Catalogue([tmp_path / "nowhere"]).broken()
    assert broken.paths == (tmp_path / "nowhere",)
    assert "does not exist" in broken.problems[0].sentence


def test_people_files_are_not_plans(tmp_path: Path) -> None:
    write(tmp_path / "people", "sample.yaml", "people: []")
    assert Catalogue([tmp_path]).broken() == []


def test_a_file_is_read_once_in_a_process(tmp_path: Path) -> None:
    write(tmp_path, "small.yaml")
    assert Catalogue([tmp_path]).load("small").plan is Catalogue([tmp_path]).load("small").plan


def test_a_file_that_only_looks_unchanged_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path, "small.yaml")
    before = path.stat()
    assert Catalogue([tmp_path]).load("small").source == GOOD
    text = changed("Klein", "Fein ")
    time.sleep(0.02)  # the clock of file systems goes in steps of some milliseconds
    write(tmp_path, "small.yaml", text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert Catalogue([tmp_path]).load("small").source == text


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    catalogue = Catalogue([tmp_path])
    assert "small" not in catalogue.names()
    write(tmp_path, "small.yaml")
    assert catalogue.load("small").plan.title.de == "Klein"
    write(tmp_path, "small.yaml", changed("Klein", "Kleiner"))
    assert catalogue.load("small").plan.title.de == "Kleiner"


def test_a_file_that_cannot_be_read_is_listed_as_broken(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_bytes(b"\xff")
    (broken,) = Catalogue([tmp_path]).broken()
    assert "UTF-8" in broken.problems[0].sentence
