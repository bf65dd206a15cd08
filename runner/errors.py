"""What can go wrong while something runs, named after the boundary that broke.

RunnerError
├── UsageError            what was asked for cannot be done (a config on the wrong model, an experts count out of range)
├── ModelFileError        a GGUF file is missing, damaged, incomplete or not what was asked for
├── ServerError           a model server did not start, died, or is not the one that was asked for
│   └── ProofError        the server's log does not prove that it runs as it was told to
├── EndpointError         a request to a model endpoint failed; says whether asking again could help
│   ├── BadReply          a reply arrived and is none: empty, without a finish reason, withheld; one says nothing of the endpoint
│   │   └── StreamCut     a stream broke off without a finish reason, or with that of a fault; carries what had arrived
│   ├── NoReply           nothing came for as long as a reply may take: asked for again, but less often than other failures
│   ├── ContextExceeded   the prompt does not fit the model's context: permanent, a state of the answer
│   └── AccessDenied      401 / 403: every further request would fail too, so this endpoint is asked for nothing more
└── SandboxError          the sandbox itself broke: infrastructure, never a failed check
    └── IsolationMissing  this machine lacks something that a sandbox needs; says how to get it

Every message is one line: what was asked, what was found, what to do.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.types import Reply


class RunnerError(Exception):
    """Base of everything that this package raises on purpose."""


class UsageError(RunnerError):
    """The request cannot be fulfilled as asked; nothing was started."""


class ModelFileError(RunnerError):
    """A model file is missing, damaged or incomplete."""


class ServerError(RunnerError):
    """A model server did not start, died, or answers as a different model."""


class ProofError(ServerError):
    """The log of a started server does not prove the requested settings; the arm must not be used."""


class EndpointError(RunnerError):
    """A request failed.

    ``status`` is the HTTP status that says so; ``None`` when no reply arrived, or one whose status was no error and that cannot be
    used (``BadReply``, or a page that is no completion). ``transient`` is True when the same request may
    succeed later; ``retry_after_s`` is how long the server asked to wait, seconds, ``None`` when it did not say.
    """

    def __init__(
        self, message: str, *, status: int | None = None, transient: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.transient = transient
        self.retry_after_s = retry_after_s


class BadReply(EndpointError):
    """A reply arrived, and it cannot be used: the endpoint is up, and another prompt may well get its reply there."""


class StreamCut(BadReply):
    """A reply was broken off, such as a stream that ended without a finish reason. Never an answer to be scored.

    ``reply`` is the part that had arrived.
    """

    def __init__(self, message: str, *, reply: "Reply") -> None:
        super().__init__(message, transient=True)
        self.reply = reply


class NoReply(EndpointError):
    """Nothing came for as long as a reply may take. The next attempt may wait as long, so there are few of them."""

    def __init__(self, message: str) -> None:
        super().__init__(message, transient=True)


class ContextExceeded(EndpointError):
    """The prompt is longer than the context of the model."""


class AccessDenied(EndpointError):
    """The endpoint refused the key (401 or 403)."""


class SandboxError(RunnerError):
    """The sandbox could not be set up or broke; says nothing about the answer."""


class IsolationMissing(SandboxError):
    """This machine does not offer what was tried; ``fix`` says in one line how to get it."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.fix = fix
