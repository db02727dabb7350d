"""A bucket, or a web server, through obstore."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, HTTPStore, ObjectStore, S3Store

from cxrspark.archive.access import Access
from cxrspark.archive.bucket_errors import explain, explain_object, is_access_denied, is_no_bucket
from cxrspark.errors import DeniedError, ObjectError, UserError

SCHEMES: dict[str, Any] = {
    **dict.fromkeys(("s3", "s3a"), S3Store),
    "gs": GCSStore,
    **dict.fromkeys(("az", "azure", "adl", "abfs", "abfss"), AzureStore),
    **dict.fromkeys(("http", "https"), HTTPStore),
}
"""What reads the URLs of each scheme."""

ENDPOINTS: dict[Any, tuple[str, ...]] = {
    S3Store: ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    GCSStore: ("STORAGE_EMULATOR_HOST",),
    AzureStore: ("AZURE_STORAGE_ENDPOINT",),
}
"""Variables by which the clouds' SDKs are told of another service; the first that is set counts.
They are read here, since plain http has to be allowed for such a service alone."""

PATIENCE = 12.0
"""Seconds that a request is repeated for, by default: a user waits to hear what is wrong."""

SILENCE = "10s"
"""Without a byte for so long, a request has failed."""

_ACCESS_POINT = re.compile(r"s3a?://arn:aws:s3:([\w-]+):(\d+):accesspoint/([\w.-]+)(?:/(.*))?")


class Bucket:
    """Objects below a URL; credentials are found by obstore, where the platform has them."""

    at_once: ClassVar[int] = 32
    """Small images are decoded in 2 ms and wait for 50 to 100; `BYTES_AHEAD` bounds large ones."""

    def __init__(self, url: str, access: Access, patience: float | None = None):
        """Open it, without asking it anything yet.

        Args:
            url: Of a scheme in `SCHEMES`; `s3://arn:…:accesspoint/NAME/…` is an access point.
            access: How to reach it.
            patience: Seconds for which a failing request is repeated, with backoff.

        Raises:
            UserError: The URL names no bucket, or settings do not fit.
        """
        self._url = url
        try:
            self._store = _open(url, access, PATIENCE if patience is None else patience)
        except (BaseError, ValueError) as error:
            raise UserError(explain(url, str(error))) from error

    def read(self, path: str, take: Callable[[int], None]) -> memoryview:
        """See `cxrspark.archive.store.Store.read`."""
        with self._explained():
            try:
                found = obstore.get(self._store, path)
            except ValueError as error:
                raise ObjectError("missing: no object can have this path") from error
            take(found.meta["size"])
            try:
                return memoryview(found.bytes())
            except BaseError:  # obstore's patience runs from the request: a long body used it up
                return memoryview(obstore.get(self._store, path).bytes())

    def part(self, path: str, start: int, length: int) -> bytes:
        """See `cxrspark.archive.store.Store.part`."""
        with self._explained():
            try:
                return bytes(obstore.get_range(self._store, path, start=start, length=length))
            except BaseError as error:
                if re.search(r"\b416\b|InvalidRange|Range started at", str(error)):
                    return b""  # nothing is there, as of an empty object
                raise

    def size(self, path: str) -> int:
        """See `cxrspark.archive.store.Store.size`."""
        with self._explained():
            return obstore.head(self._store, path)["size"]

    def names(self) -> Iterator[tuple[str, int]]:
        """See `cxrspark.archive.store.Store.names`."""
        with self._explained():
            for chunk in obstore.list(self._store, chunk_size=10_000):
                for entry in chunk:
                    yield entry["path"], entry["size"]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Tell what holds for one object from what holds for the bucket."""
        try:
            yield
        except FileNotFoundError as error:  # of an object and of a bucket, but for its text
            if is_no_bucket(str(error)):
                raise UserError(explain(self._url, str(error))) from error
            raise
        except BaseError as error:
            said = f"{type(error).__name__} {error}"
            if of_object := explain_object(said):
                raise ObjectError(of_object) from error
            line = explain(self._url, said)
            raise (DeniedError if is_access_denied(line) else UserError)(line) from error


def _open(url: str, access: Access, patience: float) -> ObjectStore:
    kind = SCHEMES[url.split("://")[0]]
    there = filter(None, map(os.environ.get, ENDPOINTS.get(kind, ())))
    endpoint = access.endpoint or next(there, None)
    options = _options((endpoint or url).startswith("http://"), patience)
    if kind is HTTPStore:
        return HTTPStore(url, **options)
    settings: dict[str, Any] = {"skip_signature": access.anonymous or None}
    if kind is GCSStore:
        settings["base_url"] = endpoint
        if access.billing_project:
            header = {"x-goog-user-project": access.billing_project}
            options["client_options"]["default_headers"] = header
    else:
        settings["endpoint"] = endpoint
    if kind is S3Store:
        settings |= {"region": access.region, "request_payer": access.requester_pays or None}
        if point := _ACCESS_POINT.fullmatch(url):
            region, account, name, prefix = point.groups()
            url = f"s3://{name}-{account}/{prefix or ''}"
            host = f"https://{name}-{account}.s3-accesspoint.{region}.amazonaws.com"
            settings |= {"region": region, "virtual_hosted_style_request": True}
            settings["endpoint"] = endpoint or host
    # What is not given is left to the environment (AWS_REGION, GOOGLE_APPLICATION_CREDENTIALS, …).
    given = {name: value for name, value in settings.items() if value is not None}
    store: ObjectStore = kind.from_url(url, **given, **options)
    return store


def _options(plain_http: bool, patience: float) -> dict[str, Any]:
    """How obstore connects, and how often it tries."""
    return {
        "client_options": {
            "allow_http": plain_http,
            "connect_timeout": "5s",
            "read_timeout": SILENCE,
            "timeout": "30m",  # for a whole object, which may be large and the line slow
        },
        "retry_config": {
            "max_retries": 100,  # jitter can make waits short: `patience` is what ends them
            "retry_timeout": timedelta(seconds=patience),
            "backoff": {
                "init_backoff": timedelta(milliseconds=200),
                "max_backoff": timedelta(seconds=3),
                "base": 2,
            },
        },
    }
