"""The installation's one secret, and the passwords between its own processes derived from it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path


def load_or_make(path: Path, configured: str) -> str:
    """Return the configured secret, else the one kept in `path`, made on the first start."""
    if configured:
        return configured
    candidate = path.with_suffix(f".{os.getpid()}")
    if not path.exists():
        candidate.write_text(secrets.token_urlsafe(48))
        candidate.chmod(0o600)
        try:
            # link() fails if another process was first: exactly one secret wins.
            os.link(candidate, path)
        except FileExistsError:
            pass
        finally:
            candidate.unlink()
    return path.read_text().strip()


def derive(secret_key: str, purpose: str) -> str:
    """A password for one purpose: 256 bits of HMAC-SHA256 in URL-safe base64."""
    digest = hmac.new(secret_key.encode(), f"convonet.{purpose}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
