"""deploy/compose.yaml and deploy/kubernetes.yaml say the same, and what they say exists."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from fastapi.testclient import TestClient

from cli.main import COMMANDS, etappe
from models.database import Database
from settings import CHECKOUT, Settings
from tests.deployed import DEPLOY, compose
from web.app import create_app

COUNTS = {
    "postgres": 1,
    "redis": 1,
    "migrate": 1,
    "prefect-migrate": 1,
    "prefect-server": 2,
    "prefect-services": 1,
    "deployments": 1,
    "web": 2,
    "relay": 2,
    "worker": 2,
}
ONCE = {"migrate", "prefect-migrate", "deployments"}
OF_PREFECT_REDIS = {
    f"PREFECT_REDIS_{of}_{name}" for of in ("MESSAGING", "WORKER_CLEANUP_QUEUE") for name in ("HOST", "PORT", "DB")
}
"""Read by the package prefect-redis, which is in the image and nowhere else."""
SAID_BY_THE_PLACE = {"ETAPPE_MACHINE"}
"""Where the two must differ: what the machine is called."""
COMPOSE_KEYS = {"image", "build", "restart", "command", "environment", "configs", "volumes", "healthcheck", "deploy",
                "expose", "ports", "depends_on"}  # fmt: skip
"""Of what https://github.com/compose-spec/compose-spec/blob/main/05-services.md names, all that is used here."""


@dataclass(frozen=True)
class Part:
    """What both files say of a part, in one form."""

    image: str
    command: tuple[str, ...]
    environment: dict[str, str]
    replicas: int
    once: bool
    port: int | None = None
    ready: str = ""
    kept: frozenset[str] = field(default=frozenset())


def kubernetes() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text("utf-8")))


def filled_in() -> dict[str, str]:
    """What the cluster's file gives as examples, under the names of deploy/example.env."""
    values = {**named("ConfigMap", "etappe"), **named("Secret", "etappe")}
    return {
        "POSTGRES_PASSWORD": named("Secret", "postgres")["POSTGRES_PASSWORD"],
        "PREFECT_PAGES_URL": values["PREFECT_UI_URL"],
        "PREFECT_AUTH_STRING": values["PREFECT_API_AUTH_STRING"],
        **{name: values[name] for name in
           ("ETAPPE_BASE_URL", "ETAPPE_SMTP_URL", "ETAPPE_MAIL_FROM", "ETAPPE_SECRET_KEYS")},
    }  # fmt: skip


def named(kind: str, name: str) -> dict[str, str]:
    """The values of a ConfigMap or a Secret."""
    [found] = [each for each in kubernetes() if each["kind"] == kind and each["metadata"]["name"] == name]
    return dict(found["data"] if kind == "ConfigMap" else found["stringData"])


def in_compose() -> dict[str, Part]:
    services = compose(filled_in())["services"]
    return {name: _of_compose(service) for name, service in services.items() if name != "proxy"}


def _of_compose(service: dict[str, Any]) -> Part:
    check = " ".join(service.get("healthcheck", {}).get("test", [])[1:])
    found = re.search(r"http://127\.0\.0\.1:\d+(/[\w/]+)", check)
    ports = service.get("expose", [])
    return Part(
        service["image"],
        tuple(service["command"]),
        _without_place(service.get("environment", {})),
        service.get("deploy", {}).get("replicas", 1),
        service["restart"] == "on-failure",
        int(ports[0]) if ports else None,
        found[1] if found else check,
        frozenset(each.partition(":")[2] for each in service.get("volumes", [])),
    )


def in_kubernetes() -> dict[str, Part]:
    kinds = ("Deployment", "StatefulSet", "Job")
    return {each["metadata"]["name"]: _of_kubernetes(each) for each in kubernetes() if each["kind"] in kinds}


def _of_kubernetes(workload: dict[str, Any]) -> Part:
    pod = workload["spec"]["template"]["spec"]
    [container] = pod["containers"]
    probe = container.get("readinessProbe", {})
    claims = {each["metadata"]["name"] for each in workload["spec"].get("volumeClaimTemplates", [])}
    ports = container.get("ports", []) if workload["kind"] == "Deployment" else []
    return Part(
        container["image"],
        tuple(container.get("command") or container["args"]),
        _without_place(_environment(container)),
        workload["spec"].get("replicas", 1),
        workload["kind"] == "Job" and pod["restartPolicy"] == "OnFailure",
        ports[0]["containerPort"] if ports else None,
        probe["httpGet"]["path"] if "httpGet" in probe else " ".join(probe.get("exec", {}).get("command", [])),
        frozenset(each["mountPath"] for each in container.get("volumeMounts", []) if each["name"] in claims),
    )


