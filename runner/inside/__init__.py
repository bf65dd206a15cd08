"""The trusted part that runs inside the sandbox, in the same process as the untrusted code. Standard library only.

These files are compiled for the interpreter that runs answers and bound into the sandbox as the package ``inside``:
hence the relative imports. Nothing here knows an expected value or reaches a verdict, so nothing here is worth
forging: code that patches it can only make it return other values. ``import`` costs start-up time of every answer;
json is the heaviest allowed.
"""
