"""Leave links, pipes and huge sparse files for whoever reads the results, or reach files through links."""

import os


def attack(world):
    done = []
    for name, trick in {
        "symbolic link": lambda: os.symlink(world["important_file"], "/work/result.json"),
        "hard link": lambda: os.link(world["important_file"], "/work/hard"),
        "hard link through proc": lambda: os.link("/proc/self/exe", "/tmp/python", follow_symlinks=True),
        "pipe": lambda: os.mkfifo("/work/stdout"),
        "sparse file": lambda: os.truncate(os.open("/work/sparse", os.O_CREAT | os.O_RDWR), 1 << 40),
        "rename": lambda: os.rename("/work", "/work2"),
        "through root": lambda: os.open(f"/proc/self/root/..{world['important_file']}", os.O_RDONLY),
        "through a pid": lambda: os.open(f"/proc/{world['service_pid']}/root{world['important_file']}", os.O_RDONLY),
        "reopen output": lambda: os.ftruncate(os.open("/proc/self/fd/1", os.O_RDWR), 0),
    }.items():
        try:
            trick()
            done.append(name)
        except OSError:
            continue
    return done
