"""Finding plans by name: the bundled ones, and those in the folders that the operator has named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from domain.errors import InvalidPlan, Problem, UnknownPlan
from domain.nearest import suggestion
from domain.plan import Plan
from plans.reading import read_plan

BUNDLED = Path(__file__).parent
MOST_READ = 256
"""How many plans a process keeps at most, older versions of them included."""


@dataclass(frozen=True)
class LoadedPlan:
    """A plan, the text it was read from, and the file that holds it."""

    plan: Plan
    source: str
    path: Path


@dataclass(frozen=True)
class BrokenPlan:
    """A plan that cannot be used, and why. `paths` are several when files contend for one name."""

    name: str
    paths: tuple[Path, ...]
    problems: tuple[Problem, ...]


class Catalogue:
    """The plans in the bundled folder and in `folders`; the files are looked at anew each time, and read when changed:
    each once in a process, since reading a plan takes longer than starting a rollout.

    A folder's *.yaml files are plans, each named like its plan; what lies deeper (people/) is not looked at.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = list(dict.fromkeys(folder.resolve() for folder in (BUNDLED, *folders)))

    def names(self) -> list[str]:
        """Return the names of the plans that can be used, sorted."""
        return [loaded.plan.name for loaded in self.all()]

    def all(self) -> list[LoadedPlan]:
        """Return the plans that can be used, sorted by name."""
        return [found for found in self._everything() if isinstance(found, LoadedPlan)]

    def broken(self) -> list[BrokenPlan]:
        """Return what looks like a plan and cannot be used, sorted by name."""
        return [found for found in self._everything() if isinstance(found, BrokenPlan)]

    def load(self, name: str) -> LoadedPlan:
        """Return the plan of this name. Raises UnknownPlan, or InvalidPlan with everything that is wrong with it."""
        found = self._named(name)
        if found is None:
            raise UnknownPlan(f"There is no plan called “{name}”{suggestion(name, self.names())}")
        if isinstance(found, BrokenPlan):
            raise InvalidPlan(", ".join(map(str, found.paths)), found.problems)
        return found

    def _everything(self) -> Iterator[LoadedPlan | BrokenPlan]:
        for name in sorted({path.stem for path in self._files()}):
            if found := self._named(name):
                yield found
        for folder in self._folders:
            if not folder.is_dir():
                yield _broken(folder.name, [folder], "this folder of plans does not exist; make it, or take it out")

    def _named(self, name: str) -> LoadedPlan | BrokenPlan | None:
        paths = [path for path in self._files() if path.stem == name]
        if len(paths) > 1:
            both = " and ".join(map(str, paths))
            return _broken(name, paths, f"the plan “{name}” is in two files, {both}; rename or remove one")
        return self._one(paths[0]) if paths else None

    def _files(self) -> list[Path]:
        return [path for folder in self._folders for path in sorted(folder.glob("*.yaml")) if path.is_file()]

    def _one(self, path: Path) -> LoadedPlan | BrokenPlan:
        facts = path.stat()
        return _read(path, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size)


@lru_cache(MOST_READ)
def _read(path: Path, *facts: int) -> LoadedPlan | BrokenPlan:
    """Read a plan's file, unless that was done when the same was known of it: when it was written or changed in any
    way, its permissions included, and how long it is."""
    try:
        content = path.read_bytes()
        plan = read_plan(content, path.name)
    except OSError as error:
        return _broken(path.stem, [path], f"the file cannot be read: {error.strerror}")
    except InvalidPlan as error:
        return BrokenPlan(path.stem, (path,), tuple(error.problems))
    if plan.name != path.stem:
        sentence = f"the plan “{plan.name}” must be in a file called {plan.name}.yaml, not {path.name}; rename one"
        return _broken(path.stem, [path], sentence)
    return LoadedPlan(plan, content.decode("utf-8-sig"), path)


def _broken(name: str, paths: Sequence[Path], sentence: str) -> BrokenPlan:
    return BrokenPlan(name, tuple(paths), (Problem(1, 1, "", sentence),))
