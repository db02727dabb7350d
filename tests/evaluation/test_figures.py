import json
from random import Random
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrspark.evaluation import intervals
from cxrspark.evaluation.figures import BINS, evaluate, figures_not_had
from cxrspark.evaluation.intervals import wilson
from cxrspark.evaluation.report import as_text

COLUMNS = ["label", "view", "p_frontal", "error", "patient_id", "source"]


def table(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.assign(image_id=[f"i{number}" for number in range(len(frame))])


ROWS = [
    ("frontal", "frontal", 0.95, None, "1", "a"),
    ("frontal", "uncertain", 0.55, None, "1", "a"),
    ("frontal", "lateral", 0.05, None, "2", "a"),
    ("frontal", None, None, "empty: no bytes", "2", "a"),
    ("lateral", "lateral", 0.10, None, "3", "a"),
    ("lateral", "uncertain", 0.50, None, "3", "a"),
    ("frontal", "frontal", 1.00, None, "1", "b"),
    ("frontal", "frontal", 0.85, None, None, "b"),
    ("frontal", "uncertain", 0.45, None, None, "b"),
]


@pytest.fixture
def labelled() -> pd.DataFrame:
    return table(ROWS)


def test_an_image_that_is_called_other_is_neither_right_nor_uncertain() -> None:
    overall = evaluate(table([*ROWS, ("lateral", "other", 0.20, None, "4", "b")]))[0]
    assert overall.confusion["lateral"]["other"] == 1
    assert overall.accuracy_called.value == pytest.approx(4 / 5)
    assert overall.uncertain.value == pytest.approx(3 / 9)


def test_figures_by_hand(labelled: pd.DataFrame) -> None:
    overall, a, b = evaluate(labelled)
    assert [overall.name, a.name, b.name] == ["overall", "a", "b"]
    assert (overall.images, overall.errors, overall.patients) == (9, 1, 6)
    assert (a.images, a.errors, a.patients) == (6, 1, 3)
    assert overall.confusion == {
        "frontal": {"frontal": 3, "lateral": 1, "uncertain": 2, "other": 0, "error": 1},
        "lateral": {"frontal": 0, "lateral": 1, "uncertain": 1, "other": 0, "error": 0},
    }
    # Forced: 0.55 is right; 0.05, 0.50 of a lateral and 0.45 of a frontal are wrong.
    assert overall.accuracy.value == pytest.approx(5 / 8)
    assert overall.sensitivity_frontal.value == pytest.approx(4 / 6)
    assert overall.sensitivity_lateral.value == pytest.approx(1 / 2)
    assert overall.accuracy_called.value == pytest.approx(4 / 5)
    assert overall.uncertain.value == pytest.approx(3 / 8)
    # Of the 6 x 2 pairs, 0.05 loses to 0.10 and to 0.50, and 0.45 to 0.50.
    assert overall.auc.value == pytest.approx(9 / 12)
    squares = [0.05**2, 0.45**2, 0.95**2, 0.1**2, 0.5**2, 0, 0.15**2, 0.55**2]
    assert overall.brier.value == pytest.approx(np.mean(squares))
    # Patients a1 with 2 scored images, a2 with 1, a3 with 2, b1 and two unknown with 1 each.
    assert (overall.accuracy.low, overall.accuracy.high) == wilson(5 / 8, 64 / 12)


def test_reliability_by_hand(labelled: pd.DataFrame) -> None:
    bins = evaluate(labelled)[0].reliability
    assert len(bins) == BINS
    assert [sum(one.images.values()) for one in bins] == [1, 1, 0, 0, 1, 2, 0, 0, 1, 2]
    assert bins[5].images == {"frontal": 1, "lateral": 1}
    assert bins[5].mean_p == pytest.approx(0.525)
    assert bins[5].frontal.value == 0.5
    assert (bins[9].mean_p, bins[9].frontal.value) == (pytest.approx(0.975), 1.0)
    assert bins[2].mean_p is None
    assert bins[2].frontal is None


def test_one_view_only_leaves_figures_out_and_says_so(labelled: pd.DataFrame) -> None:
    evaluations = evaluate(labelled)
    b = evaluations[2]
    assert b.auc is None
    assert b.sensitivity_lateral is None
    assert b.accuracy.value == pytest.approx(2 / 3)
    assert figures_not_had(evaluations) == [
        "no scored lateral image in b: no lateral sensitivity and no AUC there"
    ]


def test_errors_only_leave_no_figure(labelled: pd.DataFrame) -> None:
    failed = labelled.assign(view=None, p_frontal=np.nan, error="empty: no bytes")
    evaluations = evaluate(failed[failed["source"] == "a"])
    (overall,) = evaluations
    assert (overall.images, overall.errors, overall.accuracy, overall.brier) == (6, 6, None, None)
    assert overall.confusion["frontal"]["error"] == 4
    assert figures_not_had(evaluations) == [
        "no scored frontal or lateral image in overall: no figures there"
    ]
    assert "nan" not in as_text(evaluations)


def test_missing_source_has_a_name(labelled: pd.DataFrame) -> None:
    labelled.loc[labelled["source"] == "b", "source"] = None
    names = [e.name for e in evaluate(labelled)]
    assert names == ["overall", "(no source)", "a"]
    assert len(evaluate(labelled.assign(source=None))) == 1


def test_one_patient_in_rows_with_and_without_a_source(labelled: pd.DataFrame) -> None:
    twice = pd.concat([labelled, labelled.assign(source=None)], ignore_index=True)
    twice["image_id"] = [f"i{number}" for number in range(len(twice))]
    overall = evaluate(twice)[0]
    # 1, 2 and 3 of any source, and four images of nobody known.
    assert (overall.images, overall.patients) == (18, 7)


def test_what_the_model_has_seen_is_counted_apart(labelled: pd.DataFrame) -> None:
    seen = (labelled["patient_id"] == "1").to_numpy()
    evaluations = evaluate(labelled.assign(seen=seen))
    assert [(e.name, e.images) for e in evaluations] == [
        ("overall", 9),
        ("never seen", 6),
        ("seen in training", 3),
        ("a", 4),
        ("a, seen in training", 2),
        ("b", 2),
        ("b, seen in training", 1),
    ]
    assert evaluations[1].accuracy.value == pytest.approx(2 / 5)
    assert evaluations[2].accuracy.value == 1
    names = [e.name for e in evaluate(labelled.assign(seen=seen, source="a"))]
    assert names == ["overall", "never seen", "seen in training"]
    assert len(evaluate(labelled.assign(seen=False))) == 3


def test_nothing_to_evaluate_is_an_error(labelled: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="no rows"):
        evaluate(labelled.iloc[:0])
    with pytest.raises(ValueError, match="no source"):
        evaluate(labelled.drop(columns="source"))


def test_text_has_a_line_for_each_source(labelled: pd.DataFrame) -> None:
    text = as_text(evaluate(labelled))
    counts, decisions, certainty, _ = text.split("\n\n")
    assert " ".join(counts.splitlines()[1].split()) == "overall 9 6 3 1 2 0 1 0 1 1 0 0"
    assert decisions.splitlines()[3].startswith("b        66.67 (20.77–93.85)")
    assert "0.75000 (0" in certainty.splitlines()[1]
    assert len({len(lines.splitlines()) for lines in (counts, decisions, certainty)}) == 1


VIEW = st.sampled_from(["frontal", "lateral", "uncertain"])
ROW = st.tuples(
    st.sampled_from(["frontal", "lateral"]),
    VIEW,
    st.floats(0, 1, width=32),
    st.sampled_from([None, None, None, "empty: no bytes"]),
    st.sampled_from([None, "1", "2", "3"]),
    st.sampled_from([None, "a", "b"]),
)


@mock.patch.object(intervals, "REPLICATES", 20)
@settings(deadline=None, max_examples=30)
@given(st.lists(ROW, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_every_image_is_counted_once(rows: list[tuple[object, ...]], random: Random) -> None:
    overall, *sources = evaluate(table(rows))
    assert sum(sum(row.values()) for row in overall.confusion.values()) == len(rows)
    assert sum(sum(one.images.values()) for one in overall.reliability) + overall.errors == len(
        rows
    )
    if sources:
        assert sum(e.images for e in sources) == len(rows)
        assert sum(e.patients for e in sources) >= overall.patients  # an id of no source is of all
    random.shuffle(rows)
    again = evaluate(table(rows))[0]
    assert again.confusion == overall.confusion
    assert (again.accuracy and again.accuracy.low) == (overall.accuracy and overall.accuracy.low)
    assert json.loads(json.dumps(overall.as_dict(), allow_nan=False))["images"] == len(rows)
