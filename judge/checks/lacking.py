"""What an exception says about the machine that runs answers, rather than about the answer: an absent package, an older
Python, a file system that cannot be written. None of it counts against an answer. Pure.
"""

import re
import sys

from runner.outcomes import Raised

# Real packages that an answer may reasonably import and that are not shipped for answers, by the names they are imported
# under: that one of them is absent says nothing about the answer. A made-up module does.
# fmt: off
_PACKAGES = frozenset({
    "absl", "accelerate", "aiocache", "aiodns", "aiofiles", "aiohttp", "aiohttp_retry", "aioitertools",
    "aiolimiter", "aiometer", "aioredis", "aioresponses", "aiosqlite", "aiostream", "alembic", "altair",
    "annotated_types", "ansible", "anthropic", "anyio", "apscheduler", "argcomplete", "arrow", "asgiref", "astropy",
    "asttokens", "async_lru", "async_timeout", "asyncer", "asyncpg", "asyncssh", "asyncstdlib", "attr", "attrs",
    "azure", "babel", "backoff", "backports", "bcrypt", "beartype", "bidict", "bitarray", "black", "bleach",
    "blinker", "bokeh", "boltons", "boto3", "botocore", "bottle", "bs4", "cachetools", "cachey", "cattr", "cattrs",
    "celery", "certifi", "cffi", "chardet", "charset_normalizer", "cherrypy", "circuitbreaker", "click",
    "cloudpickle", "colorama", "coloredlogs", "colorlog", "confluent_kafka", "construct", "cryptography", "cupy",
    "curio", "curl_cffi", "cv2", "cycler", "cython", "cytoolz", "dacite", "dask", "dataclasses_json", "dateparser",
    "dateutil", "deal", "decorator", "deepdiff", "deprecated", "dill", "discord", "diskcache", "distributed",
    "django", "dns", "docker", "docopt", "dotenv", "duckdb", "eventlet", "exceptiongroup", "executing",
    "expiringdict", "ezodf", "faker", "fakeredis", "falcon", "fastapi", "filelock", "fire", "flake8", "flask",
    "flax", "freezegun", "frozendict", "frozenlist", "fsspec", "funcy", "fuzzywuzzy", "gevent", "gmpy2", "google",
    "graphene", "graphviz", "greenlet", "gridfs", "grpc", "gunicorn", "h11", "h2", "h5py", "hiredis", "httpcore",
    "httplib2", "httpx", "huggingface_hub", "humanize", "hypercorn", "hypothesis", "icontract", "idna", "imageio",
    "inflect", "intervaltree", "invoke", "IPython", "isort", "itsdangerous", "jax", "jinja2", "joblib", "jose",
    "jsonschema", "jwt", "kafka", "keras", "kivy", "kombu", "langchain", "lark", "lightgbm", "limits", "llvmlite",
    "loguru", "lru", "lxml", "mako", "markdown", "markupsafe", "marshmallow", "matplotlib", "mmh3",
    "more_itertools", "mpmath", "msgpack", "msgspec", "multidict", "multimethod", "multipledispatch",
    "multiprocess", "mypy", "mypy_extensions", "mysql", "natsort", "nest_asyncio", "netaddr", "networkx", "nltk",
    "nose", "numba", "numexpr", "numpy", "oauthlib", "openai", "openpyxl", "OpenSSL", "ordered_set", "orjson",
    "overrides", "paho", "pandas", "parameterized", "paramiko", "parse", "parso", "passlib", "pathos", "peewee",
    "pendulum", "perfplot", "pexpect", "pika", "PIL", "plotly", "pluggy", "polars", "portalocker", "portion",
    "prettytable", "prometheus_client", "prompt_toolkit", "proto", "psutil", "psycopg", "psycopg2", "pulp", "py4j",
    "pyarrow", "pybreaker", "pycountry", "pycurl", "pydantic", "pydantic_settings", "pygame", "pygments", "pylru",
    "pymemcache", "pymongo", "pymysql", "pynput", "pyparsing", "pyperf", "pyperformance", "PyQt5", "PyQt6",
    "pyrate_limiter", "pyrsistent", "PySide6", "pyspark", "pytest", "pytest_asyncio", "pytest_benchmark",
    "pytest_mock", "pytimeparse", "pytz", "qrcode", "rapidfuzz", "ratelimit", "ratelimiter", "ray", "redis",
    "regex", "reportlab", "requests", "requests_cache", "requests_futures", "requests_mock", "requests_toolbelt",
    "responses", "respx", "result", "retry", "retrying", "returns", "rich", "ruamel", "sanic", "scapy", "schedule",
    "schema", "scipy", "scrapy", "seaborn", "selenium", "sentry_sdk", "serial", "setuptools", "simplejson", "simpy",
    "six", "skimage", "sklearn", "slugify", "sniffio", "sortedcollections", "sortedcontainers", "sqlalchemy",
    "sqlmodel", "starlette", "statsmodels", "stopit", "streamlit", "structlog", "suds", "sympy", "tabulate",
    "tenacity", "tensorflow", "termcolor", "testfixtures", "texttable", "textual", "threadpoolctl", "tiktoken",
    "toml", "tomli", "tomlkit", "toolz", "torch", "torchvision", "tornado", "tox", "tqdm", "transformers", "treq",
    "trio", "twisted", "typeguard", "typer", "typing_extensions", "typing_inspect", "tzlocal", "ujson",
    "uritemplate", "urllib3", "uvicorn", "uvloop", "validators", "vcr", "wcwidth", "web3", "websocket",
    "websockets", "werkzeug", "wrapt", "xarray", "xgboost", "xlrd", "xmltodict", "xxhash", "yaml", "yarl", "zmq",
    "zope",
})
# fmt: on

