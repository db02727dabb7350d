"""How buckets are reached: what is no secret, and may be kept with a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Access:
    """Goes from the driver to the executors; each finds its credentials by the platform's means.

    Attributes:
        requester_pays: Agree to pay for requests to S3 (`x-amz-request-payer`).
        billing_project: Google project that pays for requests (`x-goog-user-project`).
        endpoint: URL of a service other than the cloud's own.
        region: Of an S3 bucket; AWS_REGION or us-east-1 where not given.
        anonymous: Send no credentials.
    """

    requester_pays: bool = False
    billing_project: str | None = None
    endpoint: str | None = None
    region: str | None = None
    anonymous: bool = False


DEFAULT_ACCESS = Access()
"""The cloud's own service, with the credentials that are there."""
