"""Builds the native part of cxrspark.pixels. All else about the package is in pyproject.toml."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from setuptools import Command, setup
from setuptools.command.build import build

PIXELS = Path("cxrspark/pixels")
SOURCES = [str(PIXELS / name) for name in ("dc_scan.c", "words.c")]

COMPILER = "ziglang==0.17.1"
"""A C compiler in a wheel. It is fetched here, not by `build-system.requires`, so that the package
installs where it cannot be had; then Pillow and NumPy do it all."""

OPTIONS = ["-std=c11", "-O2", "-fno-sanitize=undefined", "-shared", "-fPIC", "-s"]

LINUX = {
    "linux-x86_64": ["-target", "x86_64-linux-gnu.2.17"],
    "linux-aarch64": ["-target", "aarch64-linux-gnu.2.17"],
}
"""Built anywhere, so that what is packed on one machine runs on clusters of the other kind."""


class BuildNative(Command):
    """Compile the native code for Linux and for this machine."""

    user_options: ClassVar = []
    editable_mode = False

    def initialize_options(self) -> None:
        """Of setuptools' protocol."""
        self.build_lib: Any = None

    def finalize_options(self) -> None:
        """Of setuptools' protocol."""
        self.set_undefined_options("build_py", ("build_lib", "build_lib"))

    def run(self) -> None:
        """Put the libraries beside the source, or beside its copy in what is built."""
        root = Path() if self.editable_mode else Path(self.build_lib)
        try:
            with TemporaryDirectory() as folder:
                compile_all(Path(folder), root / PIXELS)
        except (OSError, subprocess.CalledProcessError) as error:
            self.warn(
                f"pixels are left to Pillow and NumPy, for the native code was not built: {error}"
            )

    def get_outputs(self) -> list[str]:
        """Of setuptools' protocol."""
        folder = Path(self.build_lib) / PIXELS
        return [str(file) for file in folder.glob("native-*.so")]

    def get_output_mapping(self) -> dict[str, str]:
        """Of setuptools' protocol."""
        return {}

    def get_source_files(self) -> list[str]:
        """Of setuptools' protocol."""
        return SOURCES


def compile_all(work: Path, target: Path) -> None:
    """Fetch the compiler to a folder for the time being, and build the libraries by it."""
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(work), "ZIG_LOCAL_CACHE_DIR": str(work)}
    if not find_spec("ziglang"):
        fetch = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        compiler = str(work / "compiler")
        subprocess.run([sys.executable, *fetch, "--target", compiler, COMPILER], check=True)
        environment["PYTHONPATH"] = compiler
    this = f"{sys.platform}-{platform.machine().lower()}"
    target.mkdir(parents=True, exist_ok=True)
    for name, options in ({this: []} | LINUX).items():
        library = f"native-{name}.so"
        command = [sys.executable, "-m", "ziglang", "cc", *OPTIONS, *options, *SOURCES]
        subprocess.run([*command, "-o", str(work / library)], check=True, env=environment)
        (target / library).unlink(missing_ok=True)  # not overwritten: a process may have it loaded
        copyfile(work / library, target / library)


build.sub_commands.append(("build_native", None))
setup(cmdclass={"build_native": BuildNative})
