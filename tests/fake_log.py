"""What a llama-cpp-python server writes into its log about one request."""

_PERF = """\
Llama.generate: {reused} prefix-match hit, remaining {announced} prompt tokens to eval
llama_perf_context_print: prompt eval time =     100.00 ms /    {evaluated} tokens (    5.00 ms per token,   200.00 tokens per second)
llama_perf_context_print:        eval time =     500.00 ms /    50 runs   (   10.00 ms per token,   100.00 tokens per second)
llama_perf_context_print:    graphs reused =         49
"""


def perf(*, reused: int = 5, announced: int = 20, evaluated: int = 20) -> str:
    """The figures of one request, as they stand in the log."""
    return _PERF.format(reused=reused, announced=announced, evaluated=evaluated)
