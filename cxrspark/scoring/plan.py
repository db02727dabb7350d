"""What a run has to do: the manifest beside the tables, numbered into commits, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from cxrspark.archive.manifest import IMAGE_ID, SIZED
from cxrspark.errors import UserError
from cxrspark.tables.table import Aside, Table, doubled_keys

KEPT, KEPT_REPLACED, READ, READ_REPLACED = range(4)
"""What is done with an image: its kept pixels are scored, or it is read; a row may be replaced."""

PIECES = 16
"""A commit is put together of so many pieces, or a few more: it lacks one of them at most."""

NEW, AGAIN, DONE, OTHER_FILE, OTHER_ARCHIVE = "new", "again", "done", "other file", "other archive"
"""States of an image in a table."""


@dataclass(frozen=True)
class Counts:
    """How many images are in which state, and what their rows say."""

    images: int
    states: dict[str, int]
    views: dict[str, int]
    errors: dict[str, int]

    @property
    def left(self) -> int:
        """Images without a row, or with one that is to be replaced."""
        return self.states.get(NEW, 0) + self.states.get(AGAIN, 0)


@dataclass(frozen=True)
class Cut:
    """A commit of the plan: the images of one kind between two ids, both included."""

    number: int
    work: int
    low: str
    high: str
    images: int
    usual: float | None
    """Mean of the sizes that are known, in bytes."""
    sample: str
    """Path of one of them, as if at random."""
    left: int
    """Images of this commit and of all that follow."""

    @property
    def size(self) -> float:
        """Bytes, where unknown as many as usual; 0 where no size is known."""
        return (self.usual or 0.0) * self.images

    @property
    def reads(self) -> bool:
        """Whether images are read; else pixels are there."""
        return self.work in (READ, READ_REPLACED)

    @property
    def replaces(self) -> bool:
        """Whether a table may have rows of these images."""
        return self.work in (KEPT_REPLACED, READ_REPLACED)

    def of(self, rows: DataFrame) -> DataFrame:
        """Rows between the two ids; files and row groups without any are not read."""
        return rows.where(F.col("image_id").between(F.lit(self.low), F.lit(self.high)))


@dataclass(frozen=True)
class Plan:
    """What is to do, sorted by kind and id, and its commits."""

    todo: DataFrame
    cuts: list[Cut]

    def images(self, cut: Cut) -> DataFrame:
        """Images of a commit: columns of `cxrspark.archive.manifest.SIZED`."""
        return cut.of(self.todo).where(F.col("work") == cut.work).select(*SIZED.names)


def compare(
    images: DataFrame, rows: DataFrame, archive: str, retry: tuple[str, ...] = ()
) -> DataFrame:
    """Set each image beside its row of a table.

    Args:
        images: Columns of `cxrspark.archive.manifest.SIZED`, and perhaps others.
        rows: Of the table, of one model.
        archive: Root of the images.
        retry: Kinds of error that are to be tried again.

    Returns:
        The columns of `images`; `state` (`NEW` and so on), `held_view`, `held_kind` (of error).
    """
    # Ids of MIMIC-CXR name one image wherever it lies.
    foreign = ~F.col("image_id").rlike(f"^{IMAGE_ID}$")
    held = rows.select(
        "image_id",
        F.lit(True).alias("held"),
        (F.col("view") if "view" in rows.columns else F.lit(None).cast("string")).alias(
            "held_view"
        ),
        F.substring_index("error", ":", 1).alias("held_kind"),
        (foreign & (F.col("archive") != archive)).alias("held_elsewhere"),
        F.when(foreign, F.xxhash64("path")).alias("held_path"),
    )
    # Before the join, so that a count carries no path through it.
    path_hash = F.when(F.col("path") != "", F.xxhash64("path")).alias("path_hash")
    hashed = images.select("*", path_hash)
    other_file = F.col("held_path") != F.col("path_hash")
    state = (
        F.when(F.col("held").isNull(), NEW)
        .when(F.col("held_elsewhere"), OTHER_ARCHIVE)
        .when(F.col("held_kind").isin(*retry) if retry else F.lit(False), AGAIN)
        .when(other_file, OTHER_FILE)
        .otherwise(DONE)
    )
    beside = hashed.join(held, "image_id", "left").withColumn("state", state)
    return beside.drop("held", "held_elsewhere", "held_path", "path_hash")


def count(compared: DataFrame, images: int, table: Table) -> Counts:
    """Count states, views and errors, and refuse what cannot be gone on with.

    Args:
        compared: From `compare`.
        images: How many distinct images there are.
        table: Whose rows they were compared with.

    Raises:
        UserError: An image has several rows, or its row is of another file or archive.
    """
    counted = compared.groupBy("state", "held_view", "held_kind").count().collect()
    states: dict[str, int] = {}
    views: dict[str, int] = {}
    errors: dict[str, int] = {}
    for row in counted:
        for of, name in ((states, row.state), (views, row.held_view), (errors, row.held_kind)):
            if name is not None:
                of[name] = of.get(name, 0) + row["count"]
    if sum(states.values()) != images:
        twice = doubled_keys(table.read(), table.spec).join(compared, "image_id", "left_semi")
        example = twice.first()
        raise UserError(
            f"table {table.name}: holds {example and example['image_id']} twice; keep one row of "
            "each image by jobs/mend_table.py, which says what it does"
        )
    for state in (OTHER_ARCHIVE, OTHER_FILE):
        if states.get(state):
            _refuse(compared.where(F.col("state") == state), state, table)
    return Counts(images, states, _sorted(views), _sorted(errors))


def _refuse(compared: DataFrame, state: str, table: Table) -> None:
    """Raise a `UserError` about rows of another file or archive, with an example."""
    rows = table.read().select(
        "image_id", F.col("path").alias("held_path"), F.col("archive").alias("held_archive")
    )
    found = compared.select("image_id", "path").join(rows, "image_id").orderBy("image_id").first()
    assert found is not None
    if state == OTHER_ARCHIVE:
        raise UserError(
            f"table {table.name}: holds {found.image_id} of archive {found.held_archive}; give "
            "that --archive again, or name another table for this one"
        )
    raise UserError(
        f"table {table.name}: holds {found.image_id} as {found.held_path}, which the manifest "
        f"calls {found.path}; give other files other ids, or name another table"
    )


def beside_pixels(todo: DataFrame, pixels: DataFrame, archive: str) -> DataFrame:
    """Choose what is done with each image.

    Args:
        todo: Columns of `cxrspark.archive.manifest.SIZED` and `state`, `NEW` or `AGAIN`.
        pixels: Kept ones, of an archive whose ids fit.
        archive: Root of the images.

    Returns:
        Also `work` (`READ` and so on). What failed in another copy of the archive, or is to be
        tried again, is read though pixels has a row of it.
    """
    kept = pixels.select(
        "image_id",
        F.col("error").isNotNull().alias("failed"),
        (F.col("archive") != archive).alias("elsewhere"),
    )
    again = F.col("state") == AGAIN
    read = F.col("failed") & (F.col("elsewhere") | again)
    work = (
        F.when(F.col("failed").isNull(), F.when(again, READ_REPLACED).otherwise(READ))
        .when(read, READ_REPLACED)
        .otherwise(F.when(again, KEPT_REPLACED).otherwise(KEPT))
    )
    return todo.join(kept, "image_id", "left").withColumn("work", work)


def without_pixels(todo: DataFrame) -> DataFrame:
    """The same where no pixels are kept."""
    return todo.withColumn("work", F.when(F.col("state") == AGAIN, READ_REPLACED).otherwise(READ))


def write_plan(todo: DataFrame, aside: Aside, sizes: dict[int, int]) -> Plan:
    """Write down what is to do, once, and cut it into commits of even numbers.

    Each file is cut into pieces of a sixteenth of a commit, of which so many are put together
    that a commit is full, or lacks less than one of them.

    Args:
        todo: Columns of `cxrspark.archive.manifest.SIZED`, and `work`.
        aside: Where to.
        sizes: Images of a commit of each kind of work.
    """
    rows = todo.select("work", *SIZED.names).repartitionByRange("work", "image_id")
    placed = rows.sortWithinPartitions("work", "image_id")
    # The number of the partition, and in the lower 33 bits that of the row in it.
    plan = aside.keep(placed.withColumn("place", F.monotonically_increasing_id()), "plan")
    size = F.element_at(
        F.create_map(*(F.lit(x) for pair in sizes.items() for x in pair)), F.col("work")
    )
    row = F.col("place").bitwiseAND(2**33 - 1)
    piece = F.floor(row * PIECES / size)
    found = plan.groupBy("work", F.shiftright("place", 33).alias("part"), piece.alias("piece")).agg(
        F.min("image_id").alias("low"),
        F.max("image_id").alias("high"),
        F.count("*").alias("images"),
        F.sum("size").alias("known"),
        F.count("size").alias("sized"),
        F.min(_drawn()).alias("drawn"),
    )
    return Plan(plan, list(_cuts(sorted(found.collect()), sizes)))


def sample_paths(images: DataFrame, number: int) -> list[str]:
    """Paths of so many images, as if at random, but the same each time."""
    few = images.select(_drawn().alias("drawn")).orderBy("drawn").limit(number)
    return [row.drawn.path for row in few.collect()]


def _drawn() -> Column:
    return F.struct(F.xxhash64("path"), "path")


def _cuts(pieces: list[Row], sizes: dict[int, int]) -> Iterator[Cut]:
    """Put pieces, in order of work and id, together to commits."""
    left = sum(piece.images for piece in pieces)
    commits: list[list[Row]] = []
    for piece in pieces:
        commit = commits[-1] if commits else []
        images = sum(each.images for each in commit) + piece.images
        if not commit or commit[0].work != piece.work or images > sizes[piece.work]:
            commits.append([piece])
        else:
            commit.append(piece)
    for number, commit in enumerate(commits):
        images, sized = (sum(each[of] for each in commit) for of in ("images", "sized"))
        known = sum(each.known or 0.0 for each in commit)
        yield Cut(
            number=number,
            work=commit[0].work,
            low=commit[0].low,
            high=commit[-1].high,
            images=images,
            usual=known / sized if sized else None,
            sample=min(each.drawn for each in commit).path,
            left=left,
        )
        left -= images


def _sorted(counts: dict[str, int]) -> dict[str, int]:
    """The most frequent first."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
