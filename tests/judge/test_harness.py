"""What the programs around a model leave in result files is no answer; what a model wrote always is one."""

from pathlib import Path

import pytest

from judge.importing.harness import harness_trouble
from judge.library import load_suite
from judge.shipped import shipped

NO_ANSWERS = {
    "bash": "bash: llama-cli: command not found\n",
    "bash in a script": "./run.sh: line 12: ./llama-cli: cannot execute binary file: Exec format error",
    "bash -c": "bash: line 1: ./llama-cli: No such file or directory",
    "dash": "sh: 1: llama-cli: not found",
    "zsh": "zsh: command not found: llama-cli",
    "zsh killed": "zsh: killed     ./llama-cli -m model.gguf",
    "fish": "fish: Unknown command: llama-cli",
    "cmd.exe": "'llama-cli' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n",
    "PowerShell": (
        "llama-cli : The term 'llama-cli' is not recognized as the name of a cmdlet, function, script file.\r\n"
        "At line:1 char:1\r\n+ llama-cli -m a.gguf -p \"hi\"\r\n+ ~~~~~~~~~\r\n"
        "    + CategoryInfo          : ObjectNotFound: (llama-cli:String) [], CommandNotFoundException\r\n"
        "    + FullyQualifiedErrorId : CommandNotFoundException\r\n"
    ),
    "env": "/usr/bin/env: 'python': No such file or directory",
    "loader": "./llama-cli: error while loading shared libraries: libllama.so: cannot open shared object file",
    "glibc": "./llama-cli: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by ./llama-cli)",
    "permission": "bash: ./llama-cli: Permission denied",
    "a signal": "Segmentation fault (core dumped)",
    "a signal in a script": "run.sh: line 3: 12345 Killed                  ./llama-cli -m model.gguf -p x",
    "timeout(1)": "timeout: sending signal TERM to command './llama-cli'\nTerminated",
    "llama-cli argument": "llama-cli: error: invalid argument: --moe",
    "llama-cli argument, newer": "error: invalid argument: --moe\nusage: llama-cli [options]\n\n----- common params -----\n-h, --help",
    "no model": (
        "build: 4205 (c6bc7395) with cc (Debian 12.2.0-14) 12.2.0 for x86_64-linux-gnu\n"
        + "".join(f"llama_model_loader: - kv {i:3}: general.key.{i} str = value\n" for i in range(60))
        + "llama_model_load: error loading model: missing tensor 'blk.0'\n"
        "llama_model_load_from_file_impl: failed to load model\nmain: error: unable to load model\n"
    ),
    "no model, with lines that no list knows": (
        "main: loading model\ngguf_init_from_file: failed to open GGUF file 'a.gguf'\nsome new line\n  and = another one\n"
        "main : failed to init\n"
    ),
    "no model, with time and level": "0.00.034.123 E llama_model_load: error loading model: invalid magic\n0.00.034.200 I main: bye",
    "no context": "llama_context: n_ctx = 9\nllama_init_from_model: failed to initialize the context: failed to allocate",
    "assertion": "llama_model_loader: loaded meta data\n/src/ggml.c:1234: GGML_ASSERT(n > 0) failed\nAborted (core dumped)",
    "CUDA": "ggml_cuda_init: found 1 CUDA devices:\n  Device 0: NVIDIA RTX 2080, compute capability 7.5\nCUDA error: out of memory",
    "log without an answer": "build: 4205 (c6bc7395)\nmain: llama backend init\nsystem_info: n_threads = 4\n",
    "server not ready": '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}',
    "server, context": '{"error": {"message": "request (4390 tokens) exceeds the available context size", "code": 400}}\n',
    "server, stream": 'data: {"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}\n\n',
    "FastAPI": '{"detail":"Not Found"}',
    "vLLM": '{"object":"error","message":"The model `x` does not exist.","code":404}',
    "ollama": '{"error":"model \'x\' not found, try pulling it first"}',
    "ollama CLI": "Error: model 'x' not found",
    "proxy": "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center>nginx</center></body></html>",
    "curl": "curl: (7) Failed to connect to localhost port 8080 after 0 ms: Connection refused",
    "curl with progress": (
        "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
        "                                 Dload  Upload   Total   Spent    Left  Speed\n"
        "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0\n"
        "curl: (28) Operation timed out after 600001 milliseconds with 0 bytes received\n"
    ),
    "traceback": (
        'Traceback (most recent call last):\n  File "run.py", line 3, in <module>\n    from llama_cpp import Llama\n'
        "ModuleNotFoundError: No module named 'llama_cpp'\n"
    ),
    "traceback with carets and a cause": (
        'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    send(x)\n    ^^^^^^^\nOSError: [Errno 111] refused\n\n'
        "The above exception was the direct cause of the following exception:\n\n"
        'Traceback (most recent call last):\n  File "a.py", line 9, in <module>\n    main()\n'
        "pydantic.ValidationError: 1 validation error for X\n__root__\n  Could not load (type=value_error)\n"
    ),
    "python": "python3: can't open file 'run.py': [Errno 2] No such file or directory",
    "a client": "openai.APITimeoutError: Request timed out.",
    "a client's status": "Error code: 503 - {'error': {'message': 'Loading model'}}",
    "requests": "HTTPConnectionPool(host='localhost', port=8080): Max retries exceeded with url: /v1",
    "urllib": "<urlopen error [Errno 111] Connection refused>",
    "node": "Error: connect ECONNREFUSED 127.0.0.1:8080",
    "own time limit": "error: timed out after 600 s",
    "own time limit, logged": "2026-01-01 10:00:00,123 - ERROR - bench - Request timed out.",
    "progress of the harness": "Loading model...\nmain: error: unable to load model",
    "header of the harness": "Model: coder\nConfig: moe4\n---\nbash: llama-cli: command not found",
    "str(None)": "None\n",
    "nothing": " \n\t\ufeff\n",
}  # fmt: skip

