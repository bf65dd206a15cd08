"""The trusted part that runs inside the sandbox, in the same process as the untrusted code. Standard library only.

These files are compiled for the interpreter that runs answers and sent into the sandbox as one bundle, the package
``inside``: hence the relative imports. Nothing here knows an expected value or reaches a verdict, so nothing here is
worth forging: code that patches it can only make it return other values.

``import`` costs start-up time of every answer: ``json`` as much as the whole interpreter, ``typing`` half of that. So
nothing is imported at the top but what the interpreter has loaded or built in anyway; what few answers need is
imported where it is needed, and what only annotations need is not imported at all (``TYPE_CHECKING`` is a constant of
the file, which type checkers know).
"""
