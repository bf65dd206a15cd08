"""What a block is: a Python candidate with what it defines and needs, or something else and why. Pure."""

import ast
import re
from dataclasses import dataclass

from judge.extract import cues
from judge.extract.blocks import Found
from judge.extract.repair import repaired, trimmed
from judge.extract.source import Definition, Source, last_line, read
from judge.extract.values import Role

_PYTHON = {"python", "python3", "python2", "py", "py3", "ipython", "pycon", "python-repl", "sage", "cython", "pyi"}
_SHELL = {"bash", "sh", "shell", "zsh", "console", "terminal", "powershell", "cmd", "fish", "batch", "shell-session"}
_UNSURE = frozenset(("", "text", "txt", "plaintext", "plain", "code", "output", "none", "log", "stdout", "pseudocode"))
_DIFF = {"diff", "patch", "udiff"}

_SIGNS = re.compile(r"^(?:async def|def|class) \w+.*:?|^(?:import|from) \w+|^@\w+", re.MULTILINE)
_SHELL_LINE = re.compile(
    r"^(?:[$%] )?(?:pip3?|python3?|conda|uv|poetry|pytest|cd|mkdir|npm|git|sudo|apt(?:-get)?)\s", re.MULTILINE
)
_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.|In \[\d+\]:|\.\.\.:)(?: |$)", re.MULTILINE)
_SESSION = re.compile(r"\A(?:\s*\n)?[ \t]*(?:>>>|In \[\d+\]:) ")
_DIFF_BODY = re.compile(r"^@@ .*@@|^--- .*\n\+\+\+ ", re.MULTILINE)
_TEST_BASES = {"TestCase", "IsolatedAsyncioTestCase"}


@dataclass(frozen=True)
class Candidate:
    """A block read as Python."""

    found: Found
    source: Source
    flags: tuple[str, ...] = ()
    """What was done to the code of the block."""

    @property
    def defines(self) -> frozenset[str]:
        """Functions, classes and named lambdas."""
        return self.source.defines

    @property
    def is_tests(self) -> bool:
        """True when every definition is a test."""
        nodes = definitions(self.source)
        return bool(nodes) and all(is_test(node) for node in nodes)

    @property
    def is_shortened(self) -> bool:
        """True when comments or empty bodies stand for code that is left out."""
        return bool(cues.omissions(self.source.code)) or _is_skeleton(self.source)

    @property
    def extends_its_own_name(self) -> bool:
        """True for ``class Stack(Stack):``, which needs the version before it."""
        return any(
            isinstance(node, ast.ClassDef) and any(getattr(base, "id", None) == node.name for base in node.bases)
            for node in definitions(self.source)
        )

    @property
    def has_gaps(self) -> bool:
        """True when code is left out inside a function, so that the function cannot replace a whole one."""
        gaps = cues.omissions(self.source.code)
        functions = _functions(self.source)
        return any(all(map(_is_empty, f.body)) or gaps & set(range(f.lineno, last_line(f) + 1)) for f in functions)

    @property
    def is_better(self) -> bool:
        """True when the text before it says that this version replaces another."""
        return cues.better(self.found.intro) and not self.is_worse

    @property
    def is_worse(self) -> bool:
        """True when the last line before it announces the code that is wrong or only a first attempt."""
        return cues.worse(self.found.intro.rpartition("\n")[2])

    @property
    def is_other_way(self) -> bool:
        """True when the text before it offers this version beside another one."""
        return cues.other_way(self.found.intro)

    @property
    def is_use(self) -> bool:
        """True when the text before it announces usage or tests."""
        return cues.use(self.found.intro)


def classify(found: Found) -> Candidate | tuple[Role, str]:
    """Read a block as Python, or say which role it has instead and why."""
    if found.language in _DIFF or _DIFF_BODY.search(found.code):
        return "fragment", "a diff"
    session = _SESSION.search(found.code) or (found.form == "unfenced" and _PROMPT.search(found.code))
    if session:
        return _session(found)
    if found.language in _SHELL:
        return "shell", f"labelled {found.language!r}"
    candidate = _candidate(found)
    if found.language in _PYTHON:
        return candidate if candidate.source.tree is not None or _looks_python(found.code) else _not_python(found)
    if found.language in _UNSURE:
        return candidate if _is_python(candidate) else _not_python(found)
    if candidate.source.tree is not None and candidate.defines:
        return Candidate(found, candidate.source, (*candidate.flags, "mislabelled"))
    return "other_language", f"labelled {found.language!r}"


def definitions(source: Source) -> list[Definition]:
    """Return the functions and classes of the module itself."""
    return [node for node in source.tree.body if isinstance(node, Definition)] if source.tree else []


def is_test(node: Definition) -> bool:
    """Tell whether this is a test function or a unittest class."""
    if not isinstance(node, ast.ClassDef):
        return node.name.startswith("test_")
    bases = {getattr(base, "attr", getattr(base, "id", None)) for base in node.bases}
    return bool(bases & _TEST_BASES) or (
        node.name.startswith("Test")
        and any(isinstance(n, Definition) and n.name.startswith("test_") for n in node.body)
    )


def _is_skeleton(source: Source) -> bool:
    functions = _functions(source)
    return bool(functions) and all(_is_empty(statement) for function in functions for statement in function.body)


def _functions(source: Source) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    nodes = ast.walk(source.tree) if source.tree else ()
    return [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def _is_empty(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _candidate(found: Found) -> Candidate:
    source, flags = repaired(found.code)
    if found.form != "fence":
        flags = (*flags, {"indented": "indented_block"}.get(found.form, found.form))
    if found.closed:
        return Candidate(found, source, flags)
    if found.form == "fence":
        flags = (*flags, "truncated_fence")
    if source.tree is None and (cut := trimmed(source)):
        source, dropped = cut
        flags = (*flags, "trimmed_tail") if found.form == "fence" or _looks_python(dropped) else flags
    return Candidate(found, source, flags)


def _session(found: Found) -> Candidate | tuple[Role, str]:
    typed = [_PROMPT.sub("", line, count=1) for line in found.code.split("\n") if _PROMPT.match(line)]
    source, flags = repaired("\n".join(typed) + "\n")
    if source.tree is None:
        return "output", "a session whose input does not parse"
    return Candidate(found, source, (*flags, "repl_session"))


def _looks_python(code: str) -> bool:
    return bool(_SIGNS.search(code))


def _is_python(candidate: Candidate) -> bool:
    tree = candidate.source.tree
    if tree is None:
        return _looks_python(candidate.source.code)
    return any(not isinstance(node, ast.Expr) or isinstance(node.value, ast.Call | ast.Await) for node in tree.body)


def _not_python(found: Found) -> tuple[Role, str]:
    if _SHELL_LINE.search(found.code):
        return "shell", "commands"
    return "output", "neither Python nor commands"


def is_echo(candidate: Candidate, prompt: tuple[Source, ...]) -> bool:
    """Tell whether every definition of the candidate already stands in the question, word for word but for comments."""
    if not definitions(candidate.source):
        text = candidate.source.code.split()
        return bool(text) and any(text == source.code.split() for source in prompt)
    own = candidate.source.shapes
    return bool(own) and own <= frozenset().union(*(source.shapes for source in prompt))


def prompt_sources(blocks: tuple[Found, ...]) -> tuple[Source, ...]:
    """Return the code that the question itself shows."""
    return tuple(
        source for source in (read(block.code) for block in blocks) if source.tree is not None and source.tree.body
    )