SHORT_ANSWERS = {
    "skilled": "A skilled one-liner:\n\n    factorial = lambda n: 1 if n < 2 else n * factorial(n - 1)\n",
    "killed": "The bug: the end of the previous interval is overwritten (killed). Use `merged[-1][1] = max(merged[-1][1], x)`.",
    "memory": "Replace line 6 by:\n\n    merged[-1][1] = max(merged[-1][1], b)\n\nwhich is O(n) and does not run out of memory.",
    "prose that begins like an error": "Error: the end of the longer interval is lost. Take the larger end instead.",
    "prose that begins like a timeout": "Timeouts: each request gets five seconds, and a failed one gives None in its place.",
    "prose that begins like a connection": "Connection errors are caught per URL, so one failing URL does not stop the others.",
    "prose that begins like a log": "Warning: recursion is limited to about 1000 calls, so a loop is better here.",
    "a function's name and a colon": "merge_intervals: the end has to be the larger of both ends.",
    "a label and prose": "Time: O(n)\nSpace: O(1)\n",
    "a list": "+ sort the intervals\n+ take the larger end\n",
    "progress in words": "Using a set of the words seen so far, and reversing each of them...",
    "usage": "Usage: factorial(5) gives 120",
    "one expression": "factorial = math.factorial",
    "one line of code": "def reverse_words(s): return ' '.join(w[::-1] for w in s.split(' '))",
    "code after a log that says error": (
        "main: loading model\nggml_backend_load_best: failed to find a better backend\ndef f(n):\n    return n\n"
    ),
    "code after a load error": "llama_model_load: error loading model: draft model\n\n    return s[::-1]\n",
    "prose after a log": "main: llama backend init\nUse the larger of the two ends.\nllama_perf_context_print: total time = 3 ms",
    "code that prints errors": "```python\nprint('command not found')\n```",
    "code that raises": "raise ConnectionError('connection refused')",
    "a traceback that is explained": (
        'Traceback (most recent call last):\n  File "a.py", line 1\nIndexError: list index out of range\n\n'
        "happens on []. Fixed:\n```python\nif not xs: return []\n```"
    ),
    "a document of the answer's own": '{"code": "def f(): ...", "error": null}',
    "a page": "<html><body><pre>def f(): ...</pre></body></html>",
    "a shell session and code": "bash: python: command not found\n\nso use python3:\n\n    def f(n):\n        return n\n",
    "a number": "42",
}  # fmt: skip


@pytest.mark.parametrize("text", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_programs_say_is_no_answer(text: str) -> None:
    assert harness_trouble(text) is not None


@pytest.mark.parametrize("text", SHORT_ANSWERS.values(), ids=SHORT_ANSWERS)
def test_a_short_answer_is_an_answer_whatever_it_mentions(text: str) -> None:
    assert harness_trouble(text) is None


def test_no_known_answer_is_dropped() -> None:
    exam = [
        file
        for question in load_suite().questions
        for file in Path(str(shipped("rubrics") / "exam" / question.test)).iterdir()
    ]
    raw = [file for file in (Path(__file__).parent / "answers").glob("*.txt") if file.read_bytes().strip()]
    files = [file for file in [*exam, *raw] if file.suffix in (".md", ".txt", ".py")]
    assert len(files) > 200
    assert [file.name for file in files if harness_trouble(file.read_text(encoding="utf-8")) is not None] == []


def test_an_error_is_still_one_between_many_lines_and_after_colours() -> None:
    assert (
        harness_trouble("\x1b[31mmain: error: unable to load model\x1b[0m\n" + "llama_perf: x = 1\n" * 500) is not None
    )


def test_the_line_that_tells_is_quoted_and_cut() -> None:
    assert (
        harness_trouble("main: loading\n\nbash: llama-cli: command not found")
        == "the harness failed: 'bash: llama-cli: command not found'"
    )
    assert len(harness_trouble("bash: " + "x" * 500 + ": command not found") or "") < 160
