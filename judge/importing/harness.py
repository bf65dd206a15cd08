"""Whether a text is a model's answer, or what was left behind by the programs around it. Pure.

A text is read line by line, as the programs write them: shells, llama.cpp, curl, Python, servers. Two rules follow:

- nothing but lines of such programs: no answer, whatever its length;
- a line that says that no model can have spoken (no such command, no model loaded, nobody at that address), the first line
  of such a program, and no code anywhere: no answer either, since programs go on to print what no list can know.

Everything else is an answer. Patterns fit whole lines from their start, so an answer that mentions an error, or a skilled
one, stays one; one that also shows code is never dropped.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Literal

Kind = Literal["fatal", "error", "log", "talk", "other"]
"""``fatal``: no model can have spoken; ``error``: something broke; ``log``: llama.cpp at work; ``talk``: what stands beside
such lines and proves nothing by itself; ``other``: may be an answer."""

QUOTED_CHARS = 120
"""Longest line that is quoted in a message."""


def harness_trouble(text: str) -> str | None:
    """Return what shows that no model wrote this text; ``None`` when it may be an answer."""
    if not text.strip("\ufeff\x00 \t\r\n\f\v"):
        return "the text is empty"
    lines = [line for line in map(str.rstrip, _ANSI.sub("", text).splitlines()) if line.strip("\ufeff\x00 \t")]
    if (said := _whole(lines)) is not None:
        return f"the harness failed: {_quoted(said)}"
    kinds = list(_kinds(lines))
    worst = next((kind for kind in ("fatal", "error", "log") if kind in kinds), None)
    nothing_else = "other" not in kinds
    if worst == "log" and nothing_else:
        return f"only a log, and no answer: {_quoted(lines[0])}"
    never_spoke = worst == "fatal" and kinds[0] != "other" and not _shows_code(lines, kinds)
    if worst in ("fatal", "error") and (nothing_else or never_spoke):
        return f"the harness failed: {_quoted(lines[kinds.index(worst)])}"
    return None


def _quoted(line: str) -> str:
    shown = " ".join(line.split())
    return repr(shown if len(shown) <= QUOTED_CHARS else f"{shown[:QUOTED_CHARS]}...")


# --- the whole text is one message ----------------------------------------------------------------------------------


def _whole(lines: Sequence[str]) -> str | None:
    """Return what a text says that is one message of a server or a harness as a whole, ``None`` when it is no such text."""
    text = "\n".join(lines).strip("\ufeff ")
    if _NOTHING.fullmatch(text):
        return text
    if text.startswith(("{", "data:", "error:")):
        return _error_document(text.removeprefix("data:").removeprefix("error:").strip())
    return _error_page(text)


_NOTHING = re.compile(
    r"(none|null|undefined|nan|n/a|error|failed|failure|time-?out|timed out|\[object object\])[.!]?", re.I
)
"""What a program writes in the place of an answer that it does not have."""


def _error_document(text: str) -> str | None:
    """llama-server, OpenAI and Ollama say {"error": ...}, FastAPI {"detail": ...}, vLLM {"object": "error", ...}."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    if said.get("object") == "error" or set(said) == {"detail"}:
        return str(said.get("message") or said.get("detail") or text)
    error = said.get("error")
    if isinstance(error, dict) and error.keys() & {"message", "code", "type"}:
        return str(error.get("message") or error.get("type") or text)
    return error if isinstance(error, str) and not said.keys() - {"error", "code", "status", "message"} else None


def _error_page(text: str) -> str | None:
    """A proxy answers with a page of HTML whose title is the status: ``502 Bad Gateway``."""
    if not re.match(r"<(!doctype html|html|head)\b", text, re.I):
        return None
    title = re.search(r"<(title|h1)>\s*((?:error )?[45]\d\d\b[^<]*)<", text, re.I)
    return title[2].strip() if title else None


# --- line by line ---------------------------------------------------------------------------------------------------


def _kinds(lines: Sequence[str]) -> Iterator[Kind]:
    """Yield the kind of every line. Indented lines after one of a program go on with it: frames of a traceback, settings."""
    before: Kind = "other"
    in_traceback = False
    for line in lines:
        indented = line[0] in " \t"
        kind = _kind(line)
        if in_traceback and (indented or _CARET.match(line)):
            kind = "talk"
        elif in_traceback and _RAISED.match(line):
            kind, in_traceback = "fatal", False
        elif kind == "other" and before in ("log", "talk") and indented and not _CODE.search(line):
            kind = before
        in_traceback = in_traceback or _TRACEBACK.match(line) is not None
        before = kind
        yield kind


def _kind(line: str) -> Kind:
    said = _STAMP.sub("", line.strip("\ufeff \t"))
    known: tuple[tuple[Kind, tuple[re.Pattern[str], ...]], ...] = (
        ("fatal", _FATAL),
        ("error", _ERROR),
        ("log", _LOG),
        ("talk", _TALK),
    )
    return next((kind for kind, patterns in known if any(pattern.match(said) for pattern in patterns)), "other")


