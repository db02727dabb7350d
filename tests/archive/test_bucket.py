"""Buckets as emulators serve them, through a proxy that makes them fail."""

import time
from pathlib import Path
from urllib.parse import unquote

import pytest

from cxrspark.archive.access import Access
from cxrspark.archive.bucket import PATIENCE, Bucket
from cxrspark.archive.bucket_errors import explain
from cxrspark.archive.manifest import list_pieces
from cxrspark.archive.read_ahead import read_many
from cxrspark.archive.storage import read_file
from cxrspark.archive.witness import WitnessedStore
from cxrspark.errors import ObjectError, UserError
from cxrspark.model.bundle import load_bundle

from helpers.emulators import BUCKET, CREDENTIALS, free_port
from helpers.proxy import BUSY, Answer, Fault, Proxy

S3, GS = f"s3://{BUCKET}", f"gs://{BUCKET}"
WITHIN = 30
"""Seconds in which a run says what is wrong with a bucket."""


def access(proxy: Proxy, root: str, **more: str) -> Access:
    return Access(endpoint=proxy.url, anonymous=root.startswith("gs://"), **more)


@pytest.fixture(params=[S3, GS])
def root(request: pytest.FixtureRequest) -> str:
    """The archive in each cloud's bucket."""
    return str(request.param)


@pytest.fixture
def proxy(root: str, request: pytest.FixtureRequest) -> Proxy:
    """The proxy before it."""
    found: Proxy = request.getfixturevalue("s3" if root == S3 else "gcs")
    return found


@pytest.fixture
def there(phantoms: Path) -> dict[str, bytes]:
    """Files of the archive, as they are on disk."""
    files = [file for file in sorted(phantoms.rglob("*.jpg")) if file.is_file()][:12]
    return {str(file.relative_to(phantoms)): file.read_bytes() for file in files}


def test_objects_are_the_files_of_the_folder(
    root: str, proxy: Proxy, there: dict[str, bytes]
) -> None:
    store = Bucket(f"{root}/", access(proxy, root))
    missing, *contents = read_many(store, ["none.jpg", *there])
    assert str(missing) == "missing: listed but not there"
    assert contents == list(there.values())
    path, content = next(item for item in there.items() if "/" in item[0])
    folder, _, name = path.rpartition("/")
    assert read_file(f"{root}/{path}", access(proxy, root)) == content
    assert list(read_many(Bucket(f"{root}/{folder}", access(proxy, root)), [name])) == [content]


def test_a_listing_tells_sizes(root: str, proxy: Proxy, there: dict[str, bytes]) -> None:
    listed = dict(Bucket(root, access(proxy, root)).names())
    assert {path: listed[path] for path in there} == {p: len(c) for p, c in there.items()}


def test_manifest_and_model_may_lie_in_the_bucket(root: str, proxy: Proxy, phantoms: Path) -> None:
    reached = access(proxy, root)
    (local,) = list_pieces(str(phantoms))
    proxy.requests.clear()
    for manifest in (None, f"{root}/IMAGE_FILENAMES"):
        (piece,) = list_pieces(root, manifest, reached)
        assert piece.equals(local)
    assert [(request.method, unquote(request.target)) for request in proxy.requests] == [
        ("HEAD", f"/{BUCKET}/IMAGE_FILENAMES"),
        ("GET", f"/{BUCKET}/IMAGE_FILENAMES"),
    ] * 2
    assert load_bundle(f"{root}/model/", reached).model_id == load_bundle().model_id


def test_requester_pays_and_credentials_go_into_headers_only(
    s3: Proxy, gcs: Proxy, there: dict[str, bytes]
) -> None:
    path = next(iter(there))
    read_file(f"{S3}/{path}", Access(requester_pays=True, endpoint=s3.url, region="eu-west-3"))
    (sent,) = s3.requests
    assert sent.headers["x-amz-request-payer"] == "requester"
    assert f"Credential={CREDENTIALS['AWS_ACCESS_KEY_ID']}/" in sent.headers["Authorization"]
    assert "/eu-west-3/s3/" in sent.headers["Authorization"]
    assert sent.target == f"/{BUCKET}/{path}"
    read_file(f"{GS}/{path}", access(gcs, GS, billing_project="our-project"))
    (sent,) = gcs.requests
    assert sent.headers["x-goog-user-project"] == "our-project"
    assert unquote(sent.target) == f"/{BUCKET}/{path}"
    with pytest.raises(UserError, match=f"^{S3}/.*: access denied"):  # the bucket is not public
        read_file(f"{S3}/{path}", Access(anonymous=True, endpoint=s3.url))
    assert {"authorization", "x-amz-request-payer"}.isdisjoint(
        name.lower() for name in s3.requests[-1].headers
    )


