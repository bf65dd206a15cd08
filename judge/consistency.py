"""What must hold between fields and between files of the library.  Pure.

The checks look at plain data and pass over whatever has the wrong shape (``shapes`` reports that), so that one
mistake never hides another.
"""

from collections.abc import Collection, Iterator

from judge.problem import Problem
from judge.yaml_lines import Document, Where, as_field
from runner.errors import UsageError
from runner.types import Config

SCORES = (1, 2, 3, 4, 5)


def suite_problems(questions: Document, rubrics: Document) -> Iterator[Problem]:
    """Check the two files of a suite, each by itself and against each other."""
    yield from _same_suite(questions, rubrics)
    yield from _repeated(questions, "id", "questions", "*", "id")
    yield from _repeated(questions, "test name", "questions", "*", "test")
    yield from _repeated(rubrics, "id", "tiers", "*", "id")
    yield from _repeated(rubrics, "id", "roles", "*", "id")
    yield from _scale(rubrics)
    yield from _tiers(questions, rubrics)
    for where, _ in rubrics.each("questions", "*", "criteria"):
        yield from _criteria(rubrics, where)
    yield from _pairs(questions, rubrics)


def models_problems(models: Document, roles: Collection[str]) -> Iterator[Problem]:
    """Check models.yaml; ``roles`` are those of the suite, none leaves roles unchecked."""
    yield from _repeated(models, "role", "models", "*", "role")
    yield from _unknown(models, "role", roles, "models", "*", "role")
    architectures = [name for _, name in _keys(models, "architectures")]
    yield from _unknown(models, "architecture", architectures, "models", "*", "arch")
    yield from _configs(models)
    yield from _expected_speeds(models)


def roles_of(rubrics: Document) -> list[str]:
    """Return the ids of the roles, as far as they can be read."""
    return _texts(rubrics, "roles", "*", "id")


# --- suite --------------------------------------------------------------------------------------------------------


def _same_suite(questions: Document, rubrics: Document) -> Iterator[Problem]:
    asked, scored = _texts(questions, "suite"), _texts(rubrics, "suite")
    if asked and scored and asked != scored:
        yield questions.problem(("suite",), f"is {asked[0]!r}, but {rubrics.file} is of suite {scored[0]!r}")


def _scale(rubrics: Document) -> Iterator[Problem]:
    described = [score for _, score in rubrics.each("scale", "*", "scores", "*")]
    if described and sorted(described, key=str) != list(SCORES) and all(score in SCORES for score in described):
        shown = ", ".join(map(str, described))
        yield rubrics.problem(("scale",), f"describes the scores {shown}: describe each of 1-5 once")


def _tiers(questions: Document, rubrics: Document) -> Iterator[Problem]:
    known = _texts(rubrics, "tiers", "*", "id")
    yield from _unknown(questions, "tier", known, "questions", "*", "tier")
    for part in ("targets", "thresholds"):
        for where, tier in _keys(rubrics, "roles", "*", part):
            if known and tier not in known:
                yield rubrics.problem(where, _not_known("tier", tier, known))


def _criteria(rubrics: Document, where: Where) -> Iterator[Problem]:
    yield from _repeated(rubrics, "id", *where, "*", "id")
    weights = [weight for _, weight in rubrics.each(*where, "*", "weight")]
    complete = len(weights) == len(rubrics.each(*where, "*")) > 0
    if complete and all(type(weight) is int and weight > 0 for weight in weights) and sum(weights) != 100:
        terms = " + ".join(map(str, weights))
        yield rubrics.problem(where, f"the weights {terms} sum to {sum(weights)}: make it 100")


def _pairs(questions: Document, rubrics: Document) -> Iterator[Problem]:
    scored = [question_id for _, question_id in _keys(rubrics, "questions")]
    asked = questions.each("questions", "*", "id")
    for where, question_id in asked:
        if scored and isinstance(question_id, str) and question_id not in scored:
            yield questions.problem(where, f"{question_id!r} has no criteria in {rubrics.file}")
    ids = [question_id for _, question_id in asked]
    for question_id in scored:
        if ids and question_id not in ids:
            yield rubrics.problem(("questions", question_id), f"has criteria but no question in {questions.file}")


# --- models -------------------------------------------------------------------------------------------------------


def _configs(models: Document) -> Iterator[Problem]:
    for where, _ in models.each("architectures", "*"):
        yield from _config_list(models, where, dense=where[-1] == "dense")
    for where, arch in models.each("models", "*", "arch"):
        yield from _config_list(models, (*where[:-1], "configs"), dense=arch == "dense")


def _config_list(models: Document, where: Where, *, dense: bool) -> Iterator[Problem]:
    seen: list[str] = []
    for place, name in models.each(*where, "*"):
        if name in seen:
            yield models.problem(place, f"config {name!r} stands twice")
        elif dense and _needs_experts(name):
            yield models.problem(place, f"config {name!r} needs experts, but the architecture is dense")
        seen.append(name)


def _needs_experts(name: object) -> bool:
    try:
        return isinstance(name, str) and Config.parse(name).experts is not None
    except UsageError:
        return False


def _expected_speeds(models: Document) -> Iterator[Problem]:
    for where, arch in models.each("models", "*", "arch"):
        own = _texts(models, *where[:-1], "configs", "*")
        tested = own or _texts(models, "architectures", str(arch), "*")
        for place, name in _keys(models, *where[:-1], "expected_tps"):
            if tested and name not in tested:
                yield models.problem(place, f"this config is not tested: configs are {', '.join(tested)}")


# --- both ---------------------------------------------------------------------------------------------------------


def _repeated(document: Document, noun: str, *pattern: str | int) -> Iterator[Problem]:
    first: dict[str, Where] = {}
    for where, value in document.each(*pattern):
        if not isinstance(value, str):
            continue
        if value in first:
            place = f"{as_field(first[value])} on line {document.line(first[value])}"
            yield document.problem(where, f"the {noun} {value!r} is taken by {place}")
        first.setdefault(value, where)


def _unknown(document: Document, noun: str, known: Collection[str], *pattern: str) -> Iterator[Problem]:
    """Nothing is known only where the list of what is known is itself missing, which is a problem of its own."""
    for where, value in document.each(*pattern):
        if known and isinstance(value, str) and value not in known:
            yield document.problem(where, _not_known(noun, value, known))


def _not_known(noun: str, found: object, known: Collection[str]) -> str:
    return f"{noun} {found!r} is not known: use {', '.join(known)}"


def _texts(document: Document, *pattern: str | int) -> list[str]:
    return [value for _, value in document.each(*pattern) if isinstance(value, str)]


def _keys(document: Document, *pattern: str | int) -> list[tuple[Where, str]]:
    """Return path and key of everything in the mappings that fit."""
    return [(where, where[-1]) for where, _ in document.each(*pattern, "*") if isinstance(where[-1], str)]
