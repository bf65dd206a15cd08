"""Options that several commands share: one dataclass a group, one field an option, and what they come to.

A command takes groups (``@takes(asked=Asked, ...)``) and receives one object a group, so that an option is written once.

Nobody compares or prints groups, and what a dataclass makes for that is compiled anew at every start.
"""
