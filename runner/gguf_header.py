"""The header of one GGUF file, walked without reading the file whole.

It is not left to ``gguf.GGUFReader``: that one makes a numpy view of every token of the vocabulary (3 s for a file with
49,152 tokens, this takes 0.1 s) and trusts the lengths that it finds. Here every length is checked against what is left
of the file before anything is read or allocated. The constants are the library's.

Layout (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): magic, version, tensor count, key count, keys with
values, tensor infos, padding, tensor data; all little-endian.
"""

import math
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from gguf.constants import GGML_QUANT_SIZES, GGUF_DEFAULT_ALIGNMENT, GGMLQuantizationType, GGUFValueType, Keys

from runner.errors import ModelFileError

MAGIC = b"GGUF"
VERSIONS = (2, 3)
"""Version 1 had 32-bit lengths and is refused by llama.cpp, too."""
MAX_HEADER_BYTES = 256 * 2**20
"""Ten times the largest vocabulary in use. A longer header is a damaged length."""
MAX_DIMENSIONS = 4

Scalar = int | float | bool | bytes

_NUMBERS = {
    GGUFValueType.UINT8: struct.Struct("<B"),
    GGUFValueType.INT8: struct.Struct("<b"),
    GGUFValueType.UINT16: struct.Struct("<H"),
    GGUFValueType.INT16: struct.Struct("<h"),
    GGUFValueType.UINT32: struct.Struct("<I"),
    GGUFValueType.INT32: struct.Struct("<i"),
    GGUFValueType.FLOAT32: struct.Struct("<f"),
    GGUFValueType.BOOL: struct.Struct("<?"),
    GGUFValueType.UINT64: struct.Struct("<Q"),
    GGUFValueType.INT64: struct.Struct("<q"),
    GGUFValueType.FLOAT64: struct.Struct("<d"),
}
_U32 = _NUMBERS[GGUFValueType.UINT32]
_U64 = _NUMBERS[GGUFValueType.UINT64]

# Least bytes that one item takes up: a count that asks for more than the file has is damage.
_MIN_STRING = _U64.size
_MIN_KEY = _MIN_STRING + _U32.size + 1
_MIN_TENSOR = _MIN_STRING + _U32.size + _U32.size + _U64.size


@dataclass(frozen=True)
class Header:
    """The header of one file."""

    path: Path
    size: int
    """Bytes of the whole file."""
    values: dict[str, Scalar | None]
    """Metadata; ``None`` stands for an array, which nobody here needs."""
    tensors: int
    parameters: int
    data_offset: int
    """Where the tensor data begins: the length of the header with its padding."""

    @property
    def architecture(self) -> str:
        """The prefix of every model key."""
        architecture = self.text(Keys.General.ARCHITECTURE, errors="strict")
        if not architecture:
            raise damaged(self.path, f"{Keys.General.ARCHITECTURE} is missing; use another conversion of the model")
        return architecture

    def text(self, key: str, *, errors: str = "replace") -> str | None:
        """Return a string value; ``None`` when the file has no such key."""
        value = self.values.get(key)
        if key in self.values and not isinstance(value, bytes):
            raise damaged(self.path, f"{key} is {_kind(value)}, not a string")
        try:
            return value.decode(errors=errors) if isinstance(value, bytes) else None
        except UnicodeDecodeError:
            raise damaged(self.path, f"{key} is no UTF-8: {_kind(value)}") from None

    def number(self, key: str) -> int | None:
        """Return a whole number of 0 or more; ``None`` when the file has no such key."""
        value = self.values.get(key)
        if key not in self.values:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise damaged(self.path, f"{key} is {_kind(value)}, not a number of 0 or more")
        return value

    def count(self, name: str) -> int | None:
        """Return ``<architecture>.<name>``; 0 says the same as an absent key: ``None``."""
        return self.number(f"{self.architecture}.{name}") or None


class _Cursor:
    """Walks a header and refuses every length that leads past its end."""

    def __init__(self, file: BinaryIO, path: Path, size: int) -> None:
        self._file = file
        self._path = path
        self.end = min(size, MAX_HEADER_BYTES)
        self.position = 0

    def claim(self, items: int, least_bytes: int, what: str) -> None:
        """Raise unless ``items`` things of at least ``least_bytes`` each fit into what is left."""
        left = self.end - self.position
        if items * least_bytes > left:
            raise damaged(self._path, f"{what} needs {items * least_bytes} bytes of header where {left} are left")

    def take(self, length: int, what: str) -> bytes:
        self.claim(length, 1, what)
        data = self._file.read(length)
        if len(data) != length:
            raise damaged(self._path, f"it became shorter while {what} was read")
        self.position += length
        return data

    def skip(self, length: int, what: str) -> None:
        self.claim(length, 1, what)
        self._file.seek(length, os.SEEK_CUR)
        self.position += length

    def u32(self, what: str) -> int:
        return int(_U32.unpack(self.take(_U32.size, what))[0])

    def u64(self, what: str) -> int:
        return int(_U64.unpack(self.take(_U64.size, what))[0])

    def string(self, what: str) -> bytes:
        return self.take(self.u64(what), what)

    def key(self, what: str) -> str:
        raw = self.string(what)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise damaged(self._path, f"{what} is no UTF-8: {raw[:40]!r}") from None

    def value_type(self, what: str) -> GGUFValueType:
        number = self.u32(what)
        try:
            return GGUFValueType(number)
        except ValueError:
            raise damaged(self._path, f"{what} has the unknown type {number}") from None

    def value(self, what: str) -> Scalar | None:
        """Return one metadata value; arrays are skipped and give ``None``."""
        kind = self.value_type(what)
        if kind is GGUFValueType.STRING:
            return self.string(what)
        if kind is GGUFValueType.ARRAY:
            self._skip_array(what)
            return None
        layout = _NUMBERS[kind]
        number: Scalar = layout.unpack(self.take(layout.size, what))[0]
        return number

    def _skip_array(self, what: str) -> None:
        kind, items = self.value_type(what), self.u64(what)
        if kind is GGUFValueType.ARRAY:
            raise damaged(self._path, f"{what} is an array of arrays, which llama.cpp does not read")
        if kind is not GGUFValueType.STRING:
            self.skip(items * _NUMBERS[kind].size, what)
            return
        self.claim(items, _MIN_STRING, what)
        for _ in range(items):
            self.skip(self.u64(what), what)


