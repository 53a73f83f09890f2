"""What deploy/ says: the compose file with its variables filled in, and what the image gives to every container."""

from __future__ import annotations

import re
import shlex
from typing import Any

import yaml

from settings import CHECKOUT

DEPLOY = CHECKOUT / "deploy"


def compose(filled_in: dict[str, str]) -> dict[str, Any]:
    """The compose file with its variables filled in, as compose does it: `${NAME:?}` is one that must be given."""
    source = (DEPLOY / "compose.yaml").read_text("utf-8")
    given = re.sub(r"(?<!\$)\$\{(\w+)(:\?)?\}", lambda found: filled_in[found[1]], source)
    return dict(yaml.safe_load(given.replace("$$", "$")))


def image_environment() -> dict[str, str]:
    """The variables that the image sets."""
    source = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = re.findall(r"^ENV (.*)", source, re.MULTILINE)
    return dict(word.split("=", 1) for line in lines for word in shlex.split(line))
