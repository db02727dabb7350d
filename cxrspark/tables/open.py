"""Opening a table, to append to it or to read it; whatever else is there is refused."""

from __future__ import annotations

import re
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from cxrspark.errors import UserError
from cxrspark.tables.commits import Format, Table
from cxrspark.tables.delta import DELTA_PACKAGE, has_delta


def open_table(
    spark: SparkSession, path: str, table_format: Format, schema: T.StructType, comment: str
) -> Table:
    """Open a table to append to it, or make an empty one.

    Args:
        spark: The session.
        path: Folder or URL that Spark can write to.
        table_format: Which the table has, or is to have.
        schema: The table's columns.
        comment: What it holds, told by Delta's catalog.

    Raises:
        UserError: The path holds something else, cannot be written, or Delta Lake is not there.
    """
    _refuse_missing_delta(spark, table_format)
    whole_path = _make_folder(spark, path)
    found = _found(spark, path)
    if found is not None:
        _refuse_other(path, table_format, schema, *found)
    _clear_dead_commit(spark, path, first=found is None)
    if found is None and table_format == "delta":
        columns = ", ".join(
            f"`{field.name}` {field.dataType.simpleString()} COMMENT '{field.metadata['comment']}'"
            for field in schema
        )
        spark.sql(f"CREATE TABLE delta.`{whole_path}` ({columns}) USING delta COMMENT '{comment}'")
    return Table(spark, path, table_format, schema)


def read_table(
    spark: SparkSession, path: str, table_format: Format, schema: T.StructType
) -> DataFrame:
    """Read a table that a run wrote.

    Args:
        spark: The session.
        path: Folder or URL of the table.
        table_format: Which the user says it has.
        schema: Its columns.

    Raises:
        UserError: No such table, one of the other format or with other columns, or Delta Lake is
            not there.
    """
    _refuse_missing_delta(spark, table_format)
    try:
        found = _found(spark, path)
    except Py4JJavaError as error:
        raise UserError(f"table {path}: cannot be read; name one that a run wrote") from error
    if found is None:
        raise UserError(f"table {path}: the folder is empty; name a table that a run wrote")
    _refuse_other(path, table_format, schema, *found)
    return Table(spark, path, table_format, schema).read()


def _found(spark: SparkSession, path: str) -> tuple[Format, T.StructType] | None:
    """Format and columns of the table there; None where the folder is empty."""
    folder, files = _file_system(spark, path)
    names = {  # as Spark does: what begins so is no data
        name
        for name in _names(files, folder)
        if name == "_delta_log" or not name.startswith(("_", "."))
    }
    if "_delta_log" in names:
        log = _names(files, folder.suffix("/_delta_log"))
        if not any(name.endswith((".json", ".parquet")) for name in log):
            names.remove("_delta_log")  # of a table whose making was killed
    if not names:
        return None
    if "_delta_log" in names:
        if not has_delta(spark.sparkContext._jvm):
            return "delta", T.StructType()
        return "delta", spark.read.format("delta").load(path).schema
    try:
        return "parquet", spark.read.parquet(path).schema
    except (AnalysisException, Py4JJavaError) as error:
        raise UserError(f"table {path}: the folder holds no table; name another path") from error


def _names(files: Any, folder: Any) -> set[str]:
    return {str(status.getPath().getName()) for status in files.listStatus(folder)}


def _refuse_other(
    path: str, table_format: Format, schema: T.StructType, found: Format, columns: T.StructType
) -> None:
    if found != table_format:
        raise UserError(f"table {path}: is a {found} table; use --format {found} or name another")
    if {(f.name, f.dataType) for f in columns} != {(f.name, f.dataType) for f in schema}:
        names = ", ".join(columns.names[:6])
        raise UserError(f"table {path}: has other columns ({names}, …); name another path")


def _refuse_missing_delta(spark: SparkSession, table_format: Format) -> None:
    if table_format == "delta" and not has_delta(spark.sparkContext._jvm):
        raise UserError(
            f"--format delta: the session lacks {DELTA_PACKAGE}; start it with --packages or "
            "--jars, or with the settings of cxrspark.jobs.session.session_settings"
        )


def _make_folder(spark: SparkSession, path: str) -> str:
    """Make the folder, and a file in it, so that a run does not end in a refusal to write.

    Returns:
        The path with its scheme.
    """
    if re.search(r"[\[\]{}*?`]", path):
        raise UserError(f"table {path}: Spark gives []{{}}*?` a meaning; name another path")
    try:
        folder, files = _file_system(spark, path)
        files.mkdirs(folder)
        probe = folder.suffix("/_writable")
        files.create(probe, True).close()
        files.delete(probe, False)
        return str(files.makeQualified(folder).toString())
    except Py4JJavaError as error:
        said = str(error.java_exception.getMessage()).splitlines()[0]
        raise UserError(f"table {path}: cannot be written: {said}; name another path") from error


def _clear_dead_commit(spark: SparkSession, path: str, *, first: bool) -> None:
    """Delete what Spark left of a commit that died: the next one would add it once more.

    If it was the first, a log without a commit may be left, which Delta takes for a table.
    """
    folder, files = _file_system(spark, path)
    files.delete(folder.suffix("/_temporary"), True)
    if first:
        files.delete(folder.suffix("/_delta_log"), True)


def qualified(spark: SparkSession, path: str) -> str:
    """The one spelling of a path, with its scheme; also of one that does not exist.

    Raises:
        UserError: Spark knows no such scheme.
    """
    try:
        folder, files = _file_system(spark, path)
        return str(files.makeQualified(folder).toString())
    except Py4JJavaError as error:
        said = str(error.java_exception.getMessage()).splitlines()[0]
        raise UserError(f"table {path}: cannot be written: {said}; name another path") from error


def _file_system(spark: SparkSession, path: str) -> tuple[Any, Any]:
    """Hadoop's path and file system, which writes the table on every kind of cluster."""
    context: Any = spark.sparkContext
    folder = context._jvm.org.apache.hadoop.fs.Path(path)
    return folder, folder.getFileSystem(context._jsc.hadoopConfiguration())
