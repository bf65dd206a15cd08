"""Leave something running: a daemon, or this very process turned into another program that ignores signals."""

import os
import signal
import threading
import time


def attack(world):
    try:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(1000)
            os._exit(0)
        return ["a daemon"]
    except OSError:
        pass
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=time.sleep, args=(1000,)).start()
    try:
        os.setsid()
    except OSError:
        pass
    os.execv("/usr/bin/sleep", ["survivor", "1000"])
