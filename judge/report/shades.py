"""The colours of scores in a heat map, as clear in grey as in colour. Pure."""

from judge.stats.intervals import HIGHEST, LOWEST

HALFWAY = 0.179
"""The luminance on which black and white are equally legible (contrast 4.6, WCAG 2)."""
DARK, LIGHT = (0x14, 0x3A, 0x5C), (0xF2, 0xF6, 0xFA)
"""Ends of the heat map, 1 and 5: one hue, so that it is as clear in grey."""


def shade(score: float) -> tuple[int, int, int]:
    """Return the colour of a score, 1.0-5.0, as red, green and blue of 0-255."""
    share = min(1.0, max(0.0, (score - LOWEST) / (HIGHEST - LOWEST)))
    red, green, blue = (round(dark + share * (light - dark)) for dark, light in zip(DARK, LIGHT, strict=True))
    return red, green, blue


def luminance(colour: tuple[int, int, int]) -> float:
    """Return the relative luminance of an sRGB colour, 0-1 (WCAG 2)."""
    linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