def test_an_access_point_has_a_host_of_its_own(s3: Proxy, there: dict[str, bytes]) -> None:
    point = "arn:aws:s3:us-west-2:123456789012:accesspoint/images-01"
    path, content = next(iter(there.items()))
    assert read_file(f"s3://{point}/{BUCKET}/{path}", Access(endpoint=s3.url)) == content
    assert "/us-west-2/s3/" in s3.requests[-1].headers["Authorization"]
    assert Bucket(f"s3://{point}/a", Access())._store.config == {
        "bucket": "images-01-123456789012",
        "endpoint": "https://images-01-123456789012.s3-accesspoint.us-west-2.amazonaws.com",
        "region": "us-west-2",
        "virtual_hosted_style_request": "true",
    }


@pytest.mark.parametrize("fault", ["reset", "truncate", BUSY])
def test_a_passing_fault_is_not_seen(
    root: str, proxy: Proxy, there: dict[str, bytes], fault: Fault
) -> None:
    faults = iter([fault, None] * len(there))
    proxy.faults = lambda request: next(faults, None)
    assert list(read_many(Bucket(root, access(proxy, root)), there)) == list(there.values())
    assert len(proxy.requests) > len(there)


def test_a_silent_connection_is_left(
    s3: Proxy, there: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cxrspark.archive.bucket.SILENCE", "500ms")
    faults = iter(["stall"])
    s3.faults = lambda request: next(faults, None)  # type: ignore[arg-type, return-value]
    path, content = next(iter(there.items()))
    assert read_file(f"{S3}/{path}", Access(endpoint=s3.url)) == content


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (Answer(404, "NoSuchBucket"), "no such bucket; check its name (NoSuchBucket, 404"),
        (Answer(403, "AccessDenied"), "access denied; ask for the right"),
        (Answer(403, "InvalidAccessKeyId"), "does not accept the credentials; renew them"),
        (Answer(403, "SignatureDoesNotMatch"), "does not accept the credentials"),
        (Answer(400, "ExpiredToken"), "does not accept the credentials"),
        (Answer(401, "AuthenticationRequired"), "does not accept the credentials"),
        (Answer(403, "RequestTimeTooSkewed"), "refuses the time of this machine's clock"),
        (Answer(400, "UserProjectMissing"), "the requester pays, and no project is named"),
        (Answer(301, "PermanentRedirect"), "is in another region; add --region REGION"),
        (
            Answer(400, "AuthorizationHeaderMalformed", "wrong; expecting 'eu-west-1'"),
            "is in another region; add --region REGION "
            "(AuthorizationHeaderMalformed, 400 Bad Request, region eu-west-1)",
        ),
        (BUSY, "keeps failing; run it again later"),
        ("reset", "keeps failing; run it again later"),
        ("truncate", "keeps failing; run it again later"),
    ],
)
def test_what_holds_for_a_bucket_is_one_line(s3: Proxy, fault: Fault, line: str) -> None:
    s3.faults = lambda request: fault
    contents = read_many(Bucket(S3, Access(endpoint=s3.url), patience=0.5), ["IMAGE_FILENAMES"])
    with pytest.raises(UserError) as raised:
        next(contents)
    assert str(raised.value).startswith(f"{S3}: {line}")
    assert "\n" not in str(raised.value)
    assert not any(value in str(raised.value) for value in CREDENTIALS.values())


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("InvalidObjectState", "unreadable: is in archived storage; restore it first"),
        ("KMS.DisabledException", "unreadable: its encryption key cannot be used"),
    ],
)
def test_what_holds_for_an_object_is_a_row(
    s3: Proxy, there: dict[str, bytes], code: str, line: str
) -> None:
    first, *others = there
    s3.faults = lambda request: Answer(403, code) if first in unquote(request.target) else None
    failed, *read = read_many(Bucket(S3, Access(endpoint=s3.url)), [first, *others])
    assert str(failed).startswith(line)
    assert read == [there[path] for path in others]


