"""The service of ``judge serve``: pages for people and JSON for programs over the same store. The only folder that knows FastAPI.

What models and judges said is hostile here: it is escaped everywhere, never in an attribute or a header, and no inline script runs.
"""
