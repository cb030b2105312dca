"""The blueprints for Render: what they name exists, and their services fit together."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
SMALL, SPLIT = ROOT / "render.yaml", ROOT / "deploy" / "render-split.yaml"
BLUEPRINTS = [SMALL, SPLIT]
# Of the platform, boto3, the C library and numpy's.
OTHERS = {
    *("PYTHON_VERSION", "PORT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    *("MALLOC_ARENA_MAX", "OPENBLAS_NUM_THREADS"),
}
# https://render.com/docs/blueprint-spec, as far as they use it.
SERVER = {
    *("type", "name", "runtime", "plan", "buildCommand", "startCommand", "preDeployCommand"),
    *("healthCheckPath", "maxShutdownDelaySeconds", "disk", "envVars"),
}
KEY_VALUE = {"type", "name", "plan", "maxmemoryPolicy", "persistenceMode", "ipAllowList"}
PLANS = {"starter", "standard", "pro", "basic-256mb", "basic-1gb"}

Blueprint = dict[str, Any]


def read(path: Path) -> Blueprint:
    found: Blueprint = yaml.safe_load(path.read_text())
    return found


def services(blueprint: Blueprint) -> list[Blueprint]:
    return [one for one in blueprint["services"] if one["type"] != "keyvalue"]


def variables(blueprint: Blueprint) -> list[tuple[str, Blueprint]]:
    """(service or group, variable) of all that name one."""
    owners = [*services(blueprint), *blueprint.get("envVarGroups", [])]
    return [(one["name"], var) for one in owners for var in one["envVars"] if "key" in var]


def variables_we_read() -> set[str]:
    """Of `env`, and the keys that providers are asked with."""
    found: set[str] = set()
    for package in ("convonet", "voice", "phone", "workers", "todo", "monitor"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text()
            found |= set(re.findall(r'env\.\w+\(\s*"([A-Z][A-Z0-9_]+)"', text))
            if path.name == "providers.py":
                found |= set(re.findall(r'"([A-Z0-9_]+_API_KEY)"', text))
    return found


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_every_service_says_what_render_wants_to_know(path: Path) -> None:
    for one in read(path)["services"]:
        known = KEY_VALUE if one["type"] == "keyvalue" else SERVER
        assert set(one) <= known
        assert one["plan"] in PLANS
        if one["type"] != "keyvalue":
            assert one["type"] in ("web", "worker", "pserv")
            assert {"name", "runtime", "buildCommand", "startCommand"} <= set(one)
            assert ("healthCheckPath" in one) == (one["type"] == "web")


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_every_variable_is_one_that_we_read(path: Path) -> None:
    named = {var["key"] for _, var in variables(read(path))}
    assert named
    assert named - OTHERS <= variables_we_read()


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_a_value_is_of_a_kind_that_render_takes(path: Path) -> None:
    """A bare `yes` or `0.0` would come as something else than it reads."""
    for owner, var in variables(read(path)):
        if "value" in var:
            assert not isinstance(var["value"], bool), (owner, var["key"])
            assert isinstance(var["value"], str | int), (owner, var["key"])


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_every_command_runs_what_exists(path: Path) -> None:
    blueprint = read(path)
    names = ("buildCommand", "startCommand", "preDeployCommand")
    commands = [one[name] for one in services(blueprint) for name in names if name in one]
    for command in commands:
        python, *rest = command.split()
        assert python == "python"
        if rest[0] == "-m":
            assert importlib.util.find_spec(rest[1]) is not None, command
        else:
            assert rest[0] == "manage.py"
            assert rest[1] in get_commands(), command


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_every_lock_that_is_installed_exists(path: Path) -> None:
    for one in services(read(path)):
        locks = one["buildCommand"].split()[-1].split(",")
        assert all((ROOT / "requirements" / f"{name}.txt").exists() for name in locks)


def test_the_split_services_are_those_of_the_procfile_and_their_stores() -> None:
    blueprint = read(SPLIT)
    started = {one["startCommand"] for one in services(blueprint)}
    lines = (ROOT / "Procfile").read_text().splitlines()
    assert len(started) == len(lines)
    for line in lines:
        assert any(line.endswith(f"exec {command}") for command in started), line
    assert [one["name"] for one in blueprint["databases"]] == ["convonet-db"]


def test_what_a_service_is_told_of_others_is_there() -> None:
    blueprint = read(SPLIT)
    types = {one["name"]: one["type"] for one in blueprint["services"]}
    keys = {
        name: {var["key"] for who, var in variables(blueprint) if who == name} for name in types
    }
    groups = {one["name"] for one in blueprint["envVarGroups"]}
    databases = {one["name"] for one in blueprint["databases"]}
    for one in services(blueprint):
        for var in one["envVars"]:
            if "fromGroup" in var:
                assert var["fromGroup"] in groups
            if "fromDatabase" in var:
                assert var["fromDatabase"]["name"] in databases
            if other := var.get("fromService"):
                assert types[other["name"]] == other["type"]
                wanted = other.get("envVarKey", "RENDER_EXTERNAL_URL")
                assert wanted == "RENDER_EXTERNAL_URL" or wanted in keys[other["name"]]


def test_variables_that_a_procfile_line_sets_are_set() -> None:
    blueprint = read(SPLIT)
    for line in (ROOT / "Procfile").read_text().splitlines():
        (service,) = [one for one in services(blueprint) if line.endswith(one["startCommand"])]
        set_there = {f"{var['key']}={var['value']}" for var in service["envVars"] if "value" in var}
        set_here = set(re.findall(r"\b[A-Z][A-Z_]+=\S+", line))
        # The command says it itself.
        assert {one for one in set_here if not one.startswith("WORKER_ROLE=")} <= set_there


def test_a_service_on_render_knows_its_address_and_that_of_the_tools() -> None:
    code = (
        "from django.conf import settings as s;"
        "print(s.PUBLIC_URL, s.ALLOWED_HOSTS[-1], s.EMBEDDED_LOGIN, s.MCP_URL, s.MCP_BIND)"
    )
    told = {
        "DJANGO_SETTINGS_MODULE": "convonet.settings",
        "RENDER_EXTERNAL_URL": "https://talk.onrender.com",
        "MCP_ADDRESS": "convonet-tools-a1b2:8001",
        "MCP_BIND": "0.0.0.0",
    }
    said = subprocess.check_output(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | told, text=True
    )
    assert said.split() == [
        *("https://talk.onrender.com", "talk.onrender.com", "False"),
        *("http://convonet-tools-a1b2:8001/mcp", "0.0.0.0"),
    ]


def test_a_queue_is_neither_thrown_away_nor_reached_from_outside() -> None:
    (broker,) = [one for one in read(SPLIT)["services"] if one["type"] == "keyvalue"]
    assert broker["maxmemoryPolicy"] == "noeviction"
    assert broker["persistenceMode"] == "journal-snapshot"
    assert broker["ipAllowList"] == read(SPLIT)["databases"][0]["ipAllowList"] == []


def test_on_one_instance_what_is_written_lies_on_its_disk() -> None:
    (one,) = read(SMALL)["services"]
    place = next(var["value"] for var in one["envVars"] if var["key"] == "CONVONET_VAR")
    assert Path(place).is_relative_to(one["disk"]["mountPath"])
