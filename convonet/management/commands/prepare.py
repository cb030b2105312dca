"""Gets the database ready to serve: system checks, migrations, the first users."""

from __future__ import annotations

import json
import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from convonet import configured


class Command(BaseCommand):
    help = "Check the configuration, migrate when needed, and make the demo and admin users once."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="end with one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        self._check()
        try:
            self._migrate()
            password = self._make_users()
        except DatabaseError as error:
            reason = str(error).strip().splitlines()[0]
            raise CommandError(f"The database cannot be used: {reason}") from None
        if options["json"]:
            result = {
                "admin_password": password,
                "flower_user": settings.FLOWER_USER,
                "flower_password": settings.FLOWER_PASSWORD,
                "flower": settings.FLOWER,
                "speech_worker": settings.SPEECH_WORKER,
                "profile": configured.profile_told(),
            }
            self.stdout.write(json.dumps(result))
        elif password:
            self.stdout.write(f"The admin's login is admin with the password {password}")

    def _check(self) -> None:
        """Refuse to start on any error; warnings are said and passed by."""
        errors = []
        for message in checks.run_checks(tags=["convonet"]):
            sentence = message.msg + (f" {message.hint}" if message.hint else "")
            if message.level >= checks.ERROR:
                errors.append(sentence)
            else:
                self.stderr.write(f"Warning: {sentence}")
        if errors:
            raise CommandError("\n".join(errors))

    def _migrate(self) -> None:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            self.stderr.write(f"Preparing the database: {len(plan)} migrations", ending="")
            call_command("migrate", verbosity=0, interactive=False)
            self.stderr.write(", done.")

    def _make_users(self) -> str:
        """Make who is missing; returns the admin's password if it was made now."""
        users = get_user_model().objects
        demo = settings.DEMO_USERNAME
        if settings.EMBEDDED_LOGIN and not users.filter(username=demo).exists():
            # No password: only the embedded login, on this machine, lets this user in.
            users.create_user(demo)
        if users.filter(is_superuser=True).exists():
            return ""
        password = secrets.token_urlsafe(12)
        users.create_superuser("admin", password=password)
        return password
