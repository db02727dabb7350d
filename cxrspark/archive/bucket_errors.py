"""What a store says when it cannot be read, as one line with the likely cause."""

from __future__ import annotations

import os
import re

_NO_BUCKET = r"NoSuchBucket|ContainerNotFound|specified bucket does not exist"

LOG_IN = "log in"

UNREAD = {
    "AWS_PROFILE": 'run: eval "$(aws configure export-credentials --format env)"',
    "AWS_SHARED_CREDENTIALS_FILE": 'run: eval "$(aws configure export-credentials --format env)"',
    "AZURE_STORAGE_CONNECTION_STRING": "set AZURE_STORAGE_ACCOUNT_NAME and "
    "AZURE_STORAGE_ACCOUNT_KEY",
    "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE": "set GOOGLE_APPLICATION_CREDENTIALS",
}
"""Variables of the clouds' SDKs that are not read, and what to do instead."""

_DENIED = "access denied"

_CAUSES = (
    (_NO_BUCKET, "no such bucket; check its name"),
    (
        r"RequestTimeTooSkewed|RequestTimeTooLarge",
        "refuses the time of this machine's clock; set the clock (NTP)",
    ),
    (
        r"UserProjectMissing|requester pays",
        "the requester pays, and no project is named; add --billing-project PROJECT",
    ),
    (
        r"USER_PROJECT_DENIED|UserProjectAccessDenied|serviceusage",
        "may not bill the project; ask for serviceusage.services.use on --billing-project",
    ),
    (
        r"PermanentRedirect|TemporaryRedirect|without LOCATION|AuthorizationHeaderMalformed",
        "is in another region; add --region REGION",
    ),
    (
        r"latest/api/token|latest/meta-data|computeMetadata|metadata/identity|token request",
        "no credentials found, neither in the environment nor of the machine's role; "
        f"{LOG_IN}, or add --anonymous for a public bucket",
    ),
    (
        r"InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|401 Unauth"
        r"|AuthenticationFailed|InvalidSecurity|invalid_grant",
        "does not accept the credentials; renew them, or check who you are",
    ),
    (
        r"PermissionDenied|403 Forbidden|AccessDenied|Unauthenticated",
        f"{_DENIED}; ask for the right to read and list it (without the right to list, a "
        "missing object is denied too); where the requester pays, add --requester-pays",
    ),
    (r"Account must be specified", "set AZURE_STORAGE_ACCOUNT_NAME to the storage account"),
    (r"501 Not|405 Method|NotSupported|not implemented", "cannot be listed; name a --manifest"),
    (
        r"[Cc]ertificate",
        "its certificate is of an authority that is not known here; set SSL_CERT_FILE to a PEM "
        "file with your authority's (on every machine)",
    ),
    (
        r"407 Proxy|ProxyAuth|proxy.*(tunnel|unsuccessful)",
        "the proxy of HTTPS_PROXY refuses; give its user in that variable, or name the host in "
        "NO_PROXY",
    ),
    (r"builder error", "plain http:// needs --endpoint http://HOST:PORT"),
    (r"dns error", "its host is not known here; check the endpoint and the network"),
    (
        r"kind: Connect|tcp connect|Connection refused",
        "cannot be reached; check the endpoint, the network and the proxy",
    ),
    (
        r"TimedOut|kind: Timeout|operation timed out",
        "does not answer; check the endpoint and the network, or run it again later",
    ),
    (
        r"429 Too|\b5\d\d [A-Z]|body error|error sending|kind: (Request|Decode|Interrupted)",
        "keeps failing; run it again later, it goes on where it stopped",
    ),
)
"""Patterns of obstore's text and of the services' codes; the first that is found tells."""


_OF_OBJECT = (
    (r"InvalidObjectState|BlobArchived", "is in archived storage; restore it first"),
    (r"KMS\.|KMSAccessDenied|kms:Decrypt", "its encryption key cannot be used"),
    (r"server-side-encryption-customer|Server Side Encryption with Customer", "needs its own key"),
)
"""What a service says of one object, not of its bucket."""


def explain(url: str, said: str) -> str:
    """One line on a store that cannot be read: its root, the likely cause, what was said.

    Args:
        url: Root of the store.
        said: Text of obstore's error; it holds no secret but perhaps a signed query.
    """
    causes = (cause for pattern, cause in _CAUSES if re.search(pattern, said))
    cause = next(causes, "cannot be read")
    unread = [f"{name} is not read: {do}" for name, do in UNREAD.items() if name in os.environ]
    if unread:
        cause = cause.replace(LOG_IN, unread[0])
    return f"{url}: {cause} ({_short(said)})"


def explain_object(said: str) -> str | None:
    """One line on an object that alone cannot be read; None where it may be the store."""
    causes = (cause for pattern, cause in _OF_OBJECT if re.search(pattern, said))
    cause = next(causes, None)
    return cause and f"unreadable: {cause} ({_short(said)})"


def is_access_denied(line: str) -> bool:
    """Whether a line of `explain` says that access is denied: to an object, or to all."""
    return f": {_DENIED}" in line


def is_no_bucket(said: str) -> bool:
    """Whether what was not found is the bucket: obstore raises the same for an object."""
    return re.search(_NO_BUCKET, said) is not None


def _short(said: str) -> str:
    """The service's code and status, or what the library says first."""
    code = re.search(r"<Code>(\w+)</Code>", said)
    region = re.search(r"<Region>([\w-]+)</Region>|expecting '([\w-]+)'", said)
    status = re.search(r"status code: (\d+ [A-Z][\w ]+)", said)
    told = [found.group(1) for found in (code, status) if found]
    if region:
        told.append(f"region {region.group(1) or region.group(2)}")
    if told:
        return ", ".join(told)
    first = re.sub(r"\?\S*", "", said.split("Debug source")[0])
    return " ".join(first.split())[:200]
