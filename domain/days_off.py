"""The holidays that a calendar counts, as people write them: CH, CH-ZH, DE-BY+catholic.

A country of the package `holidays`, perhaps one of its parts, and perhaps categories of its holidays beside the public
ones, which always count. Weekends are as they are in that country.
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from functools import lru_cache
from types import ModuleType
from typing import Any

from domain.nearest import instead_of

_ALWAYS = "public"
"""The category that counts whatever is written."""


@lru_cache(maxsize=1024)
def in_year(name: str, year: int) -> frozenset[date]:
    """Return the weekends and holidays of a year.

    A whole year at once, from a calendar of its own: those of `holidays` fill up while they are read, and two threads
    that share one can miss a holiday.
    """
    country, subdivision, categories = _parts(name)
    wanted = (_ALWAYS, *categories)
    known = _package().country_holidays(country, subdiv=subdivision or None, years=year, categories=wanted)
    first, length = date(year, 1, 1), (date(year, 12, 31) - date(year, 1, 1)).days + 1
    days = (first + timedelta(days=number) for number in range(length))
    return frozenset(day for day in days if not known.is_working_day(day))


def problems(name: str) -> list[str]:
    """Return a sentence for what is unknown in a name, with what to write instead; empty when all of it is known."""
    place = name.partition("+")[0]
    country, subdivision, categories = _parts(name)
    if country not in _known():
        return [f"“{country}” is not a country whose holidays are known; {instead_of(place, _names(), 'CH-ZH')}."]
    if "-" in place and subdivision not in _known()[country]:
        ours = [known for known in _names() if known.startswith(f"{country}-")]
        return [
            f"“{country}” has no part “{subdivision}” whose holidays are known; {instead_of(place, ours, country)}."
        ]
    further = _categories(country)
    return [
        f"“{category}” is not a category of holidays of {country}; {_one_of(further)}."
        for category in categories
        if category not in further
    ]


def _parts(name: str) -> tuple[str, str, list[str]]:
    place, *categories = name.split("+")
    country, _, subdivision = place.partition("-")
    return country, subdivision, categories


def _one_of(categories: list[str]) -> str:
    return f"those are {', '.join(categories)}" if categories else "it has none beside the public holidays"


@lru_cache(maxsize=1)
def _package() -> Any:
    """Return the package `holidays`, which imports a country when it is asked for.

    With the first of them it would import its package of countries, and that all 251, 8 MB; an empty one stands in its
    place.
    """
    import holidays  # slow to import, and most commands do without

    countries = ModuleType("holidays.countries")
    countries.__path__ = [f"{folder}/countries" for folder in holidays.__path__]
    sys.modules.setdefault("holidays.countries", countries)
    return holidays


@lru_cache(maxsize=1)
def _known() -> dict[str, list[str]]:
    return dict(_package().list_supported_countries())


def _categories(country: str) -> list[str]:
    """Return the categories of a country's holidays, without the public ones."""
    return sorted(set(_package().country_holidays(country).supported_categories) - {_ALWAYS})


def _names() -> list[str]:
    return [name for country, parts in _known().items() for name in (country, *(f"{country}-{part}" for part in parts))]
