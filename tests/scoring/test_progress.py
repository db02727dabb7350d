import pytest

from cxrspark.scoring.progress import Progress, duration, progress_line


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (754, "12:34"), (3723, "1:02:03")]
)
def test_duration(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_the_line_tells_rate_time_left_and_errors() -> None:
    line = progress_line(1000, 5000, 3, 50.0)
    assert line == "1,000 of 5,000 images · 20 images/s · 3:20 left · 3 errors"
    assert progress_line(0, 5000, 0, 2.0) == "0 of 5,000 images · 0 errors"


def test_a_repeated_task_does_not_count_over_the_total() -> None:
    assert progress_line(12, 10, 0, 1.0).startswith("10 of 10 images")


def test_nothing_to_do_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(0, lambda: (0, 0)):
        pass
    assert capsys.readouterr().err == ""


def test_the_last_line_shows_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    counts = [0, 0]
    with Progress(8, lambda: (counts[0], counts[1])):
        counts[:] = 8, 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("8 of 8 images")
    assert last.endswith("1 errors")
