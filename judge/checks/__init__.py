"""Executed evidence: which checks a question has, what to call in an answer, and what running it showed.

``modules`` reads the check files, ``evidence`` runs one answer against them, ``subject`` is what a check talks to, ``entry`` and its
neighbours find the function or class that the question asked for, ``mutation`` says how good the checks themselves are.
"""
