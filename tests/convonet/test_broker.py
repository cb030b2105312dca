from __future__ import annotations

import stat
from pathlib import Path

import pytest
import redis as redis_library

from convonet import broker


def test_server_on_the_path_is_taken_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = tmp_path / "valkey-server"
    server.write_text("#!/bin/sh\n")
    server.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert broker.program() == str(server)


def test_bundled_server_is_the_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert Path(broker.program()).parts[-2:] == ("bin", "valkey-server")


def test_without_any_server_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(broker.NoBroker, match="install valkey-server or redis-server"):
        broker.program()


def test_configuration_with_its_password_is_for_this_user_alone(tmp_path: Path) -> None:
    path = broker.configure(tmp_path / "broker", 7000, "geheim")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "requirepass geheim" in path.read_text()


def test_real_broker_refuses_who_has_no_password(broker: str) -> None:
    open_url = broker.replace(":test@", "")
    with (
        redis_library.Redis.from_url(open_url) as client,
        pytest.raises(redis_library.AuthenticationError),
    ):
        client.ping()


def test_real_broker_never_evicts_and_keeps_a_log_of_writes(redis: redis_library.Redis) -> None:
    expected = {"maxmemory-policy": "noeviction", "appendonly": "yes", "bind": "127.0.0.1"}
    for name, value in expected.items():
        assert redis.config_get(name) == {name: value}
    assert redis.config_get("maxmemory") == {"maxmemory": str(64 * 1024 * 1024)}
