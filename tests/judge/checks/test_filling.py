"""Constructors that insist on more than a question speaks of."""

import pytest

from judge.checks.filling import filler, made, required_count
from judge.checks.limiter_entry import arguments
from runner.outcomes import Class, Function, Parameter


def parameter(name: str, annotation: str | None = None, default: str | None = None) -> Parameter:
    kind = "positional_or_keyword"
    return Parameter(name=name, kind=kind, has_default=default is not None, default=default, annotation=annotation)


def class_of(name: str, *parameters: Parameter) -> Class:
    init = Function(
        name="__init__",
        kind="method",
        parameters=parameters,
        returns=None,
        is_async=False,
        is_generator=False,
        doc=None,
        line=1,
    )
    return Class(name=name, bases=("object",), methods=(init,), doc=None, line=1)


CONFIG = class_of("Config", parameter("requests_per_minute", "int"), parameter("name", "str"))


@pytest.mark.parametrize(
    ("one", "expression"),
    [
        (parameter("name", "str"), "'a'"),
        (parameter("user_id"), "'a'"),
        (parameter("item_type", "type"), "object"),
        (parameter("lock_factory"), "__import__('threading').RLock"),
        (parameter("on_evict", "Callable[[Any], None]"), "(lambda *args, **kwargs: None)"),
        (parameter("config", "Config"), "Config(n, 'a')"),
        (parameter("config", "Optional[Config]"), "Config(n, 'a')"),
        (parameter("capacity", "int"), None),
        (parameter("user_id", "int"), None),
        (parameter("n"), None),
        (parameter("strategy"), None),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_annotation_and_name_say_what_a_parameter_gets(one: Parameter, expression: str | None) -> None:
    assert filler(one, [CONFIG], "n") == expression


def test_an_object_is_made_with_numbers_where_no_annotation_says_otherwise() -> None:
    owner = class_of("LRUCache", parameter("name", "str"), parameter("capacity"), parameter("debug", "bool", "False"))
    assert (made(owner, [], "n"), required_count(owner)) == ("LRUCache('a', n)", 2)
    assert made(class_of("LRUCache", parameter("strategy", "Strategy")), [], "n") is None
    endless = class_of("Config", parameter("config", "Config"))
    assert made(endless, [endless], "n") is not None


@pytest.mark.parametrize(
    ("parameters", "first", "more"),
    [
        ((parameter("name", "str"), parameter("n", "int", "60")), "'a', n", ()),
        ((parameter("config", "Config"),), "Config(n, 'a')", ()),
        ((parameter("max_tokens"), parameter("refill_interval")), "n, 60", ("n, 60 / n",)),
        ((parameter("max_requests"), parameter("window_seconds")), "n, 60", ()),
        ((parameter("capacity"), parameter("refill_rate")), "n, n / 60", ("n, n",)),
    ],
    ids=["a name", "a configuration", "an interval", "a window", "a rate"],
)
def test_a_rate_limiter_is_made_in_the_ways_that_its_names_allow(
    parameters: tuple[Parameter, ...], first: str, more: tuple[str, ...]
) -> None:
    assert tuple(arguments(parameters, [CONFIG])) == (first, *more)
