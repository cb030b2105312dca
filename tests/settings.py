"""The product's settings for tests in this process: a directory of their own, and no broker.

Whatever the shell or a running `make run` set up is left alone; a test that needs a broker asks
for the `broker` or `stack` fixture.
"""

import atexit
import os
import shutil
import tempfile

_directory = tempfile.mkdtemp(prefix="convonet-test-")
atexit.register(shutil.rmtree, _directory, ignore_errors=True)
for _name in ("DATABASE_URL", "PUBLIC_URL", "SECRET_KEY", "ALLOWED_HOSTS", "PORT", "MCP_PORT"):
    os.environ.pop(_name, None)
os.environ["CONVONET_VAR"] = _directory
# The same on every machine, however much memory it has.
os.environ["CONVONET_PROFILE"] = "medium"
# How much of it others use at the moment is not what is tried.
os.environ["ADMIT_BELOW_PERCENT"] = "100"
# Nothing listens there, so code that asks for the broker unasked is refused at once.
os.environ["REDIS_URL"] = "redis://:nobody@127.0.0.1:1/0"

# Set by the test that runs others once more on PostgreSQL.
if "TEST_DATABASE_URL" in os.environ:
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]

from convonet.settings import *  # noqa: E402, F403

# Hashing a test's passwords as slowly as real ones would be most of the run.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
