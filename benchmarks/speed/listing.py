"""List 377,110 objects without a suffix in a bucket with 50 ms a request: `make bench-listing`."""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from cxrspark.archive.access import Access
from cxrspark.archive.listing import list_images
from cxrspark.archive.storage import open_store
from cxrspark.pixels.image import MAX_BYTES

from benchmarks.common.archives import BUILD

OBJECTS, FOLDER, DELAY, PORT = 377_110, 5_000, 0.05, 9_321
SERVER = Path(__file__).with_name("bucket_server.py")
CONTENT = b"\0" * 128 + b"DICM" + b"\2\0\0\0UL\4\0" + b"\0" * 500


def write(bucket: Path, objects: int) -> None:
    """Folders of links to one file each, which stand for as many files."""
    for number in range(objects):
        folder = bucket / f"S{number // FOLDER:04}"
        first = folder / "IM000000"
        if number % FOLDER == 0:
            folder.mkdir(parents=True)
            first.write_bytes(CONTENT)
        else:
            os.link(first, folder / f"IM{number % FOLDER:06}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=OBJECTS)
    objects = parser.parse_args().objects
    root = BUILD / "listing"
    shutil.rmtree(root, ignore_errors=True)
    write(root / "archive", objects)
    os.environ |= {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    server = subprocess.Popen([sys.executable, SERVER, str(PORT), str(root), str(DELAY)])
    try:
        store = open_store("s3://archive", Access(endpoint=f"http://127.0.0.1:{PORT}"))
        time.sleep(2)
        assert any(size <= MAX_BYTES for _, size in store.names())  # the server has read its folder
        start, cpu = time.perf_counter(), time.process_time()
        found = sum(1 for _ in list_images(store))
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    finally:
        server.terminate()
    assert found == objects, found
    print(f"{found:,} objects without a suffix listed in {seconds:.0f} s ({cpu:.0f} s of CPU)")


if __name__ == "__main__":
    main()
