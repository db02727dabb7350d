"""What a job would find on this machine, and what is missing."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from cxrspark import __version__
from cxrspark.errors import UserError
from cxrspark.jobs.training_environment import TRAINING_PYTHON, training_is_here
from cxrspark.jobs.versions import JAVAS, installed, spark_version

NEEDED = ("numpy", "pandas", "pyarrow", "pillow", "obstore", "ai-edge-litert")
DICOM = ("pydicom", "imagecodecs")
"""Packages that decode DICOM."""

CREDENTIALS = {
    "S3": (("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"), None),
    "Google": (
        ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT"),
        ".config/gcloud/application_default_credentials.json",
    ),
    "Azure": (("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_CLIENT_ID", "AZURE_STORAGE_TOKEN"), None),
}
"""Where each cloud's credentials are looked for, before those of the machine itself."""


class Finding(NamedTuple):
    """One thing that was looked for; `ok` is None where a job may do without it."""

    ok: bool | None
    what: str


def main(options: list[str]) -> int:
    """Print what there is.

    Args:
        options: None.

    Returns:
        Exit code: 2 where something is missing that every job needs.

    Raises:
        UserError: An option.
    """
    if options:
        raise UserError("doctor: takes no option")
    print(f"cxrspark {__version__} on Python {platform.python_version()}")
    findings = [*_findings()]
    for ok, what in findings:
        print(f"{ {True: 'ok', False: 'MISSING', None: '-'}[ok]:<8} {what}")
    return 2 if any(ok is False for ok, _ in findings) else 0


def _findings() -> Iterator[Finding]:
    yield _java()
    yield from _spark()
    for package in NEEDED:
        found = installed(package)
        yield Finding(
            bool(found), f"{package} {found}" if found else f"{package}: pip install {package}"
        )
    lacking = [package for package in DICOM if not installed(package)]
    yield Finding(
        None if lacking else True,
        f"DICOM codecs: pip install 'cxrspark[dicom]' for {', '.join(lacking)}"
        if lacking
        else f"DICOM codecs: {', '.join(DICOM)}",
    )
    yield _training()
    for cloud, (variables, file) in CREDENTIALS.items():
        yield _credentials(cloud, variables, Path.home() / file if file else None)


def _java() -> Finding:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(f"{home}/bin/java" if home else "java")
    wanted = f"Java {' or '.join(JAVAS)}"
    if java is None:
        where = f"JAVA_HOME {home} holds no bin/java" if home else "no java on the path"
        return Finding(False, f"{wanted}: {where}; install it (Debian: openjdk-17-jre-headless)")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)([^"]*)"', told)
    if version is None or version[1] not in JAVAS:
        return Finding(False, f"{wanted}: {java} is {version[1] if version else 'none'}")
    return Finding(True, f"Java {version[1]}{version[2]}: {java}")


def _spark() -> Iterator[Finding]:
    found = spark_version()
    if found is None:
        yield Finding(False, "Spark: pip install 'cxrspark[spark]'")
        return
    yield Finding(True, f"Spark {found}")
    delta = import_module("cxrspark.tables.delta_package").DELTA_PACKAGE
    yield Finding(
        True if delta else None,
        f"Delta Lake: {delta}, which --format delta fetches from Maven"
        if delta
        else f"Delta Lake: none is made for Spark {found} yet; --format parquet needs none",
    )
    connect = find_spec("grpc_status") is not None
    how = "--remote works" if connect else "pip install 'cxrspark[connect]' for --remote"
    yield Finding(connect or None, f"Spark Connect: {how}")


def _training() -> Finding:
    if training_is_here():
        return Finding(True, "training: TensorFlow and Petastorm are here")
    if TRAINING_PYTHON.exists():
        return Finding(True, "training: in .venv-train")
    return Finding(None, "training: make train-setup creates its environment")


def _credentials(cloud: str, variables: tuple[str, ...], file: Path | None) -> Finding:
    for variable in variables:
        if os.environ.get(variable):
            return Finding(True, f"credentials of {cloud}: {variable}")
    if file and file.exists():
        return Finding(True, f"credentials of {cloud}: ~/{file.relative_to(Path.home())}")
    return Finding(None, f"credentials of {cloud}: none but the machine's own, if it has any")
