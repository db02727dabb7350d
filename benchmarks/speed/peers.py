"""Ray Data and Daft score a folder, as their documentation would have it. Called by `compare.py`.

They live in an environment of their own (`make bench` makes build/peers). The network for views is
ours in LiteRT: Keras or torch in their workers would only slow them down.
"""

import os
import sys
from pathlib import Path

import numpy as np
import PIL

from cxrspark.model.answers import OUTPUTS
from cxrspark.model.bundle import load_bundle
from cxrspark.model.inference import Scorer, scorer
from cxrspark.pixels.image import SIDE
from cxrspark.pixels.shrink_to_64 import shrink

from benchmarks.speed import contest

CORES = 2
BATCH = 64


class Predictor:
    """A model held by an actor, Ray's form for inference."""

    def __init__(self) -> None:
        self.model = Scorer(load_bundle().flatbuffer)

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Columns path and image (n, 64, 64) in, path and p_frontal out."""
        return {"path": batch["path"], "p_frontal": self.model.p_frontal(batch["image"])}


def ray_documented(folder: Path, files: list[Path], table: Path) -> None:
    """`read_images` decodes and resizes, a pool of one actor predicts, `write_parquet`.

    The actor asks for no core, so that two are left to reading: its work is light.
    """
    import ray

    images = ray.data.read_images(
        [str(file) for file in files], size=(SIDE, SIDE), mode="L", include_paths=True
    )
    strategy = ray.data.ActorPoolStrategy(size=1)
    scored = images.map_batches(Predictor, batch_size=BATCH, compute=strategy, num_cpus=0)
    scored.write_parquet(str(table))


def shrink_and_score(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    pixels = np.stack([shrink(Path(path).read_bytes()).values for path in batch["path"]])
    networks = load_bundle().networks
    assert networks.answers
    answers = scorer(networks.answers)(pixels)
    return {
        "path": batch["path"],
        "p_frontal": scorer(networks.view).p_frontal(pixels),
        **{name: answers[:, number] for number, name in enumerate(OUTPUTS)},
    }


def ray_ours(folder: Path, files: list[Path], table: Path) -> None:
    """Our decoder and both networks in one function of a Ray task, eight blocks a core."""
    import ray

    rows = [{"path": str(file)} for file in files]
    paths = ray.data.from_items(rows, override_num_blocks=8 * CORES)
    paths.map_batches(shrink_and_score, batch_size=BATCH).write_parquet(str(table))


def daft_documented(folder: Path, files: list[Path], table: Path) -> None:
    """`download`, `decode_image` and `resize` in Daft's own engine, a batch method predicts."""
    import daft
    from daft.functions import decode_image, download, resize

    @daft.cls(max_concurrency=1)  # one process has the model
    class Model:
        def __init__(self) -> None:
            self.model = Scorer(load_bundle().flatbuffer)

        @daft.method.batch(return_dtype=daft.DataType.float32(), batch_size=BATCH)
        def p_frontal(self, images: daft.Series) -> np.ndarray:
            return self.model.p_frontal(np.stack(images.to_pylist()).reshape(-1, SIDE, SIDE))

    paths = daft.from_pydict({"path": [str(file) for file in files]})
    grey = decode_image(download(daft.col("path")), mode="L")
    image = resize(grey, SIDE, SIDE).cast(daft.DataType.image("L", SIDE, SIDE))
    scored = paths.select(daft.col("path"), Model().p_frontal(image).alias("p_frontal"))
    scored.write_parquet(str(table))


def main() -> None:
    name = sys.argv[1]
    versions = {"pillow": PIL.__version__, "numpy": np.__version__}
    if name == "daft":
        import daft

        os.environ["DAFT_PROGRESS_BAR"] = "0"
        contest.run(daft_documented, versions | {"daft": daft.__version__})
        return
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray

    ray.init(num_cpus=CORES, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    contestant = {"ray": ray_documented, "ray-ours": ray_ours}[name]
    contest.run(contestant, versions | {"ray": ray.__version__})
    ray.shutdown()


if __name__ == "__main__":
    main()
