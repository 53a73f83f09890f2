"""What stands on this machine for what containers have: ports, programs, and the addresses behind names."""

from __future__ import annotations

import os
import random
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from settings import CHECKOUT
from tests.deployed import compose, image_environment
from worker.supervisor import is_taken

HOST = "127.0.0.1"
PACKAGES = CHECKOUT / ".venv" / "cluster"
"""What the image has by deploy/requirements.lock, and the environment of this checkout has not."""
PROGRAMS = {
    "etappe": [sys.executable, "-P", "-m", "cli"],  # as the image's /usr/local/bin/etappe does
    "python": [sys.executable],
    "prefect": [str(Path(sys.executable).parent / "prefect")],
}
ESTABLISHED = "01"
BELOW_THOSE_OF_CLIENTS = range(20_000, 32_000)
"""Ports that the system gives to nobody who does not ask for them."""
CREDENTIALS = "etappe:only the cluster knows"
SECRET = "a secret that only the cluster knows"


@dataclass(frozen=True)
class Addresses:
    """Where on this machine each part is found, by the port that takes the place of the file's."""

    postgres: int
    redis: int
    web: int
    prefect: int
    smtp: int
    web_host: str = HOST
    prefect_host: str = HOST

    @classmethod
    def free(cls) -> Addresses:
        """Ports that are free now."""
        postgres, redis, web, prefect, smtp = free_ports(5)
        return cls(postgres, redis, web, prefect, smtp)

    @property
    def base_url(self) -> str:
        """Where people reach the pages: the proxy, or the Service."""
        return f"http://{self.web_host}:{self.web}"

    @property
    def prefect_url(self) -> str:
        """Where Prefect is reached, by people and by the parts: the proxy, or the Service."""
        return f"http://{self.prefect_host}:{self.prefect}"

    def services(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The services and the configs of the compose file, filled in for this machine."""
        file = compose(self.filled_in("localhost"))
        return file["services"], {name: config["content"] for name, config in file["configs"].items()}

    def filled_in(self, mail_host: str) -> dict[str, str]:
        """What deploy/example.env asks for."""
        return {
            "POSTGRES_PASSWORD": "cluster",
            "ETAPPE_SECRET_KEYS": SECRET,
            "ETAPPE_BASE_URL": self.base_url,
            "ETAPPE_SMTP_URL": f"smtp://{mail_host}:{self.smtp}",
            "ETAPPE_MAIL_FROM": "Etappe <etappe@example.com>",
            "PREFECT_PAGES_URL": self.prefect_url,
            "PREFECT_AUTH_STRING": CREDENTIALS,
        }

    def environment(self, given: Mapping[str, str], home: Path) -> dict[str, str]:
        """What a container has: the image's variables and the service's, and a home and a /tmp of its own."""
        own = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home / "tmp")}
        return own | {name: self._here(value, home) for name, value in (image_environment() | dict(given)).items()}

    def _here(self, value: str, home: Path) -> str:
        whole = {"/etappe": f"{CHECKOUT}:{PACKAGES}", "redis": HOST, "6379": str(self.redis)}
        parts = {
            "@postgres:5432": f"@{HOST}:{self.postgres}",
            "//redis:6379": f"//{HOST}:{self.redis}",
            "//prefect-server:4200": f"//{HOST}:{self.prefect}",
        }
        for there, here in parts.items():
            value = value.replace(there, here)
        return whole.get(value) or re.sub(r"^/data\b", str(home), value)

    def proxy(self, config: str, behind: Mapping[str, Sequence[int]]) -> str:
        """The proxy's configuration with addresses in the place of names, which only Docker knows."""
        config = re.sub(r"resolver .*;\n", "", config)
        for name, (there, port) in {"web": (8400, self.web), "prefect-server": (4200, self.prefect)}.items():
            servers = " ".join(f"server {HOST}:{each};" for each in behind[name])
            config = config.replace(f"server {name}:{there} resolve;", servers)
            config = config.replace(f"listen {there};", f"listen {HOST}:{port};")
        return config


def command(words: Sequence[str], service: Mapping[str, Any], port: int) -> list[str]:
    """A command of the file, by the programs that are here, and with a port of its own where it says one."""
    program, *rest = words
    for there in service.get("expose", []):
        rest = [str(port) if word == there else word.replace(f"{HOST}:{there}", f"{HOST}:{port}") for word in rest]
    return [*PROGRAMS[program], *(HOST if word == "0.0.0.0" else word for word in rest)]


def free_ports(count: int) -> list[int]:
    """Ports that are free on this machine at this moment."""
    found: list[int] = []
    for port in random.sample(BELOW_THOSE_OF_CLIENTS, len(BELOW_THOSE_OF_CLIENTS)):
        if len(found) == count:
            break
        if not is_taken(port):
            found.append(port)
    return found


def ports_in(pid: int, port: int) -> set[int]:
    """From which ports whatever shares the network of this process, as in a container, is connected with this one."""
    lines = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    ends = [(_port(line[1]), _port(line[2])) for line in lines if line[3] == ESTABLISHED]
    return {here for here, there in ends if there == port}


def _port(end: str) -> int:
    return int(end.rpartition(":")[2], 16)