def _environment(container: dict[str, Any]) -> dict[str, str]:
    """What a container is given: from maps and secrets that exist, and what overrides it."""
    given: dict[str, str] = {}
    for source in container.get("envFrom", []):
        for kind, key in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            if key in source:
                given |= named(kind, source[key]["name"])
    return given | {each["name"]: each.get("value", "") for each in container.get("env", [])}


def _without_place(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in SAID_BY_THE_PLACE}


@pytest.mark.parametrize("name", COUNTS)
def test_both_files_say_the_same_of_a_part(name: str) -> None:
    assert in_compose()[name] == in_kubernetes()[name]


def test_both_files_have_the_same_parts_and_as_many_of_each() -> None:
    for parts in (in_compose(), in_kubernetes()):
        assert {name: part.replicas for name, part in parts.items()} == COUNTS
        assert {name for name, part in parts.items() if part.once} == ONCE


def test_what_has_several_processes_and_a_port_has_one_address_for_them() -> None:
    behind_one = {name: part.port for name, part in in_kubernetes().items() if part.port}
    assert behind_one == {"web": 8400, "prefect-server": 4200}
    services = {each["metadata"]["name"]: each["spec"] for each in kubernetes() if each["kind"] == "Service"}
    assert {name: services[name]["ports"][0]["port"] for name in behind_one} == behind_one
    proxy = compose(filled_in())["configs"]["proxy"]["content"]
    for name, port in behind_one.items():
        assert f"server {name}:{port} resolve;" in proxy
        assert f"server {{ listen {port}; location / {{ proxy_pass http://{name}; }} }}" in proxy


def test_both_databases_are_made_the_same_way() -> None:
    assert compose(filled_in())["configs"]["databases"]["content"] == named("ConfigMap", "databases")["databases.sql"]


def test_what_is_selected_exists() -> None:
    labels = [
        each["spec"]["template"]["metadata"]["labels"] for each in kubernetes() if "template" in each.get("spec", {})
    ]
    for each in kubernetes():
        if each["kind"] == "Service":
            assert each["spec"]["selector"] in labels
        if each["kind"] in ("Deployment", "StatefulSet"):
            assert each["spec"]["selector"]["matchLabels"] == each["spec"]["template"]["metadata"]["labels"]


@pytest.mark.parametrize(("other", "command", "waiting"), [
    ("migrate", ["etappe", "migrate", "--wait"], {"web", "relay", "worker"}),
    ("redis", ["sh", "-c", "until redis-cli -h redis ping; do sleep 1; done"], {"prefect-server", "prefect-services"}),
])  # fmt: skip
def test_both_files_have_the_same_parts_wait_for_what_they_need(
    other: str, command: list[str], waiting: set[str]
) -> None:
    """Compose by a condition, Kubernetes by a container that comes first."""
    services = compose(filled_in())["services"]
    assert {name for name, each in services.items() if other in each.get("depends_on", {})} == waiting
    for name in waiting:
        [first] = _pod(name)["initContainers"]
        assert first["command"] == command
        [there] = _pod(other)["containers"]
        assert first["image"] == there["image"]
        assert other == "redis" or _environment(first) == _environment(there)


def test_no_part_of_the_cluster_is_the_first_to_be_put_out_for_want_of_memory() -> None:
    """As those are that do not say what they need."""
    for name in COUNTS.keys() - ONCE:
        [container] = _pod(name)["containers"]
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name


def test_who_has_an_address_is_there_until_nobody_is_sent_there_any_more() -> None:
    for name in ("web", "prefect-server"):
        [container] = _pod(name)["containers"]
        assert container["lifecycle"] == {"preStop": {"exec": {"command": ["sleep", "5"]}}}


def _pod(name: str) -> dict[str, Any]:
    """What is said of a workload's pods."""
    [found] = [each for each in kubernetes() if each["metadata"]["name"] == name and "template" in each.get("spec", {})]
    return dict(found["spec"]["template"]["spec"])


def test_compose_is_asked_for_nothing_it_does_not_know_and_waits_for_what_exists() -> None:
    services = compose(filled_in())["services"]
    for name, service in services.items():
        assert set(service) <= COMPOSE_KEYS, name
        for other, how in service.get("depends_on", {}).items():
            wants = how["condition"]
            assert wants in ("service_healthy", "service_completed_successfully")
            assert "healthcheck" in services[other] if wants == "service_healthy" else other in ONCE, (name, other)


def test_the_example_of_the_environment_names_what_compose_asks_for() -> None:
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", (DEPLOY / "compose.yaml").read_text("utf-8")))
    given = re.findall(r"^(\w+)=", (DEPLOY / "example.env").read_text("utf-8"), re.MULTILINE)
    assert sorted(asked) == sorted(given)


