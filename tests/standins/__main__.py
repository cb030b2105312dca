"""`python -m tests.standins --port 9100`: language providers without keys, network or cost.

Prints its address and the variables that make the product ask it. Words that are a script (see
`tests.standins.script`) are played; to all others it answers "All right.", or what was posted:
curl -d '{"default": [{"say": "Done."}], "delay": 0.02}' 127.0.0.1:9100/control
"""

from __future__ import annotations

import argparse
import asyncio
from contextlib import suppress

from tests.standins.server import run

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0] if __doc__ else "")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    with suppress(KeyboardInterrupt):
        asyncio.run(run(parser.parse_args().port))
