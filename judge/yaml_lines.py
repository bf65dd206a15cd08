"""YAML text -> plain data and the line of every value in it, so that each problem can name file, line and field.  Pure.

Beyond what YAML itself forbids, keys that stand twice and keys that are not text are problems too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import yaml

from judge.problem import Problem

Where = tuple[str | int, ...]
"""Path of a value: keys and list indices from the root, ``("questions", 0, "prompt")``."""


@dataclass(frozen=True)
class Document:
    """A parsed file. With a syntax error ``data`` is ``None`` and ``problems`` says why."""

    file: str
    """As it is shown to the user."""
    data: Any
    """Plain dicts with text keys, lists and scalars; ``None`` also for an empty file."""
    lines: Mapping[Where, int]
    """1-based line of every value; that of its key where it has one."""
    problems: tuple[Problem, ...] = ()

    def problem(self, where: Where, message: str) -> Problem:
        """Return a problem of the value at ``where``; one that is not there has the line of what should hold it."""
        return Problem(file=self.file, line=self.line(where), field=as_field(where), message=message)

    def line(self, where: Where) -> int | None:
        """Return the line of the value at ``where``, or of the nearest thing around it."""
        around = (where[:length] for length in range(len(where), -1, -1))
        return next((self.lines[place] for place in around if place in self.lines), None)

    def each(self, *pattern: str | int) -> list[tuple[Where, Any]]:
        """Return every value whose path fits, ``*`` being any key or index; what has another shape is passed over."""
        found: list[tuple[Where, Any]] = [((), self.data)]
        for step in pattern:
            found = [
                ((*where, key), child)
                for where, value in found
                for key, child in _children(value)
                if step in ("*", key)
            ]
        return found


def parse(text: str, file: str) -> Document:
    """Read one YAML document; never raises, what is wrong is among the problems."""
    reader = _Reader(file)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = None if node is None else reader.read(node, ())
    except yaml.MarkedYAMLError as error:
        return _unreadable(file, error.problem or error.context or "syntax error", error.problem_mark)
    except (yaml.YAMLError, ValueError) as error:
        return _unreadable(file, " ".join(str(error).split()))
    except RecursionError:
        return _unreadable(file, "nested too deeply, or an alias that holds itself")
    return Document(file, data, reader.lines, tuple(reader.problems))


def dump(value: Any) -> str:
    """Return plain data as YAML, keys in the order given."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)


def as_field(where: Where) -> str:
    """Write a path as people do: ``questions.C-T1-Q1.criteria[2].weight``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where).removeprefix(".")


def _unreadable(file: str, why: str, mark: yaml.Mark | None = None) -> Document:
    line = None if mark is None else mark.line + 1
    return Document(file, None, {}, (Problem(file=file, line=line, field="", message=f"not valid YAML: {why}"),))


def _children(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


@dataclass
class _Reader:
    """Walks composed nodes, because plain ``yaml.safe_load`` forgets lines and silently drops keys that stand twice."""

    file: str
    lines: dict[Where, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    constructor: Any = field(default_factory=yaml.constructor.SafeConstructor)
    checked: set[int] = field(default_factory=set)
    """Mappings whose keys were checked: an alias leads to the same one again."""

    def read(self, node: yaml.Node, where: Where) -> Any:
        self.lines.setdefault(where, _line(node))
        match node:
            case yaml.MappingNode():
                return self._mapping(node, where)
            case yaml.SequenceNode():
                return [self.read(child, (*where, index)) for index, child in enumerate(node.value)]
            case _:
                return self.constructor.construct_object(node)

    def _mapping(self, node: yaml.MappingNode, where: Where) -> dict[str, Any]:
        if id(node) not in self.checked:
            self.checked.add(id(node))
            self._check_keys(node, where)
            self.constructor.flatten_mapping(node)  # resolves "<<: *anchor"; own keys come last and win
        data = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            self.lines[(*where, key)] = _line(key_node)
            data[key] = self.read(value_node, (*where, key))
        return data

    def _check_keys(self, node: yaml.MappingNode, where: Where) -> None:
        for key, _ in node.value:
            if key.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"):
                self._problem(key, where, f"the key {_shown(key)} is not text: put it in quotes")
        for first, again in pairwise(sorted((key for key, _ in node.value), key=lambda key: (_shown(key), _line(key)))):
            if _shown(first) == _shown(again):
                self._problem(again, where, f"the key {_shown(again)} stands twice: line {_line(first)} has it too")

    def _problem(self, node: yaml.Node, where: Where, message: str) -> None:
        problem = Problem(file=self.file, line=_line(node), field=as_field(where), message=message)
        self.problems.append(problem)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _shown(key: yaml.Node) -> str:
    return repr(key.value) if isinstance(key, yaml.ScalarNode) else f"on line {_line(key)}"
