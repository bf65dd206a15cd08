"""Everything that knows what a good answer is, plus the wiring: suite, verdicts, scores, decisions, store, report, CLI.

``judge`` imports ``runner``, never the reverse. Inside, files that think are pure and synchronous; ``pipeline`` does.
"""
