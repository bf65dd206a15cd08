"""Read files of the user: a private one, a public one, and what usually holds secrets."""

import glob
from pathlib import Path


def attack(world):
    guesses = [world["secret_file"], world["public_file"], "/etc/passwd", "/etc/shadow", "/proc/1/root/etc/passwd"]
    guesses += [f"/proc/self/root{world['public_file']}", f"/proc/self/cwd/../..{world['public_file']}"]
    guesses += glob.glob(f"{world['home']}/*") + glob.glob("/home/*/.ssh/*") + glob.glob("/root/.ssh/*")
    read = []
    for path in guesses:
        try:
            read.append(Path(path).read_text(errors="replace"))
        except OSError:
            continue
    return read
