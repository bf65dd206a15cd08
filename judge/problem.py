"""What is wrong in a file of the library. Pure."""

from runner.types import Value


class Problem(Value):
    """Something wrong in a file of the library."""

    file: str
    line: int | None
    """1-based; ``None`` when it is about the file as a whole."""
    field: str
    """``questions.C-T1-Q1.criteria[2].weight``; empty when it is about no field in particular."""
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.field, self.message) if part)