def test_a_denied_object_is_a_row_where_another_can_be_read(
    s3: Proxy, there: dict[str, bytes]
) -> None:
    denied, witness, *_ = there
    s3.faults = lambda request: (
        Answer(403, "AccessDenied") if denied in unquote(request.target) else None
    )
    bucket = Bucket(S3, Access(endpoint=s3.url))
    (failed,) = read_many(WitnessedStore(bucket, S3, witness), [denied])
    assert str(failed) == "unreadable: access denied, though others can be read"
    for no_witness in (None, denied):
        with pytest.raises(UserError, match=r"^s3://archive: access denied; ask") as raised:
            next(read_many(WitnessedStore(bucket, S3, no_witness), [denied]))
        assert type(raised.value) is UserError  # as a task's last line is told by its name


def test_a_bucket_that_is_not_there_is_no_missing_object(s3: Proxy) -> None:
    for read in (
        lambda store: next(read_many(store, ["a.jpg"])),
        lambda store: list(store.names()),
    ):
        with pytest.raises(UserError, match=r"^s3://other: no such bucket; check its name"):
            read(Bucket("s3://other", Access(endpoint=s3.url)))


@pytest.mark.parametrize(
    ("kind", "patience"), [("s3://b", PATIENCE), ("gs://b", 0.5), ("https://127.0.0.1:{port}", 0.5)]
)
def test_an_endpoint_that_nobody_serves_is_told_in_time(
    kind: str, patience: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cxrspark.archive.bucket.PATIENCE", patience)
    port = free_port()
    start = time.monotonic()
    with pytest.raises(UserError, match="cannot be reached; check the endpoint") as raised:
        read_file(
            f"{kind.format(port=port)}/a",
            Access(endpoint=f"http://127.0.0.1:{port}", anonymous=True),
        )
    assert "\n" not in str(raised.value)
    assert time.monotonic() - start < WITHIN


def test_a_machine_without_credentials_is_told_so(
    s3: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", s3.url)
    s3.faults = lambda request: Answer(404, "NotFound")
    with pytest.raises(UserError, match=r"^s3://archive: no credentials found"):
        read_file(f"{S3}/a.jpg", Access(endpoint=s3.url))


def test_a_huge_object_is_refused_unread(s3: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cxrspark.archive.read_ahead.MAX_BYTES", 1000)
    (found,) = read_many(Bucket(S3, Access(endpoint=s3.url)), ["IMAGE_FILENAMES"])
    assert isinstance(found, ObjectError)
    assert str(found).startswith("oversized: ")


def test_a_web_server_has_the_same_rows_and_lines(
    gcs: Proxy, there: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = f"{gcs.url}/{BUCKET}"
    monkeypatch.setattr("cxrspark.archive.bucket.PATIENCE", 0.5)
    missing, *contents = read_many(Bucket(root, Access()), ["none.jpg", *there])
    assert str(missing) == "missing: listed but not there"
    assert contents == list(there.values())
    with pytest.raises(UserError, match=f"^{root}: cannot be listed; name a --manifest"):
        list(Bucket(root, Access()).names())


@pytest.mark.parametrize(
    ("root", "variable"),
    [(S3, "AWS_ENDPOINT_URL"), (S3, "AWS_ENDPOINT_URL_S3"), (GS, "STORAGE_EMULATOR_HOST")],
)
def test_the_sdks_own_variable_for_an_endpoint_is_taken(
    root: str,
    variable: str,
    request: pytest.FixtureRequest,
    there: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server: Proxy = request.getfixturevalue("s3" if root == S3 else "gcs")
    monkeypatch.setenv(variable, server.url)
    path, content = next(iter(there.items()))
    assert read_file(f"{root}/{path}", Access(anonymous=root == GS)) == content


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("InvalidCertificate(UnknownIssuer) kind: Connect", "set SSL_CERT_FILE to a PEM file"),
        ("HTTP error: builder error", "plain http:// needs --endpoint"),
        ("407 Proxy Authentication Required", "the proxy of HTTPS_PROXY refuses"),
    ],
)
def test_what_a_network_of_a_hospital_says_is_explained(said: str, line: str) -> None:
    assert line in explain("https://host", said)


def test_a_variable_that_is_not_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "Error performing PUT http://169.254.169.254/latest/api/token"
    assert "log in, or add --anonymous" in explain("s3://b", said)
    monkeypatch.setenv("AWS_PROFILE", "ours")
    assert "AWS_PROFILE is not read: run: eval" in explain("s3://b", said)
