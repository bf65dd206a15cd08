"""Which of an answer's Python blocks are the program: versions, parts, usage and what belongs together. Pure."""

import re
from dataclasses import dataclass, field, replace

from judge.extract import patch
from judge.extract.candidates import Candidate, is_echo
from judge.extract.source import BUILTINS, Source, read, statements_binding
from judge.extract.values import Role

DEMOS = frozenset({"main", "demo", "example", "run", "run_demo", "run_tests", "test"})
"""Functions that show a program off; a version without them is complete."""
_FUTURE = re.compile(r"^from __future__ import [^(\n]+$", re.MULTILINE)
MAX_ROUNDS = 5
"""How often blocks are added for names that blocks added before need."""


@dataclass
class Choice:
    """The state of choosing; made and used inside ``choose`` only, then handed out and left alone."""

    kept: list[int] = field(default_factory=list)
    """Indices of the candidates whose code is taken, in order."""
    code: dict[int, Source] = field(default_factory=dict)
    """Their code, with parts of later blocks merged in."""
    roles: dict[int, tuple[Role, str]] = field(default_factory=dict)
    """Every candidate's role and why."""
    flags: set[str] = field(default_factory=set)
    unannounced: set[int] = field(default_factory=set)
    """Candidates that replace whole earlier versions, though no words say that they are better."""

    @property
    def program(self) -> str:
        """The blocks taken, joined. ``__future__`` imports go to the top: Python takes them nowhere else."""
        texts = [self.code[i].code.strip("\n") for i in sorted(self.kept)]
        if len(texts) > 1 and (futures := sorted({line for text in texts for line in _FUTURE.findall(text)})):
            texts = ["\n".join(futures), *(_FUTURE.sub("", text).strip("\n") for text in texts)]
        return "\n\n".join(texts) + "\n" if texts else ""


def choose(candidates: dict[int, Candidate], prompt: tuple[Source, ...]) -> Choice:
    """Pick the program. Candidates are by position in the answer; ``prompt`` is the code that the question shows."""
    choice = Choice()
    for i, candidate in candidates.items():
        if prompt and is_echo(candidate, prompt):
            choice.roles[i] = "echo", "the question's own code"
        elif candidate.is_tests:
            choice.roles[i] = "usage", "tests"
        elif not candidate.defines:
            choice.roles[i] = "usage", "defines nothing"
        else:
            _consider(choice, i, candidate)
    _leave_broken(choice)
    if not choice.kept:
        _patch_question(choice, candidates, prompt)
    if not choice.kept:
        _settle_for_less(choice, candidates)
    _add_needed(choice, candidates)
    if len(choice.kept) > 1:
        choice.flags.add("joined")
    choice.flags.update(flag for i in choice.kept for flag in candidates[i].flags)
    return choice


def _consider(choice: Choice, i: int, candidate: Candidate) -> None:
    rivals = [k for k in choice.kept if choice.code[k].defines & candidate.defines]
    if rivals and candidate.extends_its_own_name:
        choice.roles[i] = "alternative", "an extension of the version before it"
    elif home := _home(choice, candidate, rivals):
        _merge(choice, i, candidate, home)
    elif rivals:
        _compete(choice, i, candidate, rivals)
    elif choice.kept and (role := _beside(choice, candidate)):
        choice.roles[i] = role
    else:
        _take(choice, i, candidate, "defines " + _names(candidate.defines))


def _home(choice: Choice, part: Candidate, rivals: list[int]) -> list[int]:
    """Return the kept blocks that ``part`` may be a part of; empty when it stands for itself."""
    if rivals and (part.is_shortened or any(patch.is_partial_class(choice.code[k], part.source) for k in rivals)):
        return rivals
    if patch.is_loose_methods(part.source):
        return [k for k in choice.kept if "class " in choice.code[k].code]
    return []


def _merge(choice: Choice, i: int, part: Candidate, homes: list[int]) -> None:
    for k in reversed(homes):
        whole = (
            None if part.has_gaps else patch.with_definitions(choice.code[k], part.source, shortened=part.is_shortened)
        )
        if whole is not None and not part.is_worse and not part.is_other_way:
            choice.code[k] = read(whole)
            choice.roles[i] = "taken", "a part, put into the block before it"
            choice.flags.add("merged_fragment")
            return
    choice.roles[i] = "fragment", "a part or a shortened version of the block before it"


