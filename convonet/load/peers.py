"""Peers in an environment of their own, made on demand, and started like the product is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from convonet import ports
from convonet.load.subjects import PIPECAT_VERSION, Subject
from convonet.overhead.product import ROOT, NotMeasured

# What its guide to telephones has people install, with the services that are stood in for; fastapi
# brings uvicorn with uvloop and httptools.
REQUIREMENTS = (f"pipecat-ai[openai,silero,websocket,runner]=={PIPECAT_VERSION}",)
BOT = Path(__file__).resolve().parent / "peer" / "pipecat_bot.py"
START_SECONDS = 120.0
STOP_SECONDS = 15.0


def prepared(directory: Path) -> Path:
    """The interpreter of the peers' environment, which is made if it is not there.

    Raises NotMeasured if its packages cannot be had.
    """
    made = directory / f"pipecat-{PIPECAT_VERSION}"
    python, done = made / "bin" / "python", made / "installed"
    if done.exists():
        return python
    venv.create(made, with_pip=True, clear=True)
    install = [str(python), "-m", "pip", "install", "--quiet", *REQUIREMENTS]
    output = subprocess.run(install, capture_output=True, text=True, check=False)
    if output.returncode:
        raise NotMeasured(f"pipecat could not be installed: {output.stderr.strip()[-500:]}")
    done.write_text("\n".join(REQUIREMENTS) + "\n")
    return python


def versions(python: Path) -> dict[str, str]:
    """Of what decides how fast it is."""
    names = ("pipecat-ai", "uvicorn", "uvloop", "websockets", "onnxruntime", "numpy")
    script = (
        "import sys; from importlib.metadata import version, PackageNotFoundError\n"
        "for name in sys.argv[1:]:\n"
        "    try: print(name, version(name))\n"
        "    except PackageNotFoundError: pass\n"
    )
    told = subprocess.run(
        [str(python), "-c", script, *names], capture_output=True, text=True, check=True
    )
    return dict(line.split() for line in told.stdout.splitlines())


@contextmanager
def running(
    subject: Subject,
    python: Path,
    providers_url: str,
    var_dir: Path,
    marks: Path,
    before: Sequence[str] = (),
) -> Iterator[tuple[int, int]]:
    """(process id, port); `before` is a command that runs what follows. Raises NotMeasured."""
    port = ports.any_free()
    command = [*before, str(python), str(BOT), subject.name, str(port), providers_url, str(marks)]
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    # It would ask a hub for models, which it brings with it.
    environment |= {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    with (var_dir / "peer.out").open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=var_dir,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_up(process, port, var_dir / "peer.out")
        yield process.pid, port
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_up(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise NotMeasured(f"The peer did not start: {output.read_text()[-500:]}")


def default_directory() -> Path:
    return ROOT / "var" / "peers"


if __name__ == "__main__":
    sys.stdout.write(f"{prepared(Path(sys.argv[1]))}\n")
