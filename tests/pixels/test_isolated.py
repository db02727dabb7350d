"""A file that ends its process is a fact about this file."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cxrspark.pixels.image import PixelsError
from cxrspark.pixels.isolated import Isolated
from cxrspark.pixels.shrink_to_64 import shrink

from helpers.pictures import encode

SOUND = encode(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8))

BROKEN = """
import ctypes, cxrspark.pixels.{module} as module
real = module.{name}
def broken(data):
    if data == b"crash":
        ctypes.string_at(0)
    if data == b"memory":
        bytearray(2**32)
    if data == b"exit":
        import os; os._exit(3)
    print("what a library prints")
    return real(data)
module.{name} = broken
"""


@pytest.fixture
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Isolated:
    """Its child's decoder has faults that no file is known to have."""
    code = BROKEN.format(module="isolated", name="shrink")
    monkeypatch.setattr(
        "cxrspark.pixels.isolated._CHILD",
        f"{code}\nfrom cxrspark.pixels.isolated import serve; serve()",
    )
    return Isolated()


def test_neighbours_of_a_file_that_crashes_are_shrunk(isolated: Isolated) -> None:
    expected = shrink(SOUND)
    for data, said in [
        (b"crash", "crashed: its decoder was ended by SIGSEGV"),
        (b"memory", "crashed: its decoder needs more than 3 GB of memory"),
        (b"exit", "crashed: its decoder was ended by exit code 3"),
        (b"", "empty file"),
    ]:
        with pytest.raises(PixelsError) as raised:
            isolated.shrink(data)
        assert str(raised.value) == said
        found = isolated.shrink(SOUND)
        np.testing.assert_array_equal(found.values, expected.values)
        assert (found.rows, found.columns, found.header) == (64, 64, expected.header)
    isolated.close()


def test_a_killed_decoder_names_its_signal(isolated: Isolated) -> None:
    """As the kernel does when memory is short."""
    isolated.shrink(SOUND)
    assert isolated._child is not None
    os.kill(isolated._child.pid, signal.SIGKILL)
    with pytest.raises(PixelsError, match="ended by SIGKILL"):
        isolated.shrink(SOUND)
    isolated.close()


def test_the_largest_image_fits_the_limit() -> None:
    one = Isolated()
    large = encode(np.arange(2**26, dtype=np.uint32).astype(np.uint16).reshape(2**13, 2**13))
    assert one.shrink(large).rows == 2**13
    one.close()


def test_the_child_is_light() -> None:
    heavy = "pyspark", "pandas", "pyarrow", "tensorflow", "obstore", "pydantic"
    code = f"import sys, cxrspark.pixels.isolated; print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
