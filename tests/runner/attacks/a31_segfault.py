"""Crash the interpreter."""

import ctypes


def attack(world):
    return []


def solve(n):
    return ctypes.string_at(1)
