"""What the web process does without."""

from __future__ import annotations

import subprocess
import sys

import pytest

from convonet.web import lean


def test_what_is_absent_cannot_be_imported_until_later() -> None:
    assert "sndhdr" not in sys.modules
    with lean.absent("sndhdr", "json"):
        with pytest.raises(ModuleNotFoundError):
            __import__("sndhdr")
        # Loaded before: whoever has it goes on with it.
        assert __import__("json").dumps(1) == "1"
    assert "sndhdr" not in sys.modules
    assert __import__("colorsys")


def test_daphne_is_loaded_without_the_tls_that_it_does_not_serve() -> None:
    script = """
import sys
from convonet.web import lean
with lean.absent(*lean.SERVING_TLS):
    import convonet.front.on_daphne
loaded = {"OpenSSL", "service_identity", "cryptography.x509"} & set(sys.modules)
assert not loaded, loaded
import OpenSSL
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
