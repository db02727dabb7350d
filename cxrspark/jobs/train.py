"""Train a model on labelled chest X-rays."""

from __future__ import annotations

import logging
import os
import sys

from pydantic_settings import CliApp

from cxrspark.jobs.session import job_session
from cxrspark.jobs.training_environment import to_training_environment
from cxrspark.model.bundle import Bundle
from cxrspark.quiet import silent_stderr
from cxrspark.training.settings import TrainSettings

KEPT = {"best": "the least validation loss", "last": "the last ones"}

SETTINGS = TrainSettings


def run(settings: TrainSettings) -> None:
    """Train, where TensorFlow and Petastorm are, and print the figures."""
    to_training_environment(["train", *CliApp.serialize(settings)])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # it calls a missing GPU an error
    with silent_stderr():  # it tells every user of its CPU instructions and of missing GPUs
        from cxrspark.training.answers.run import train_answers
        from cxrspark.training.run import train  # loads TensorFlow, which --help does not need
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # Petastorm calls it by an old name

    step = train if settings.network == "view" else train_answers
    with job_session("train", settings.format, settings.remote) as spark:
        bundle = step(spark, settings, lambda line: print(line, file=sys.stderr, flush=True))
    if settings.network == "view":
        print_view(bundle, settings)
    else:
        print_answers(bundle, settings)


def print_view(bundle: Bundle, settings: TrainSettings) -> None:
    """What held-back images say of the paper's network."""
    kept, why = bundle.card["kept_epoch"], KEPT[settings.keep]
    print(f"\nweights of epoch {kept} of {settings.epochs} ({why}), calibrated:")
    print_figures(bundle.card["figures"])
    thresholds = f"{bundle.lateral_below:.4f} to {bundle.frontal_above:.4f}"
    print(f"\nbundle  {settings.bundle}  (model {bundle.model_id}, uncertain from {thresholds})")


def print_answers(bundle: Bundle, settings: TrainSettings) -> None:
    """What held-back images say of the second network."""
    print("\nheld-back images, each laid at random, and upright for false turns and inversions:")
    print_figures(bundle.card["answers"]["figures"])
    print(f"\nbundle  {settings.bundle}  (model {bundle.model_id})")


def print_figures(figures: dict[str, dict[str, float] | None]) -> None:
    """A line for each share of images, with its interval."""
    for name, figure in figures.items():
        if figure is None:
            print(f"  {name.replace('_', ' '):<30} {'none':>8}")
            continue
        interval = f"{figure['low']:.2%} to {figure['high']:.2%} of {figure['images']:,}"
        print(f"  {name.replace('_', ' '):<30} {figure['value']:>8.2%}  ({interval})")