def _shows_code(lines: Sequence[str], kinds: Sequence[Kind]) -> bool:
    # What an exception says may look like a call, and goes on over several lines.
    code = _DEFINITION if _TRACEBACK.match(lines[0]) else _CODE
    return any(kind == "other" and code.search(line) for line, kind in zip(lines, kinds, strict=True))


def _patterns(*texts: str, flags: re.RegexFlag = re.IGNORECASE) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(text, flags) for text in texts)


_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r(?!\n)")
"""Colours and the redrawing of progress."""

_STAMP = re.compile(
    r"(?:\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,Z+:]*\]?|\d+\.\d\d\.\d{3}\.\d{3}|\[\d\d:\d\d:\d\d\])"
    r"[\s:|-]*(?:(?:[IWED]|\[?(?:INFO|WARN(?:ING)?|ERROR|DEBUG|CRITICAL)\]?)[\s:|-]+(?:[\w.]+ - )?)?"
)
"""The time and the level that loggers put first, llama.cpp's own (``0.00.034.123 E``) among them."""

_TRACEBACK = re.compile(r"\s*Traceback \(most recent call last\):")
_CARET = re.compile(r"\s*[~^]+\s*$")
_RAISED = re.compile(
    r"[A-Za-z_][\w.]*(Error|Exception|Interrupt|Exit|Timeout|Warning|Refused|Failure)\b|[a-z_][\w.]*\.\w+: "
)

_PROGRAM = r"(?:\S*[/\\])?(?:llama[\w.-]*|main|server|ollama|koboldcpp[\w.-]*)(?:\.exe)?"
_SHELL = r"(?:-?(?:ba|z|da|k|a|fi)?sh|/(?:usr/)?bin/\w*sh|[\w.~/-]+\.(?:sh|bash)|/usr/bin/env|env|nohup|timeout|sudo|srun|xargs)"
_FUNCTION = r"(?:\w*_\w[\w:.]*(?:\(\))?|main|operator\(\)|(?:srv|slot|que|cmn|res) +\w+|" + _PROGRAM + ")"
"""What stands before the colon in llama.cpp's lines."""

