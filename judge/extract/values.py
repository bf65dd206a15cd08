"""What was taken from an answer, and why."""

from typing import Literal

from runner.types import Value

Role = Literal["taken", "usage", "draft", "alternative", "fragment", "other_language", "shell", "output", "echo"]
"""What became of a block. ``taken``: its code is in the program, whole or merged. ``usage``: examples and tests.
``draft``: replaced by a later version. ``alternative``: offered beside the one taken. ``fragment``: a part of
something, a diff, or code with omissions. ``echo``: the question's own code."""


class Block(Value):
    """One block of an answer that could have been the program."""

    language: str
    """Its label in lower case; empty when it has none."""
    first_line: int
    """1-based line of the answer, its fence included."""
    last_line: int
    """Inclusive."""
    role: Role
    why: str
    """One plain line."""


class Extraction(Value):
    """The one Python program of an answer."""

    state: Literal["ok", "no_code"]
    """``no_code``: nothing in the answer is Python; that is the model's doing, not a failure of ours."""
    code: str
    """As the model wrote it, blocks joined in order; empty without code. Usage is still in it: see ``runnable``."""
    earlier: str = ""
    """The program with the version before the last one, when no words say that the last one is better; else empty."""
    reason: str
    """One plain line: what was taken, or why nothing was."""
    blocks: tuple[Block, ...]
    """In order of appearance."""
    parses: bool
    """On the Python that runs this; False without code."""
    syntax_error: str | None
    """One line; ``None`` when the code parses and when there is none."""
    flags: tuple[str, ...]
    """Sorted names of everything unusual: ``reasoning_removed``, ``unclosed_reasoning``, ``prompt_echo``,
    ``later_turns_cut``, ``truncated_fence``, ``trimmed_tail``, ``joined``, ``merged_fragment``, ``patched_question``,
    ``diff``, ``repl_session``, ``unfenced``, ``indented_block``, ``inline``, ``html``, ``json``, ``mislabelled``,
    ``no_definition``, ``too_many_blocks``, and the repairs ``dedented``, ``invisible_characters``,
    ``html_entities``, ``smart_quotes``, ``notebook_lines``, ``line_numbers``, ``tabs``."""


class Program(Value):
    """Code as it is executed: definitions and what they need, without the usage around them."""

    code: str
    """Dropped lines are empty, so that line numbers stay those of the extracted code (unless it has several
    statements on one line). Unchanged when it does not parse."""
    dropped: tuple[str, ...]
    """What was left out, one ``line N: first line of the statement`` each, N counted in the extracted code."""
    defines: tuple[str, ...]
    """Functions and classes of the module in order, so that a check can find its entry point by name."""
    gone: tuple[str, ...] = ()
    """Names that only dropped statements bind, sorted."""
    parses: bool
    """True when the code compiles on the Python that runs this."""
    syntax_error: str | None
    """One line; ``None`` when it compiles."""
