"""What a GGUF model says about itself, and a fingerprint of its content.

A model is one file or several parts (``name-00001-of-00003.gguf``); the first part has the metadata. Only headers and
sampled blocks are read, so that a model of 300 GB takes no longer than a small one.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from gguf.constants import Keys, LlamaFileType

from runner.gguf_header import Header, damaged, read_header
from runner.types import ModelFile

BLOCK_BYTES = 64 * 2**10
INNER_BLOCKS = 16
"""Blocks that are sampled between the first and the last one of the tensor data."""

_SPLIT_NAME = re.compile(r"(?P<stem>.+)-(?P<part>\d{5})-of-(?P<count>\d{5})\.gguf")


def read_model(path: Path) -> ModelFile:
    """Return what the header of ``path`` says; any part of a split model stands for the whole of it.

    Raises ModelFileError when the file, or another part of it, is missing, damaged, incomplete or no GGUF.
    """
    parts = _read_parts(path)
    first = parts[0]
    experts = first.count("expert_count")
    return ModelFile(
        path=str(first.path),
        parts=len(parts),
        size_bytes=sum(part.size for part in parts),
        architecture=first.architecture,
        name=first.text(Keys.General.NAME),
        quantisation=_quantisation(first),
        parameters=sum(part.parameters for part in parts),
        context_length=first.count("context_length"),
        expert_count=experts,
        expert_used_count=first.count("expert_used_count") if experts else None,
        fingerprint=_fingerprint(parts),
    )


# --- all parts of a model -----------------------------------------------------------------------------------------


def _read_parts(path: Path) -> list[Header]:
    """Return the headers of all parts of the model that ``path`` belongs to, the first part first."""
    asked = read_header(path)
    parts = [asked if p == path else read_header(p) for p in _part_paths(asked)]
    _check_parts(parts)
    return parts


def _part_paths(part: Header) -> list[Path]:
    """Return the files of all parts: the header says how many, as in llama.cpp; the names only tell where they are."""
    count = part.number(Keys.Split.LLM_KV_SPLIT_COUNT) or 1
    if count == 1:
        return [part.path]
    match = _SPLIT_NAME.fullmatch(part.path.name)
    if match is None or int(match["count"]) != count:
        raise damaged(part.path, f"is one of {count} parts, but its name does not end in -00001-of-{count:05}.gguf")
    paths = [part.path.with_name(f"{match['stem']}-{n:05}-of-{count:05}.gguf") for n in range(1, count + 1)]
    for number, path in enumerate(paths, start=1):
        if not path.exists():
            raise damaged(part.path, f"part {number} of {count} is missing; put {path.name!r} into the same folder")
    return paths


def _check_parts(parts: list[Header]) -> None:
    for index, part in enumerate(parts):
        number = part.number(Keys.Split.LLM_KV_SPLIT_NO) or 0
        count = part.number(Keys.Split.LLM_KV_SPLIT_COUNT) or 1
        if (number, count) != (index, len(parts)):
            said = f"says that it is part {number + 1} of {count}"
            raise damaged(part.path, f"{said}, not {index + 1} of {len(parts)}; parts of two models are mixed")
    promised = parts[0].number(Keys.Split.LLM_KV_SPLIT_TENSORS_COUNT)
    found = sum(part.tensors for part in parts)
    if len(parts) > 1 and promised is not None and promised != found:
        raise damaged(parts[0].path, f"the parts have {found} tensors of {promised}; parts of two models are mixed")


def _quantisation(part: Header) -> str | None:
    number = part.number(Keys.General.FILE_TYPE)
    if number is None:
        return None
    # This bit only says that llama.cpp guessed the type from the tensors.
    number &= ~LlamaFileType.GUESSED
    try:
        return LlamaFileType(number).name.removeprefix("MOSTLY_").removeprefix("ALL_")
    except ValueError:
        return f"file type {number}"


# --- fingerprint --------------------------------------------------------------------------------------------------


def _fingerprint(parts: Iterable[Header]) -> str:
    """Hash the size, the whole header and sampled blocks of the tensor data of every part: about 1 MB a part."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(f"{part.size} {part.data_offset}\n".encode())
        try:
            with part.path.open("rb") as file:
                for offset, length in _samples(part):
                    file.seek(offset)
                    sha.update(file.read(length))
        except OSError as error:
            raise damaged(part.path, f"cannot be read: {error.strerror}") from error
    return sha.hexdigest()[:16]


def _samples(part: Header) -> list[tuple[int, int]]:
    """Return (offset, length) of what is hashed; tensor data that is not longer than all blocks is hashed whole."""
    header = (0, part.data_offset)
    data = part.size - part.data_offset
    if data <= BLOCK_BYTES * (INNER_BLOCKS + 2):
        return [header, (part.data_offset, data)]
    last = data - BLOCK_BYTES
    starts = [part.data_offset + last * n // (INNER_BLOCKS + 1) for n in range(INNER_BLOCKS + 2)]
    return [header, *((start, BLOCK_BYTES) for start in starts)]
