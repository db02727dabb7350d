import numpy as np
import pytest

from cxrspark.model.bundle import load_bundle
from cxrspark.model.inference import BATCH, Scorer, scorer


@pytest.mark.parametrize("images", [0, 1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH])
def test_an_images_score_does_not_depend_on_its_batch(images: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (images, 64, 64), dtype=np.uint8)
    model = Scorer(load_bundle().flatbuffer)
    together = model.p_frontal(pixels)
    alone = [model.p_frontal(pixels[i : i + 1])[0] for i in range(images)]
    assert together.dtype == np.float32
    assert together.shape == (images,)
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_model_is_loaded_once() -> None:
    flatbuffer = load_bundle().flatbuffer
    assert scorer(flatbuffer) is scorer(bytes(bytearray(flatbuffer)))


def test_loading_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    Scorer(load_bundle().flatbuffer)
    assert capfd.readouterr() == ("", "")
