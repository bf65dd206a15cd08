"""Everything that runs something: model servers (start, prove, ask, time) and untrusted code.

Values in, values out: nothing here knows a rubric, a score, a database or a terminal. ``judge`` imports ``runner``,
never the reverse.
"""
