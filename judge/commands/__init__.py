"""The commands, grouped by what they are about: one function a command, its options in groups (``options``).

Heavy modules are imported inside the commands, so that ``--help`` is quick.
"""
