import subprocess
import sys

HEAVY = ["numpy", "ctranslate2", "soxr", "py_nanotts", "onnxruntime", "django"]


def test_a_launcher_reads_the_environment_without_an_engine() -> None:
    code = (
        "import sys; from workers.speech.options import LEAN_ENVIRONMENT as lean; "
        "assert lean['MALLOC_ARENA_MAX'] == '1'; "
        f"sys.exit(','.join(set({HEAVY}) & set(sys.modules)) or None)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (ran.returncode, ran.stderr) == (0, "")
