"""The frozen values around one sandboxed answer: what it may use, what it defines, what its calls came to.

Everything that a value here quotes from the answer (results, names, messages, output) is untrusted text.
"""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from runner.types import Value


class Limits(Value):
    """What one answer may use. The sandbox dies with the first call that breaks a limit of time."""

    memory_bytes: int = Field(default=1 << 30, ge=128 << 20)
    """Address space; an allocation beyond it raises MemoryError in the answer."""
    cpu_s: int = Field(default=5, ge=1)
    """Processor time of the whole answer, all threads together."""
    call_wall_s: float = Field(default=4.0, gt=0)
    """Wall-clock time of loading, and of each call."""
    answer_wall_s: float = Field(default=60.0, gt=0)
    """Wall-clock time of the sandbox from its start to its last reply."""
    file_bytes: int = Field(default=16 << 20, ge=0)
    """Largest file; there is no writable file system anyway."""
    open_files: int = Field(default=64, ge=16)
    threads: int = Field(default=32, ge=4)
    """Threads of the answer and of the process that runs it. Without a user namespace only its memory limits them."""
    stdout_bytes: int = Field(default=64 << 10, ge=0)
    """Output kept, the last bytes; the rest is read and dropped."""
    reply_bytes: int = Field(default=1 << 20, ge=1 << 10)
    """One encoded result. A larger honest one comes back opaque; a larger frame is tampering."""


ParameterKind = Literal["positional_only", "positional_or_keyword", "var_positional", "keyword_only", "var_keyword"]
FunctionKind = Literal["function", "method", "classmethod", "staticmethod", "property"]


class Parameter(Value):
    """One parameter of a function."""

    name: str
    kind: ParameterKind
    has_default: bool
    default: str | None
    """``repr`` of the default; ``None`` without one."""
    annotation: str | None
    """As text; ``None`` without one."""


class Function(Value):
    """One function, method or property. Decorated ones are described by what they wrap."""

    name: str
    """The name it is bound to, which is what to call."""
    kind: FunctionKind
    parameters: tuple[Parameter, ...]
    """Without ``self`` and ``cls``."""
    returns: str | None
    is_async: bool
    is_generator: bool
    doc: str | None
    line: int | None


class Class(Value):
    """One class with its methods, those of its bases in the same answer included."""

    name: str
    bases: tuple[str, ...]
    methods: tuple[Function, ...]
    doc: str | None
    line: int | None

    def method(self, name: str) -> Function | None:
        """Return the method or property of this name, ``None`` when there is none."""
        return next((method for method in self.methods if method.name == name), None)


class Inventory(Value):
    """What an answer defines, in order of definition. Reported from inside, so a claim and not a proof."""

    functions: tuple[Function, ...] = ()
    classes: tuple[Class, ...] = ()


class Raised(Value):
    """An exception that left the answer."""

    type: str
    bases: tuple[str, ...]
    """Names in the order of method resolution, the class itself first."""
    message: str
    line: int | None
    """Last line of the answer that it went through; of the mistake for a SyntaxError."""

    def is_a(self, name: str) -> bool:
        """True when the exception is of a class of this name or of a subclass."""
        return name in self.bases


class Work(Value):
    """What a counted call did; the same on every machine."""

    instructions: int
    """Bytecode instructions of the answer's own code."""
    c_calls: int
    """Calls from the answer's code into C."""
    touched: int
    """Items of counted arguments that were copied, scanned or compared."""

    @property
    def total(self) -> int:
        """All three together: the figure that a cap applies to."""
        return self.instructions + self.c_calls + self.touched


LoadState = Literal["ok", "error", "timeout", "died", "tampered"]
CallState = Literal["returned", "raised", "missing", "aborted", "timeout", "died", "tampered"]
"""``missing``: the answer has no such function or attribute; ``aborted``: the cap of a counted call was reached."""


class Loaded(Value):
    """How loading an answer as a module went."""

    state: LoadState
    inventory: Inventory = Inventory()
    error: Raised | None = None
    """For ``error``: what the answer raised, SystemExit and SyntaxError included."""
    message: str | None = None
    """One line for ``timeout``, ``died`` and ``tampered``."""
    stdout: str = ""
    """What it printed, stderr included; the last bytes."""

    @property
    def ok(self) -> bool:
        """True when the answer is loaded and can be called."""
        return self.state == "ok"


@dataclass(frozen=True, slots=True)
class CallResult:
    """How one call went. Only ``returned`` carries a value. Not a model: what it is made of has been checked."""

    state: CallState
    value: Any = None
    """Rebuilt in exact builtin types; other objects are Handle (top level) or Opaque (nested)."""
    error: Raised | None = None
    args_after: tuple[Any, ...] | None = None
    """Positional arguments after the call when it changed any of them in place, else ``None``."""
    awaited: bool = False
    """True when the call gave an awaitable and ``value`` is what awaiting it gave."""
    work: Work | None = None
    """``None`` when the call was not counted."""
    message: str | None = None
    """One line for every state but ``returned`` and ``raised``."""
    stdout: str = ""
    """What was printed during the call, stderr included; the last bytes."""

    @property
    def ok(self) -> bool:
        """True when there is a value."""
        return self.state == "returned"


class Sleep(Value):
    """One sleep on the fake clock."""

    by: Literal["time.sleep", "asyncio.sleep", "threading.wait"]
    seconds: float
    at_s: float
    """Seconds on the fake clock from the start of the sandbox to the start of the sleep."""
    in_event_loop: bool
    """True when a loop was running in that thread; ``time.sleep`` then blocks every other task."""


class ClockState(Value):
    """The fake clock."""

    elapsed_s: float
    """Seconds since the start of the sandbox."""
    sleeps: tuple[Sleep, ...]


class ScriptedCall(Value):
    """One call that a scripted callable received."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    at_s: float
    """Seconds on the fake clock; 0.0 with the real one."""
