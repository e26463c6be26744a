"""Work beside those who ask: in a process of its own, or in a thread, that comes after them."""

import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process

NICE = 10  # who asks comes before who adds


def new_process(comes_after: bool = True) -> ProcessPoolExecutor:
    """A pool of one process, which starts with its first task and ends with this one, killed even.

    It comes after those that answer, unless it is what is measured.
    """
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin, initargs=(comes_after,))


def come_after_others() -> None:
    """Let this thread, and those that it starts, come after those that answer."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)


def _begin(comes_after: bool) -> None:
    if comes_after:
        come_after_others()
    parent = parent_process()

    def wait() -> None:
        if parent:
            parent.join()
            os._exit(1)  # a pool's worker waits for the next task for ever

    threading.Thread(target=wait, daemon=True).start()