_FATAL = _patterns(
    # shells: the program was never started
    rf"{_SHELL}: .*(command not found|not found$|no such file or directory|permission denied|exec format error"
    r"|cannot execute|is a directory|failed to run command|cannot run command|unknown command|bad interpreter)",
    r"command ['\"]?[\w./-]+['\"]? not found",
    r"'[^']+' is not recognized as an internal or external command",
    r"[\w./\\-]+ ?: The term '[^']+' is not recognized",
    r"\S+: (error while loading shared libraries: |symbol lookup error: |.*: version [`'‘]\S+ not found)",
    r"dyld(\[\d+\])?: ",
    # Python: the harness was never started, or has no client
    r"(\S*/)?python[\w.]*: (can't open file|No module named|No such file|command not found)",
    r"(ModuleNotFound|Import)Error: .*\b(llama_cpp|openai|httpx2?|requests|aiohttp|transformers|torch|ollama|vllm|tqdm|yaml)\b",
    # llama.cpp: no model, no context, wrong arguments
    rf"({_FUNCTION}: )*(error: )?(error (while )?loading|failed to load|unable to load|failure loading) (the )?model\b",
    rf"{_FUNCTION}: (error: )?(failed to (create|initiali[sz]e|init|allocate|open|read)|unable to (create|allocate|open|load)"
    r"|error loading|invalid magic|cannot (open|find))",
    rf"({_PROGRAM}: )?error: (invalid|unknown|unrecogni[sz]ed) (argument|option|parameter)",
    r"(\S+: )?error: (the following arguments|unrecognized arguments|expected value for argument|while handling argument)",
    rf"(error: )?{_PROGRAM}: .*(no such file or directory|not found$|permission denied|cannot execute|unrecognized option)",
    r"error: (model|llama runner|pull model|could not connect to ollama)\b.*(not found|terminated|manifest|running)",
    r"usage: +[\w./-]+ +\[",
    # the network: nobody at that address, or not ready
    r"curl: \((?!18\)|23\)|28\)|55\)|56\)|92\))\d+\) ",
    r"wget: .*(unable|failed|refused|error)",
    r"(error: |[\w.]*Error: |[\w.]+: )*(connection (refused|reset|aborted)\b|connection error\.?$|connect ECONNREFUSED"
    r"|failed to connect to \S+ port|could not (connect to|resolve) (host|server|proxy|\S+:\d)|max retries exceeded with"
    r"|name or service not known|no route to host|\[errno \d+\] (connection|no route|name or service|cannot assign))",
    r"<urlopen error |HTTPS?ConnectionPool\(",
    r"(http )?(error:? )?(code:? |status:? )?[45]\d\d:? *(- \{|service unavailable|bad gateway|bad request|internal server|not found"
    r"|unauthorized|too many requests|gateway time|forbidden)",
    r"internal server error$",
)
_ERROR = _patterns(
    # how shells say that a program died
    r"(.*: line \d+: +\d+ )?(killed|terminated|hangup|aborted|segmentation fault|bus error|illegal instruction"
    r"|floating point exception|trace/breakpoint trap|abort trap(: \d+)?)( +\(core dumped\))?( {2,}\S.*)?$",
    r"(zsh|fish): (killed|segmentation fault|abort|bus error|illegal hardware instruction|terminated|trace trap)\b",
    r"(out of memory|oom|oom-?kill(ed)?)([.!]|: .*)?$",
    r"slurmstepd: |terminate called (after|without|recursively)|what\(\): |libc\+\+abi: ",
    # llama.cpp
    r"(\S+: )?GGML_(ASSERT|ABORT)\b|ggml_abort\b|\S+\.(cu|cpp|c|h|m|metal):\d+: ",
    r"(\S+: )?(CUDA|HIP|ROCm|Metal|Vulkan|SYCL) error\b",
    rf"{_FUNCTION}: (error: |error = |failed to |out of memory|unable to |decode: failed)",
    # limits of the harness itself, and of whoever waited for it
    r"(\[?(error|err|fatal|warning|critical)\]?[:\s]+|[\w.]*(Error|Exception|Timeout): ?)*(the )?"
    r"(request|command|process|generation|server|model|inference|llama[\w-]*|read|operation|connection)? ?"
    r"(was |has |is )?(timed? ?out|time-?out)\b( (after|expired|exceeded|error|of|waiting)\b.*| *[:=(].*)?[.!)]*$",
    r"[\w.]*(Timeout|TimeoutExpired|TimeoutError|ConnectionError|ReadTimeout|APIError|APIStatusError|CalledProcessError)(:.*|\(.*\))?$",
    r"(command|process) .*(timed out after|died with|returned non-zero exit status) ",
    r"timeout: (sending signal|the monitored command)",
    r"curl: \(\d+\) |wget: |KeyboardInterrupt$|\^C$",
    r"(exit|return|error) (code|status):? -?\d+\.?$",
    r"(the )?(process|program|command|server) (exited|failed|died|crashed|was killed)\b( with)?[\w ]*:? ?-?\d*\.?$",
)
_LOG = _patterns(
    r"((llama|ggml|gguf|llm|common|clip|mtmd|print_info|load_(tensors|backend|hparams|vocab|model)|init_tokenizer|sched)[\w.]*"
    r"|(srv|slot|que|cmn) +\w+|main|set_abort_callback|llama[\w.-]*) *:( |$)",
    r"(build: \d|system_info: |sampler (seed|params|chain): |generate: n_ctx)",
    flags=re.RegexFlag(0),
)
_TALK = _patterns(
    _TRACEBACK.pattern,
    rf"{_FUNCTION} *: ",
    r"during handling of the above exception|the above exception was the direct cause",
    r"\.{5,}$|[-=#*]{3,}$|\[\d+/\d+\]",
    r"(running|loading|starting|testing|waiting|using|retrying|connecting|downloading|launching|warming)\b.{0,120}(\.\.\.|…)$",
    r"(# *)?(model|config|test|question|prompt|date|time|timestamp|command|seed|temperature|speed|tokens?)\b[\w /]{0,20}[:=] ",
    r"(INFO|DEBUG|WARNING|ERROR|CRITICAL):[\w.]+:|\[(INFO|DEBUG|WARNING|ERROR|CRITICAL)\] ",
    r"warning: (no usable gpu|not compiled|consult|failed|cannot|could not|couldn't|--)",
    # the progress table of curl
    r"% +Total +% +Received|Dload +Upload|(\d+ +){2,}\d+.*--:--:--",
    # where PowerShell and cmd.exe say that it was
    r"At line:\d+ char:\d+|\+ (CategoryInfo|FullyQualifiedErrorId|~+$|\S*llama\S* )|Check the spelling of the name"
    r"|operable program or batch file",
    r"make(\[\d+\])?: \*\*\* ",
)
_DEFINITION = re.compile(r"```|~~~|^\s*(async def|def|class) \w")
_CODE = re.compile(
    _DEFINITION.pattern + r"|`[^`\n]+`|^\s*@\w|\blambda\b.*:"
    r"|^\s*(return|yield|raise|import|from|for|while|if|try|with)\b.*[\w:)\]]$"
    r"|^\s*[\w.]+(\[[^\]]*\])*\s*([-+*/|&]?=)\s*[^=].*[(\[]|\w\(.*\)\s*$"
)
"""Anything that may be code; generous, since a text with code is dropped only when every line is a program's."""
