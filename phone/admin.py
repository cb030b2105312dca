"""The telephone for operators: lines, people, transfers and recordings."""

from __future__ import annotations

from phone import admin_calls, admin_directory, admin_recordings  # noqa: F401  # register pages
