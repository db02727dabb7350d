"""Folders as buckets over the part of S3's API that reads, with a delay to each request.

`python bucket_server.py PORT FOLDER SECONDS`: the file FOLDER/b/k is the object k of bucket b.
"""

import asyncio
import os
import sys
from email.utils import formatdate
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 1000
"""Keys of an answer of S3."""


@cache
def keys(folder: Path) -> list[tuple[str, int]]:
    """Every key of a bucket with its bytes, in order; read once."""
    files = (Path(top, name) for top, _, names in os.walk(folder) for name in names)
    return sorted((str(file.relative_to(folder)), file.stat().st_size) for file in files)


def page(folder: Path, query: dict[str, list[str]]) -> bytes:
    """Keys of a bucket, a page at a time, as ListObjectsV2 answers without a delimiter."""
    start = int(query.get("continuation-token", ["0"])[0])
    rows = "".join(
        f"<Contents><Key>{escape(key)}</Key><Size>{size}</Size>"
        "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
        for key, size in keys(folder)[start : start + PAGE]
    )
    more = start + PAGE < len(keys(folder))
    token = f"<NextContinuationToken>{start + PAGE}</NextContinuationToken>" if more else ""
    inner = f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}"
    return f"<ListBucketResult>{inner}</ListBucketResult>".encode()


def listing(folder: Path, query: dict[str, list[str]]) -> bytes:
    """Files and folders right below a prefix, as ListObjectsV2 answers with a delimiter."""
    if "delimiter" not in query:
        return page(folder, query)
    prefix = query.get("prefix", [""])[0]
    below = folder / prefix
    found = sorted(below.iterdir()) if below.is_dir() else []
    rows = [
        f"<CommonPrefixes><Prefix>{prefix}{path.name}/</Prefix></CommonPrefixes>"
        if path.is_dir()
        else f"<Contents><Key>{prefix}{path.name}</Key><Size>{path.stat().st_size}</Size>"
        "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
        for path in found
    ]
    inner = f"<KeyCount>{len(rows)}</KeyCount><IsTruncated>false</IsTruncated>{''.join(rows)}"
    return f"<ListBucketResult>{inner}</ListBucketResult>".encode()


async def answer(
    root: Path, delay: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            await asyncio.sleep(delay)
            method, target, _ = head[0].split()
            headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head)}
            url = urlsplit(target)
            file = root / unquote(url.path).strip("/")
            if "list-type" in url.query:
                body = listing(file, parse_qs(url.query))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            elif not file.is_file():
                code = b"<Error><Code>NoSuchKey</Code></Error>" if method == "GET" else b""
                start = b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n"
                writer.write(start % len(code) + code)
            else:
                await send(file, method, headers.get("range"), writer)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def send(file: Path, method: str, wanted: str | None, writer: asyncio.StreamWriter) -> None:
    size = file.stat().st_size
    first, last, status = 0, size - 1, "200 OK"
    if wanted:
        start, _, end = wanted.removeprefix("bytes=").partition("-")
        first, last = int(start), min(int(end or last), last)
        status = f"206 Partial Content\r\nContent-Range: bytes {first}-{last}/{size}"
    writer.write(
        f"HTTP/1.1 {status}\r\nContent-Length: {last - first + 1}\r\nAccept-Ranges: bytes\r\n"
        f'ETag: "{size:032x}"\r\nLast-Modified: {formatdate(0, usegmt=True)}\r\n\r\n'.encode()
    )
    if method == "GET":
        with file.open("rb") as content:
            loop = asyncio.get_running_loop()
            await loop.sendfile(writer.transport, content, first, last - first + 1)


async def main(port: int, root: Path, delay: float) -> None:
    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> object:
        return answer(root, delay, reader, writer)

    async with await asyncio.start_server(serve, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
