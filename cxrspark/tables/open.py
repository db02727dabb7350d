"""Opening a table, to append to it or to read it; whatever else is there is refused."""

from __future__ import annotations

import re

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from cxrspark.errors import UserError
from cxrspark.sessions import is_connect
from cxrspark.tables.delta_package import DELTA_PACKAGE, has_delta, refuse_too_new
from cxrspark.tables.delta_table import DeltaTable
from cxrspark.tables.files import Files
from cxrspark.tables.parquet_table import ParquetTable
from cxrspark.tables.remote import found_remotely
from cxrspark.tables.schemas import Spec
from cxrspark.tables.table import Format, Table, in_columns


def open_table(
    spark: SparkSession, path: str, table_format: Format, spec: Spec, run_id: str
) -> Table:
    """Open a table to write to it, or make an empty one; to be closed by the caller.

    Args:
        spark: The session.
        path: Folder or URL that Spark can write to.
        table_format: Which the table has, or is to have.
        spec: What the table is.
        run_id: Of the run that will write.

    Raises:
        UserError: The path holds something else, cannot be written, another run writes to it, or
            Delta Lake is not there.
    """
    _refuse_missing_delta(spark, table_format)
    if re.search(r"[\[\]{}*?`]", path):
        raise UserError(f"table {path}: Spark gives []{{}}*?` a meaning; name another path")
    Files(spark, path).make()
    if found := _found(spark, path):
        _refuse_other(path, table_format, spec, *found)
    if table_format == "parquet":
        return ParquetTable(spark, path, spec, run_id)
    table = DeltaTable(spark, path, spec, run_id)
    try:
        if found := _found(spark, path):  # once more: nobody else can make it now
            table.add_columns(found[1].names)
        else:
            table.make()
    except BaseException:
        table.close()
        raise
    return table


def read_table(spark: SparkSession, path: str, table_format: Format, spec: Spec) -> DataFrame:
    """Read a table that a run wrote.

    Args:
        spark: The session.
        path: Folder or URL of the table.
        table_format: Which the user says it has.
        spec: What it is.

    Returns:
        The columns of `spec`; what the version that wrote a row did not know is null.

    Raises:
        UserError: No such table, one of the other format or with other columns, or Delta Lake is
            not there.
    """
    _refuse_missing_delta(spark, table_format)
    try:
        found = _found(spark, path)
    except Py4JJavaError as error:
        raise UserError(f"table {path}: cannot be read; name one that a run wrote") from error
    if found is None and not is_connect(spark) and not Files(spark, path).exists(""):
        raise UserError(f"table {path}: cannot be read; name one that a run wrote")
    if found is None:
        raise UserError(f"table {path}: the folder is empty; name a table that a run wrote")
    _refuse_other(path, table_format, spec, *found)
    reader = spark.read.format(table_format)
    if table_format == "parquet":  # else Spark looks at one file, which may be an old one
        reader = reader.schema(spec.schema)
    return in_columns(reader.load(path), spec.schema)


def qualified(spark: SparkSession, path: str) -> str:
    """The one spelling of a path, with its scheme; also of one that does not exist.

    Raises:
        UserError: Spark knows no such scheme.
    """
    return Files(spark, path).qualified()


def _found(spark: SparkSession, path: str) -> tuple[Format, T.StructType] | None:
    """Format and columns of the table there; None where the folder is empty, or there is none."""
    if is_connect(spark):
        return found_remotely(spark, path)
    files = Files(spark, path)
    log = files.names("_delta_log")
    # A log without a commit is of a table whose making was killed.
    if any(name.endswith((".json", ".parquet")) for name in log):
        if not has_delta(spark.sparkContext._jvm):
            return "delta", T.StructType()
        return "delta", spark.read.format("delta").load(path).schema
    # As Spark does: what begins so is no data.
    if not [name for name in files.names() if not name.startswith(("_", "."))]:
        return None
    try:
        return "parquet", spark.read.parquet(path).schema
    except (AnalysisException, Py4JJavaError) as error:
        raise UserError(f"table {path}: the folder holds no table; name another path") from error


def _refuse_other(
    path: str, table_format: Format, spec: Spec, found: Format, columns: T.StructType
) -> None:
    if found != table_format:
        raise UserError(f"table {path}: is a {found} table; use --format {found} or name another")
    there = {field.name: field.dataType for field in columns}
    known = {field.name: field.dataType for field in spec.schema}
    alike = all(kind == known[name] for name, kind in there.items() if name in known)
    if not (alike and set(spec.told_by) <= set(there)):
        names = ", ".join(columns.names[:6])
        raise UserError(f"table {path}: has other columns ({names}, …); name another path")


def _refuse_missing_delta(spark: SparkSession, table_format: Format) -> None:
    if is_connect(spark):  # whose server is asked when it is used
        return
    if table_format == "delta" and not has_delta(spark.sparkContext._jvm):
        refuse_too_new()
        raise UserError(
            f"--format delta: the session lacks {DELTA_PACKAGE}; start it with --packages or "
            "--jars, or with the settings of cxrspark.jobs.session.session_settings"
        )