# --- one file -----------------------------------------------------------------------------------------------------


def read_header(path: Path) -> Header:
    """Return the header of this one file. Raises ModelFileError when it is missing, damaged, cut short or no GGUF."""
    try:
        _check_is_file(path)
        with path.open("rb") as file:
            return _parse(file, path, os.fstat(file.fileno()).st_size)
    except OSError as error:
        raise damaged(path, f"cannot be read: {error.strerror}") from error


def _check_is_file(path: Path) -> None:
    if path.is_dir():
        raise damaged(path, "is a folder; name the .gguf file inside it")
    if not path.exists():
        raise damaged(path, "no such file; check the path")
    if not path.is_file():
        raise damaged(path, "is no regular file")


def _parse(file: BinaryIO, path: Path, size: int) -> Header:
    cursor = _Cursor(file, path, size)
    _check_version(cursor, path)
    tensors, keys = cursor.u64("the tensor count"), cursor.u64("the key count")
    cursor.claim(tensors, _MIN_TENSOR, f"a list of {tensors} tensors")
    cursor.claim(keys, _MIN_KEY, f"a list of {keys} keys")
    values = _read_values(cursor, path, keys)
    infos = [_read_tensor(cursor, path) for _ in range(tensors)]
    data_offset = _aligned(cursor.position, values, path)
    data_end = data_offset + max((info.end for info in infos), default=0)
    if infos and data_end > size:
        raise damaged(path, f"it has {size} bytes of {data_end}; the download is not complete, fetch it again")
    return Header(path, size, values, tensors, sum(info.weights for info in infos), min(data_offset, size))


def _check_version(cursor: _Cursor, path: Path) -> None:
    magic = cursor.take(min(len(MAGIC), cursor.end), "the magic")
    if magic != MAGIC:
        raise damaged(path, f"is no GGUF file: it begins with {magic!r}, not {MAGIC!r}")
    version = cursor.u32("the version")
    if version & 0xFFFF == 0 and version:
        raise damaged(path, "is big-endian; convert it to little-endian first")
    if version not in VERSIONS:
        raise damaged(path, f"has GGUF version {version}; versions {VERSIONS[0]} and {VERSIONS[1]} are read")


def _read_values(cursor: _Cursor, path: Path, keys: int) -> dict[str, Scalar | None]:
    values: dict[str, Scalar | None] = {}
    for index in range(keys):
        key = cursor.key(f"key {index}")
        if key in values:
            raise damaged(path, f"{key[:80]!r} is there twice")
        values[key] = cursor.value(f"the value of {key[:80]!r}")
    return values


class _TensorInfo(NamedTuple):
    weights: int
    end: int
    """Offset behind the last byte, from the beginning of the tensor data."""


def _read_tensor(cursor: _Cursor, path: Path) -> _TensorInfo:
    what = f"tensor {cursor.key('a tensor name')[:80]!r}"
    dimensions = cursor.u32(what)
    if dimensions > MAX_DIMENSIONS:
        raise damaged(path, f"{what} has {dimensions} dimensions; at most {MAX_DIMENSIONS} are possible")
    shape = [cursor.u64(what) for _ in range(dimensions)]
    kind, offset = cursor.u32(what), cursor.u64(what)
    return _TensorInfo(math.prod(shape), offset + _tensor_bytes(math.prod(shape), kind))


def _tensor_bytes(weights: int, kind: int) -> int:
    """Return the size of a tensor; of a type that the library does not know yet at least a bit per weight."""
    if kind not in GGML_QUANT_SIZES:
        return weights // 8
    weights_per_block, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    return -(-weights // weights_per_block) * block_bytes


def _aligned(position: int, values: dict[str, Scalar | None], path: Path) -> int:
    alignment = values.get(Keys.General.ALIGNMENT, GGUF_DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
        raise damaged(path, f"{Keys.General.ALIGNMENT} is {_kind(alignment)}, not a power of two")
    return -(-position // alignment) * alignment


def _kind(value: Scalar | None) -> str:
    return "an array" if value is None else repr(value[:80] if isinstance(value, bytes) else value)


def damaged(path: Path, found: str) -> ModelFileError:
    """Return the error that names the file in the one way that all messages about model files share."""
    return ModelFileError(f"model file {str(path)!r}: {found}")
