import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from cxrspark.quiet import silent_stderr


def test_stderr_is_silent_and_comes_back_whichever_thread_ends_last(
    capfd: pytest.CaptureFixture[str],
) -> None:
    inside, first_out = Barrier(2), Barrier(2)

    def one(number: int) -> None:
        with silent_stderr():
            inside.wait()
            if number:  # stays when the other, which perhaps came first, has gone
                first_out.wait()
                os.write(2, b"silent")
        if not number:
            first_out.wait()

    for _ in range(20):
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(one, range(2)))
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"