def _compete(choice: Choice, i: int, candidate: Candidate, rivals: list[int]) -> None:
    """Settle which version of the same definitions counts: the later one, unless something speaks against it."""
    if candidate.is_worse:
        choice.roles[i] = "draft", "announced as the wrong or a first version"
    elif candidate.source.tree is None and any(choice.code[k].tree is not None for k in rivals):
        choice.roles[i] = "draft", "does not parse, the version before it does"
    elif candidate.is_other_way and any(choice.code[k].tree is not None for k in rivals):
        choice.roles[i] = "alternative", "offered beside the version before it"
    elif candidate.is_use and any(choice.code[k].defines & candidate.source.missing for k in rivals):
        choice.roles[i] = "usage", "an example around " + _names(choice.code[rivals[0]].defines)
    else:
        if not candidate.is_better and all(choice.code[k].tree is not None for k in rivals):
            choice.unannounced.add(i)
        _supersede(choice, candidate, rivals)
        _take(choice, i, candidate, "the later version of " + _names(candidate.defines))


def _supersede(choice: Choice, candidate: Candidate, rivals: list[int]) -> None:
    """Leave out the rivals, but for those that define more: their other definitions stay, the later ones override."""
    for k in rivals:
        old = choice.code[k]
        again = old.defines & candidate.defines
        helpers = read(statements_binding(old, again)).reads
        if old.defines - again - helpers - DEMOS and old.tree is not None:
            continue
        choice.kept.remove(k)
        choice.roles[k] = "draft", f"a later block defines {_names(again)} again"


def _beside(choice: Choice, candidate: Candidate) -> tuple[Role, str] | None:
    """Say what a block of new names is when it does not belong to the program; ``None`` when it does."""
    known = frozenset().union(*(choice.code[k].defines for k in choice.kept))
    needed = frozenset().union(*(choice.code[k].missing for k in choice.kept))
    if candidate.defines & needed:
        return None
    if candidate.is_other_way or candidate.is_worse:
        return "alternative", "offered beside the program"
    if candidate.is_use and candidate.source.tree is None:
        return "usage", "an example that does not parse"
    imports_own = candidate.source.binds & known
    if candidate.is_use and (candidate.source.missing | imports_own) & known:
        return "usage", "an example that uses " + _names((candidate.source.missing | imports_own) & known)
    return None


def _leave_broken(choice: Choice) -> None:
    """Leave out blocks that do not parse and that later, whole ones do not need: one of them would break them all."""
    for k in sorted(choice.kept)[:-1]:
        later = [choice.code[j] for j in choice.kept if j > k]
        if choice.code[k].tree is None and all(s.tree and not s.missing & choice.code[k].defines for s in later):
            choice.kept.remove(k)
            choice.roles[k] = "draft", "does not parse, and what comes after it does without it"


def _take(choice: Choice, i: int, candidate: Candidate, why: str) -> None:
    choice.kept.append(i)
    choice.code[i] = candidate.source
    choice.roles[i] = "taken", why


def _patch_question(choice: Choice, candidates: dict[int, Candidate], prompt: tuple[Source, ...]) -> None:
    """Take the question's code with a corrected statement of the answer in it, when that is all the answer gives."""
    base = next((source for source in prompt if source.defines), None)
    if base is None:
        return
    for i, candidate in reversed(candidates.items()):
        whole = None if choice.roles[i][0] == "echo" else patch.with_statements(base, candidate.source)
        if whole is not None:
            _take(
                choice, i, replace(candidate, source=read(whole)), "a corrected statement, put into the question's code"
            )
            choice.flags.add("patched_question")
            return


def _settle_for_less(choice: Choice, candidates: dict[int, Candidate]) -> None:
    """Without a definition the longest script is the answer; tests alone are none."""
    spare = [i for i in candidates if choice.roles[i] == ("usage", "defines nothing")]
    trees = {i: tree for i in spare if (tree := candidates[i].source.tree) is not None}
    if scripts := [i for i, tree in trees.items() if tree.body]:
        best = max(scripts, key=lambda i: len(candidates[i].source.code))
        _take(choice, best, candidates[best], "the longest script; nothing in the answer defines a function or class")
        choice.flags.add("no_definition")


def _add_needed(choice: Choice, candidates: dict[int, Candidate]) -> None:
    """Take statements of further blocks, latest first, that bind what the program reads and does not have."""
    for _ in range(MAX_ROUNDS):
        bound = frozenset().union(*(choice.code[k].binds for k in choice.kept), BUILTINS)
        missing = frozenset().union(*(choice.code[k].reads for k in choice.kept)) - bound
        spare = [i for i in reversed(candidates) if choice.roles[i][0] in ("usage", "draft")]
        found = next((i for i in spare if candidates[i].source.binds & missing), None)
        if found is None or candidates[found].source.tree is None:
            return
        needed = candidates[found].source.binds & missing
        part = read(statements_binding(candidates[found].source, needed))
        _take(
            choice,
            found,
            replace(candidates[found], source=part),
            f"only what binds {_names(needed)}: the program needs it",
        )


def _names(names: frozenset[str]) -> str:
    shown = ", ".join(sorted(names)[:3])
    return shown + ", ..." if len(names) > 3 else shown
