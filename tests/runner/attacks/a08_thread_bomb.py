"""Start threads without end."""

import threading
import time


def attack(world):
    started = 0
    try:
        for _ in range(5000):
            threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
            started += 1
    except RuntimeError:
        pass
    return [f"{started} threads"] if started > 64 else []
