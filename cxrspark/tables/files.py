"""The file system of a table, as Hadoop knows it: the same on every kind of cluster."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.sql import SparkSession

from cxrspark.errors import UserError

CONNECTORS = {"s3a": "hadoop-aws", "abfs": "hadoop-azure", "abfss": "hadoop-azure"}
"""Hadoop's own packages of group org.apache.hadoop, of the version that Spark has, by scheme."""


class Files:
    """Files below one folder; paths are relative to it, or whole ones of the same store."""

    def __init__(self, spark: SparkSession, folder: str):
        """Find the folder's file system.

        Args:
            spark: A session with a JVM of its own (no Spark Connect).
            folder: Folder or URL; it need not exist.

        Raises:
            UserError: Spark knows no such scheme, or lacks its connector.
        """
        context: Any = spark.sparkContext
        self._path = context._jvm.org.apache.hadoop.fs.Path
        try:
            root = self._path(folder)
            self._files = root.getFileSystem(context._jsc.hadoopConfiguration())
            self._root = self._files.makeQualified(root)
        except Py4JJavaError as error:
            said = _without_connector(folder, error, context._jvm) or _unwritable(folder, error)
            raise UserError(said) from error
        self._given = folder
        self.user = str(context.sparkUser())

    def qualified(self, path: str = "") -> str:
        """The one spelling of a path, with its scheme."""
        return str(self._at(path).toString())

    def names(self, path: str = "") -> set[str]:
        """Files and folders in a folder; none where there is no such folder."""
        try:
            return {
                str(status.getPath().getName()) for status in self._files.listStatus(self._at(path))
            }
        except Py4JJavaError as error:
            if "FileNotFoundException" in str(error.java_exception.toString()):
                return set()
            raise

    def make(self) -> None:
        """Make the folder, and a file in it, so that a run does not end in a refusal to write.

        Raises:
            UserError: It cannot be written.
        """
        try:
            self._files.mkdirs(self._root)
            mine = f"_writable-{uuid4().hex[:12]}"  # which a run that starts now does not delete
            self._files.create(self._at(mine), True).close()
            self.delete(mine)
        except Py4JJavaError as error:
            raise UserError(_unwritable(self._given, error)) from error

    def rename(self, source: str, target: str) -> bool:
        """Move a file, or a folder; whether it was there to be moved."""
        return bool(self._files.rename(self._at(source), self._at(target)))

    def delete(self, path: str) -> None:
        """Delete a file, or a folder and all in it, where there is one."""
        self._files.delete(self._at(path), True)

    def exists(self, path: str) -> bool:
        """Whether there is such a file or folder."""
        return bool(self._files.exists(self._at(path)))

    def write(self, path: str, content: Any) -> int:
        """Write a small file of JSON; when that was, in milliseconds of the store's clock."""
        stream = self._files.create(self._at(path), True)
        stream.writeBytes(json.dumps(content))
        stream.close()
        return self.modified(path) or 0

    def read(self, path: str) -> Any:
        """What `write` wrote; None where it is not there, or not yet whole."""
        try:
            stream = self._files.open(self._at(path))
            line = stream.readLine()
            stream.close()
            return json.loads(line)
        except (Py4JError, TypeError, ValueError):
            return None

    def modified(self, path: str) -> int | None:
        """When a file was written last, in milliseconds of the store's clock; None without it."""
        try:
            return int(self._files.getFileStatus(self._at(path)).getModificationTime())
        except Py4JJavaError:
            return None

    def _at(self, path: str) -> Any:
        if not path:
            return self._root
        return self._path(path if ":/" in path else f"{self._root.toString().rstrip('/')}/{path}")


def _without_connector(folder: str, error: Py4JJavaError, jvm: Any) -> str | None:
    """What to do where Spark cannot reach the store, whatever its credentials."""
    said = str(error.java_exception.toString())
    if "No FileSystem for scheme" not in said and "FileSystem not found" not in said:
        return None
    scheme = folder.split("://")[0]
    if scheme in ("s3", "s3n"):
        return f"table {folder}: Spark reaches S3 by s3a://, with its connector; write it so"
    advice = "docs/buckets.md says how to add it"
    if scheme in CONNECTORS:
        version = jvm.org.apache.hadoop.util.VersionInfo.getVersion()
        package = f"org.apache.hadoop:{CONNECTORS[scheme]}:{version}"
        advice = f"spark-submit --packages {package} adds it"
    return f"table {folder}: this Spark has no connector for {scheme}://; {advice}"


def _unwritable(folder: str, error: Py4JJavaError) -> str:
    said = str(error.java_exception.getMessage()).splitlines()[0]
    return f"table {folder}: cannot be written: {said}; name another path"