_NEWER: dict[str, str] = {
    "annotationlib": "",
    "asyncio": "eager_task_factory create_eager_task_factory QueueShutDown",
    "collections.abc": "Buffer",
    "compression": "",
    "compression.zstd": "",
    "concurrent.futures": "InterpreterPoolExecutor",
    "concurrent.interpreters": "",
    "copy": "replace",
    "functools": "Placeholder",
    "heapq": "heapify_max heappop_max heappush_max heappushpop_max heapreplace_max",
    "inspect": "markcoroutinefunction getasyncgenstate getasyncgenlocals BufferFlags",
    "io": "Reader Writer",
    "itertools": "batched",
    "math": "sumprod fma",
    "os": "process_cpu_count listdrives unshare setns",
    "pathlib": "UnsupportedOperation",
    "queue": "ShutDown",
    "random": "binomialvariate",
    "statistics": "kde kde_random",
    "string.templatelib": "",
    "sys": "monitoring activate_stack_trampoline",
    "threading": "settrace_all_threads setprofile_all_threads",
    "types": "get_original_bases CapsuleType",
    "typing": "override TypeAliasType TypeIs ReadOnly NoDefault get_protocol_members is_protocol evaluate_forward_ref",
    "uuid": "uuid6 uuid7 uuid8",
    "warnings": "deprecated",
}
"""Modules, and names in modules, that came after Python 3.11; without names the module itself is new."""

_NO_MODULE = re.compile(r"No module named '([\w.]+)'")
_NO_NAME = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'|module '([\w.]+)' has no attribute '(\w+)'")
_NOT_DEFINED = re.compile(r"name '(\w+)' is not defined")
_NO_FILE = re.compile(r"No such file or directory$|'/work/")
"""A semaphore of another process, which has no name; a log file, of which logging makes the full path."""
_NO_WRITING = re.compile(r"\[Errno (?:30|11|1|38)\]|No usable temporary directory|unable to open database file")


def lacking(error: Raised, gone: frozenset[str] = frozenset()) -> str | None:
    """Return in one line what this machine lacks that the answer may expect, ``None`` when the error is the answer's own.

    ``gone`` has the names that the answer binds in what is not run here.
    """
    if (found := _NO_MODULE.search(error.message)) and error.is_a("ModuleNotFoundError"):
        return _lacking_module(found[1])
    if (found := _NO_NAME.search(error.message)) and (error.is_a("ImportError") or error.is_a("AttributeError")):
        module, name = (found[2], found[1]) if found[1] else (found[3], found[4])
        return _needs_newer(f"{module}.{name}") if name in _NEWER.get(module, "").split() else None
    if (found := _NOT_DEFINED.search(error.message)) and error.is_a("NameError") and found[1] in gone:
        return f"it needs {found[1]}, which stands in what is not run here"
    if error.is_a("OSError") or error.is_a("sqlite3.Error") or error.type == "OperationalError":
        return "answers cannot write files or start processes here" if _NO_WRITING.search(error.message) else None
    return None


def lacking_while_loading(error: Raised, gone: frozenset[str] = frozenset()) -> str | None:
    """Return what ``lacking`` does, and more: while an answer is loaded nobody types, and no other process can be had."""
    if error.is_a("EOFError"):
        return "nobody answers input() here"
    if error.is_a("FileNotFoundError") and _NO_FILE.search(error.message):
        return "answers cannot write files or start processes here"
    return lacking(error, gone)


def needs_newer_syntax() -> str:
    """Return the reason for an answer whose syntax is right in a newer Python only."""
    return _needs_newer("its syntax")


def absent_module(error: Raised) -> str | None:
    """Return the module that could not be imported, or the name that could not be imported from one."""
    found = _NO_MODULE.search(error.message) or _NO_NAME.search(error.message)
    return found[1] if found is not None else None


def _lacking_module(name: str) -> str | None:
    if name in _NEWER and not _NEWER[name]:
        return _needs_newer(name)
    top = name.partition(".")[0]
    return f"the package {top} is not installed for answers" if top in _PACKAGES else None


def _needs_newer(what: str) -> str:
    return (
        f"{what} needs a newer Python than {sys.version_info.major}.{sys.version_info.minor}, which runs answers here"
    )
