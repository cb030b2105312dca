"""The telephone for operators: lines, people, transfers and recordings."""

from __future__ import annotations

from phone import (  # noqa: F401  # register pages
    admin_accounts,
    admin_calls,
    admin_directory,
    admin_recordings,
    admin_ringing,
)
