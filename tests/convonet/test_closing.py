"""The server waits long enough for a socket's other end to have read why it is closed."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own: Daphne installs an event loop when it is imported.
ASKED = """
import daphne.server
from convonet import closing
closing.be_patient()
factory = daphne.server.WebSocketFactory(None, server="none")
factory.setProtocolOptions(autoPingTimeout=20, openHandshakeTimeout=5)
print(factory.closeHandshakeTimeout)
"""


def test_daphnes_sockets_get_seconds_to_close() -> None:
    command = [sys.executable, "-c", ASKED]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert int(said) == 5
