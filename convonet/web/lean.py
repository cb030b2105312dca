"""Leaves out what packages load where it is installed and do without where it is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Twisted's optional TLS, 4 MB with cryptography: what stands before us speaks it.
SERVING_TLS = ("OpenSSL", "service_identity")


@contextmanager
def absent(*names: str) -> Iterator[None]:
    """Within, these cannot be imported, unless they are loaded already."""
    hidden = [name for name in names if name not in sys.modules]
    # By the import system's own rule: None there is "not to be found".
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
