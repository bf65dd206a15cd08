"""What the words around a block say about it, in the languages that models answer in. Pure.

Words decide only between blocks that define the same thing or that could be examples; a single program needs none.
"""

import re

_BETTER = re.compile(
    r"improved|correct(?:ed|ion)|\bfix(?:ed)?\b|final|optimi[sz]ed|complete|updated|refined|refactor|revised|robust"
    r"|(?<!less )efficient|better|enhanced|完整|改进|修正|修复|优化|最终|改善",
    re.IGNORECASE,
)
_WORSE = re.compile(
    r"\b(?:original|buggy|incorrect|wrong|problematic|faulty)"
    r" (?:code|version|function|implementation|solution|line|one)"
    r"|^\W*(?:the )?(?:original|buggy|incorrect|wrong|before|bad)\W*$|naive|brute.force|don'?t (?:do|write)"
    r"|\b(?:common|typical|frequent|easy) (?:mistake|error|bug)|pitfall|anti-?pattern|\bwrong way\b|\b(?:not|in)\W?exact\b"
    r"|approximation"
    r"|原代码|原始|错误|暴力|元のコード",
    re.IGNORECASE,
)
_CONTRAST = re.compile(r"\b(?:unlike|instead|rather|than|avoids?|no longer|improves)\b", re.IGNORECASE)
_OTHER_WAY = re.compile(
    r"alternativ|another (?:way|approach|version|solution|implementation)"
    r"|\bor,? (?:using|with|if|even|more|as)\b|if you (?:prefer|wanted|meant|would rather|'d rather)|\binstead:?\W*$"
    r"|\b(?:can|could|may|might) also (?:use|be)\b|for comparison|for reference|one.liner|bonus|variant"
    r"|recursive version|另一种|也可以|替代|別解|別の",
    re.IGNORECASE,
)
_USE = re.compile(
    r"usage|\bexample|\btest(?:s|ing|ed)?\b|\bdemo|how to (?:use|run)|try it|you can (?:use|call|run)|driver|verify"
    r"|sanity|benchmark|使用|示例|测试|例子|使い方|使用例|テスト|사용|예시",
    re.IGNORECASE,
)
_OMISSION = re.compile(
    r"^[ \t]*(?:#[ \t]*)?(?:\.\.\.|…)[ \t]*\(?(?:rest|existing|same|previous|other|remaining|as before|unchanged)"
    r"|#[ \t]*(?:\.\.\.|…)"
    r"|#[^\n]{0,20}\b(?:existing code|rest of|same as (?:before|above)|other methods|remaining methods|unchanged"
    r"|previous code)"
    r"|#[^\n]{0,10}(?:其他方法|其余代码|保持不变|同上)",
    re.IGNORECASE,
)


def better(intro: str) -> bool:
    """Tell whether the text announces the version that counts."""
    return bool(_BETTER.search(intro))


def worse(line: str) -> bool:
    """Tell whether the line announces code that is wrong or only a first attempt."""
    return bool(_WORSE.search(line)) and not _BETTER.search(line) and not _CONTRAST.search(line)


def other_way(intro: str) -> bool:
    """Tell whether the text offers a version beside another one, and no better one."""
    return bool(_OTHER_WAY.search(intro)) and not _BETTER.search(intro)


def use(intro: str) -> bool:
    """Tell whether the text announces an example or tests."""
    return bool(_USE.search(intro))


def omissions(code: str) -> frozenset[int]:
    """Return the 1-based lines where a comment or dots stand for code that is left out."""
    return frozenset(number for number, line in enumerate(code.split("\n"), start=1) if _OMISSION.search(line))
