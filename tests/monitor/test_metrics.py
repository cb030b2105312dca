"""`/metrics`: what Prometheus reads, and who may."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from convonet.counters import NAMES
from monitor import client, prometheus
from monitor.board import State
from tests.monitor.made import reading, snapshot

TOKEN = django_settings.METRICS_TOKEN
STATE = State(
    snapshots=[
        snapshot(
            reading("web", 1, pss=2048, base=1024),
            reading("agent child", 2, pss=1024),
            reading("agent child", 3, pss=1024),
            host='a "quoted" host',
        )
    ],
    calls=3,
    counters={"fillers": 7},
)
LINE = re.compile(
    r'[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"(,[a-z]+="(?:[^"\\\n]|\\["\\n])*")*\})? \S+'
)


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "state", lambda: STATE)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {TOKEN}x",
        f"Token {TOKEN}",
        TOKEN,
        basic("metrics", "wrong"),
        basic("operator", TOKEN),
        basic("metrics", ""),
        "Basic not-base64!",
        "Basic " + base64.b64encode(b"\xff\xfe").decode(),
    ],
    ids=[f"wrong {number}" for number in range(12)],
)
@pytest.mark.parametrize("address", ["127.0.0.1", "203.0.113.9"])
def test_without_the_token_nobody_reads_anything(shown: str, address: str, board: None) -> None:
    headers = {"Authorization": shown} if shown else {}
    answer = Client(REMOTE_ADDR=address).get("/metrics", headers=headers)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Basic")
    assert b"convonet" not in answer.content
    assert not answer.cookies


@pytest.mark.parametrize(
    "shown",
    [f"Bearer {TOKEN}", f"bearer {TOKEN}", basic("metrics", TOKEN)],
    # Another token in each process, and no two lanes may know a test by different names.
    ids=["bearer", "any case", "basic"],
)
def test_with_the_token_prometheus_reads(shown: str, board: None) -> None:
    answer = Client().get("/metrics", headers={"Authorization": shown})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b"convonet_calls 3\n" in answer.content


def test_it_is_for_reading_alone(board: None) -> None:
    answer = Client().post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 405


def test_without_a_broker_it_says_so_instead_of_zeros() -> None:
    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 503
    assert b"convonet_" not in answer.content


def test_the_text_is_what_the_format_asks_for() -> None:
    lines = prometheus.text(STATE, 80).splitlines()
    named: set[str] = set()
    for line in lines:
        if line.startswith("# TYPE "):
            name = line.split()[2]
            assert name not in named
            named.add(name)
        elif not line.startswith("# HELP "):
            assert LINE.fullmatch(line), line
            assert line.partition("{")[0].partition(" ")[0] in named
    assert {f"convonet_{name}_total" for name in NAMES} <= named


def test_prometheus_own_reader_understands_it() -> None:
    families = {one.name: one for one in text_string_to_metric_families(prometheus.text(STATE, 80))}
    assert {one.type for one in families.values()} == {"gauge", "counter"}
    for name in NAMES:
        (sample,) = families[f"convonet_{name}"].samples
        assert (sample.name, sample.labels) == (f"convonet_{name}_total", {})
        assert families[f"convonet_{name}"].documentation == f"{NAMES[name]}."
    kinds = {sample.labels["kind"] for sample in families["convonet_memory_bytes"].samples}
    assert kinds == {"pss", "uss", "rss"}
    assert families["convonet_calls"].samples[0].value == 3


def test_figures_are_bytes_by_machine_and_role() -> None:
    text = prometheus.text(STATE, 80)
    host = r'host="a \"quoted\" host"'
    for line in (
        f'convonet_memory_bytes{{{host},role="web",kind="pss"}} 2097152',
        f'convonet_memory_bytes{{{host},role="agent child",kind="rss"}} 8388608',
        f'convonet_processes{{{host},role="agent child"}} 2',
        f'convonet_memory_growth_bytes{{{host},role="web"}} 1048576',
        f'convonet_memory_allowance_bytes{{{host},source="cgroup v2"}} 536870912',
        f'convonet_memory_admission_bytes{{{host},source="cgroup v2"}} 429497344',
        f'convonet_oom_kills_total{{{host},source="cgroup v2"}} 2',
        "convonet_fillers_total 7",
        "convonet_calls_refused_total 0",
    ):
        assert f"{line}\n" in text


def test_the_command_tells_the_token(capsys: pytest.CaptureFixture[str], settings: Any) -> None:
    from django.core.management import call_command

    settings.PUBLIC_URL = "https://talk.example.org"
    call_command("metrics_login")
    said = capsys.readouterr().out
    assert "https://talk.example.org/metrics" in said
    assert f"Bearer {TOKEN}" in said
