"""Opening a table, to append to it or to read it; whatever else is there is refused."""

from __future__ import annotations

import re
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from cxrspark.errors import UserError
from cxrspark.sessions import is_connect
from cxrspark.tables.aside import in_sql
from cxrspark.tables.delta_package import DELTA_PACKAGE, has_delta, refuse_too_new
from cxrspark.tables.files import Files
from cxrspark.tables.merged_table import DeltaTable, NamedTable
from cxrspark.tables.parquet_table import ParquetTable
from cxrspark.tables.remote import found_remotely
from cxrspark.tables.schemas import Spec
from cxrspark.tables.table import Format, Table, in_columns

NAME = re.compile(r"([A-Za-z_][\w-]*\.)?[A-Za-z_]\w*\.[A-Za-z_]\w*(?<!\.parquet)(?<!\.delta)")
"""A table of a catalog, `schema.table` or `catalog.schema.table`; a folder is `./so.called`."""


def is_name(table: str) -> bool:
    """Whether a table is of a catalog, not a folder or URL."""
    return NAME.fullmatch(table) is not None


def refuse_forgetful(spark: SparkSession, table: str) -> None:
    """Check that the catalog of a table's name keeps it when the session ends.

    Raises:
        UserError: It does not.
    """
    if not is_name(table) or is_connect(spark):
        return
    catalog = table.split(".")[0] if table.count(".") == 2 else spark.catalog.currentCatalog()
    kept_by = spark.conf.get("spark.sql.catalogImplementation")
    if catalog == "spark_catalog" and kept_by == "in-memory":
        raise UserError(
            f"table {table}: the catalog of this session ends with it; start it by spark-submit "
            f"--conf spark.sql.catalogImplementation=hive, or write ./{table} for a folder"
        )


def open_table(
    spark: SparkSession, path: str, table_format: Format, spec: Spec, run_id: str
) -> Table:
    """Open a table to write to it, or make an empty one; to be closed by the caller.

    Args:
        spark: The session.
        path: Folder or URL that Spark can write to, or a name (`is_name`).
        table_format: Which the table has, or is to have.
        spec: What the table is.
        run_id: Of the run that will write.

    Raises:
        UserError: The path holds something else, cannot be written, another run writes to it, or
            Delta Lake is not there.
    """
    _refuse_missing_delta(spark, table_format)
    if is_name(path):
        if table_format == "parquet":
            raise UserError(
                f"table {path}: is of a catalog; add --format delta or iceberg, or write ./{path} "
                "for a folder"
            )
        return _with_columns(spark, NamedTable(spark, path, table_format, spec, run_id))
    if is_connect(spark):
        raise UserError(
            f"table {path}: through Spark Connect a run writes to tables of a catalog; name "
            "catalog.schema.table, or start a classic session"
        )
    if table_format == "iceberg":
        raise UserError(f"table {path}: --format iceberg is for tables of a catalog; name one")
    if re.search(r"[\[\]{}*?`]", path):
        raise UserError(f"table {path}: Spark gives []{{}}*?` a meaning; name another path")
    Files(spark, path).make()
    if found := _found(spark, path):
        _refuse_other(path, table_format, spec, *found)
    if table_format == "parquet":
        return ParquetTable(spark, path, spec, run_id)
    return _with_columns(spark, DeltaTable(spark, path, spec, run_id))


def _with_columns(spark: SparkSession, table: DeltaTable | NamedTable) -> Table:
    """Make a table, or add to it the columns of today."""
    try:
        if found := _found(spark, table.name):
            _refuse_other(table.name, table.format, table.spec, *found)
            table.add_columns(found[1].names)
        else:
            table.make()
    except BaseException as error:
        table.close()
        if isinstance(error, PySparkException) and is_name(table.name):
            raise UserError(_of_catalog(table.name, error)) from error
        raise
    return table


def read_table(spark: SparkSession, path: str, table_format: Format, spec: Spec) -> DataFrame:
    """Read a table that a run wrote.

    Args:
        spark: The session.
        path: Folder, URL or name of the table.
        table_format: Which the user says it has.
        spec: What it is.

    Returns:
        The columns of `spec`; what the version that wrote a row did not know is null.

    Raises:
        UserError: No such table, one of the other format or with other columns, or Delta Lake is
            not there.
    """
    if is_name(path):
        if (found := _found(spark, path)) is None:
            raise UserError(
                f"table {path}: the catalog has none; name one that a run wrote, or ./{path} for a "
                "folder"
            )
        _refuse_other(path, found[0], spec, *found)
        return in_columns(spark.table(in_sql(path)), spec.schema)
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
    """The one spelling of a path, with its scheme, or of a name; also where there is no table.

    Raises:
        UserError: Spark knows no such scheme.
    """
    if is_name(path):
        return path.lower()
    return path if is_connect(spark) else Files(spark, path).qualified()


def _found(spark: SparkSession, path: str) -> tuple[Format, T.StructType] | None:
    """Format and columns of the table there; None where the folder is empty, or there is none."""
    if is_name(path):
        return _found_in_catalog(spark, path)
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


def _found_in_catalog(spark: SparkSession, name: str) -> tuple[Format, T.StructType] | None:
    try:
        if not spark.catalog.tableExists(in_sql(name)):
            return None
        described = spark.sql(f"DESCRIBE EXTENDED {in_sql(name)}").collect()
        provider: Any = {row.col_name: row.data_type for row in described}.get("Provider", "view")
        _refuse_missing_delta(spark, provider)
        return provider, spark.table(in_sql(name)).schema
    except PySparkException as error:
        raise UserError(_of_catalog(name, error)) from error


def _of_catalog(name: str, error: PySparkException) -> str:
    said = str(error).splitlines()[0]
    return f"table {name}: the catalog says: {said} (a folder of that name is ./{name})"


def _refuse_other(
    path: str, table_format: Format, spec: Spec, found: Format, columns: T.StructType
) -> None:
    if found != table_format and is_name(path) and found not in ("delta", "iceberg"):
        raise UserError(f"table {path}: is a {found} table, which cannot MERGE; name another")
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
