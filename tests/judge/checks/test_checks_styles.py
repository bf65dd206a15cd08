"""Searches for addresses and fixes of the merge: the checks accept what the questions leave open."""

import pytest
from examined import examined, failures

# --- IP addresses -------------------------------------------------------------------------------------------------

_PARTS = "lambda s: [s[:k] for k in (1, 2, 3) if len(s) >= k and s[:k] == str(int(s[:k])) and int(s[:k]) < 256]"
ADDRESSES = {
    "a set": f"""
        parts = {_PARTS}

        def ip_addresses(digits, left=4):
            if left == 0:
                return {{""}} if not digits else set()
            return {{
                (p + "." + rest).rstrip(".") for p in parts(digits) for rest in ip_addresses(digits[len(p):], left - 1)
            }}
        """,
    "the standard library as validator": """
        import ipaddress
        from itertools import combinations

        def all_ips(digits: str) -> tuple:
            if not 4 <= len(digits) <= 12:
                raise ValueError("an address has 4 to 12 digits")
            found = []
            for i, j, k in combinations(range(1, len(digits)), 3):
                text = f"{digits[:i]}.{digits[i:j]}.{digits[j:k]}.{digits[k:]}"
                try:
                    ipaddress.IPv4Address(text)
                except ValueError:
                    continue
                found.append(text)
            return tuple(found)
        """,
    "a generator method": f"""
        class IpFinder:
            parts = staticmethod({_PARTS})

            def find(self, digits):
                yield from self._search(digits, [])

            def _search(self, rest, path):
                if len(path) == 4:
                    if not rest:
                        yield ".".join(path)
                    return
                if not len(rest) or len(rest) > 3 * (4 - len(path)):
                    return
                for part in self.parts(rest):
                    yield from self._search(rest[len(part):], [*path, part])
        """,
}


@pytest.mark.parametrize("shape", ADDRESSES)
async def test_every_shape_of_a_right_search_passes(shape: str) -> None:
    assert await failures("C-T3-Q1", ADDRESSES[shape]) == {}


# --- bug fix ------------------------------------------------------------------------------------------------------

_ORIGINAL = """
        def merge_intervals(intervals):
            intervals.sort(key=lambda x: x[0])
            merged = [intervals[0]]
            for i in range(1, len(intervals)):
                if intervals[i][0] <= merged[-1][1]:
                    merged[-1][1] = intervals[i][1]
                else:
                    merged.append(intervals[i])
            return merged
        """
FIXES = {
    "beside the original": _ORIGINAL
    + _ORIGINAL.replace("merge_intervals", "merge_intervals_fixed").replace(
        "= intervals[i][1]", "= max(merged[-1][1], intervals[i][1])"
    ),
    "in place": """
        def merge_intervals(intervals):
            intervals.sort()
            i = 0
            while i + 1 < len(intervals):
                if intervals[i + 1][0] <= intervals[i][1]:
                    intervals[i][1] = max(intervals[i][1], intervals.pop(i + 1)[1])
                else:
                    i += 1
        """,
    "a generator": """
        def merge(intervals):
            start, end = None, None
            for a, b in sorted(map(tuple, intervals)):
                if start is None:
                    start, end = a, b
                elif a <= end:
                    end = max(end, b)
                else:
                    yield start, end
                    start, end = a, b
            yield [start, end]
        """,
}


@pytest.mark.parametrize("shape", FIXES)
async def test_every_shape_of_a_right_fix_passes(shape: str) -> None:
    assert await failures("C-T3-Q3", FIXES[shape]) == {}


async def test_the_original_code_fails_where_one_interval_contains_another() -> None:
    evidence = await examined("C-T3-Q3", _ORIGINAL.replace("merge_intervals", "merge_all_intervals"))

    first = next(check for check in evidence.checks if check.id == "contained")
    assert (first.input, first.expected, first.got) == (
        "merge_all_intervals([[1, 10], [2, 5]])",
        "[[1, 10]]",
        "[[1, 5]]",
    )