@pytest.mark.parametrize("name", [name for name, part in in_kubernetes().items() if part.command[0] == "etappe"])
def test_commands_of_etappe_exist_as_they_are_given(name: str) -> None:
    _, command, *arguments = in_kubernetes()[name].command
    assert command in COMMANDS
    group = click.Context(etappe)
    found = etappe.get_command(group, command)
    assert found is not None
    found.make_context(command, list(arguments), parent=group)  # raises what the command line would refuse


@pytest.mark.parametrize("name", [name for name, part in in_kubernetes().items() if part.command[0] == "python"])
def test_modules_that_are_run_exist(name: str) -> None:
    _, option, module, *_ = in_kubernetes()[name].command
    assert option == "-m" and find_spec(module) is not None


def test_block_types_are_registered_once_before_any_server_starts() -> None:
    """Two servers that do so at once want to write the same rows, and one of them ends."""
    parts = in_kubernetes()
    assert parts["prefect-migrate"].command == ("python", "-m", "worker.prefect_database")
    for name in ("prefect-server", "prefect-services"):
        assert parts[name].environment["PREFECT_SERVER_REGISTER_BLOCKS_ON_START"] == "false"


@cache
def help_of_prefect(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *command, "--help"], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("name", [name for name, part in in_kubernetes().items() if part.command[0] == "prefect"])
def test_commands_of_prefect_exist_as_they_are_given(name: str) -> None:
    arguments = in_kubernetes()[name].command[1:]
    words = [word for word in arguments[: _first_option(arguments)] if word]
    said = help_of_prefect(*words)
    for option in (word for word in arguments if word.startswith("--")):
        assert option in said


def _first_option(arguments: tuple[str, ...]) -> int:
    return next((place for place, word in enumerate(arguments) if word.startswith("-")), len(arguments))


def test_every_setting_of_prefect_is_one_it_knows() -> None:
    from prefect.settings import Settings as PrefectSettings
    from prefect.settings.legacy import _get_valid_setting_names

    known = _get_valid_setting_names(PrefectSettings) | OF_PREFECT_REDIS | {"DO_NOT_TRACK"}
    for name, part in in_kubernetes().items():
        for setting in part.environment:
            assert setting in known or setting.startswith(("ETAPPE_", "POSTGRES_")), (name, setting)


def test_every_setting_of_etappe_is_one_it_reads(tmp_path: Path) -> None:
    given = {name: value for name, value in in_kubernetes()["web"].environment.items() if name.startswith("ETAPPE_")}
    unset = Settings.from_environment({"ETAPPE_HOME": str(tmp_path)})
    for name in given:
        assert Settings.from_environment({"ETAPPE_HOME": str(tmp_path), name: "postgresql://something"}) != unset, name


def test_the_pages_answer_where_they_are_asked_how_they_are(tmp_path: Path) -> None:
    [web] = [each for each in kubernetes() if each["kind"] == "Deployment" and each["metadata"]["name"] == "web"]
    [container] = web["spec"]["template"]["spec"]["containers"]
    paths = {container[probe]["httpGet"]["path"] for probe in ("readinessProbe", "livenessProbe")}
    assert paths == {"/healthz", "/readyz"}
    db = Database(f"sqlite:///{tmp_path / 'etappe.db'}")
    client = TestClient(create_app(Settings.from_environment({"ETAPPE_HOME": str(tmp_path)}), db))
    answers = {path: client.get(path).status_code for path in paths}
    db.close()
    assert answers == {"/healthz": 200, "/readyz": 503}  # there is no database behind them


def test_the_image_is_made_from_its_lock_and_has_what_runs() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text("utf-8")
    for source in re.findall(r"^COPY (\S+) /tmp", dockerfile, re.MULTILINE):
        assert (CHECKOUT / source).is_file()
    assert dockerfile.count("--require-hashes") == dockerfile.count("pip install") == 1
    left_out = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").split()
    for needed in ("cli", "web", "worker", "flows", "plans", "models", "notifications", "operations", "settings"):
        assert (CHECKOUT / needed).is_dir() and needed not in left_out


def test_the_image_has_the_versions_that_are_tested_and_none_of_the_tests_own() -> None:
    tested, in_image = (_locked(CHECKOUT / folder / "requirements.lock") for folder in (".", "deploy"))
    assert set(in_image.items()) - set(tested.items()) == {("prefect-redis", in_image["prefect-redis"])}
    assert not in_image.keys() & {"pytest", "hypothesis", "playwright", "mypy", "ruff", "schemathesis"}


def _locked(file: Path) -> dict[str, str]:
    """The versions that a lock names, by package."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", file.read_text("utf-8"), re.MULTILINE))
