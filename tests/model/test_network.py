import numpy as np
import pytest

from cxrspark.model.inference import Scorer
from cxrspark.model.network import (
    PARAMETERS,
    PREPARATIONS,
    build_network,
    build_scorer,
    equalised,
    p_frontal,
    to_flatbuffer,
)

from helpers.toys import toy_images

PAPER = [
    ("conv2d_1", (62, 62, 16), 448),
    ("max_pooling2d_1", (31, 31, 16), 0),
    ("conv2d_2", (29, 29, 32), 4_640),
    ("max_pooling2d_2", (14, 14, 32), 0),
    ("conv2d_3", (12, 12, 64), 18_496),
    ("max_pooling2d_3", (6, 6, 64), 0),
    ("conv2d_4", (4, 4, 128), 73_856),
    ("average_pooling2d_1", (1, 1, 128), 0),
    ("flatten_1", (128,), 0),
    ("dense_1", (64,), 8_256),
    ("dense_2", (1,), 65),
]


def test_layers_are_the_papers() -> None:
    network = build_network()
    table = [(layer.name, layer.output.shape[1:], layer.count_params()) for layer in network.layers]
    assert table == PAPER
    assert network.count_params() == PARAMETERS == 105_761
    assert sum(np.prod(v.shape) for v in network.trainable_variables) == PARAMETERS
    weighted = [layer for layer in network.layers if hasattr(layer, "activation")]
    activations = [layer.activation.__name__ for layer in weighted]
    assert activations == ["relu"] * 5 + ["sigmoid"]


def test_seed_decides_the_weights() -> None:
    one, same, other = (build_network(seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])
    assert not np.array_equal(one[2].ravel()[:100], one[4].ravel()[:100])


@pytest.mark.parametrize("preparation", PREPARATIONS)
def test_preparation_adds_no_parameter_and_litert_agrees(preparation: str) -> None:
    scorer = build_scorer(build_network(3), preparation)
    assert scorer.count_params() == PARAMETERS
    images = toy_images(70)[0]
    by_keras = p_frontal(scorer, images)
    by_litert = Scorer(to_flatbuffer(scorer)).p_frontal(images)
    assert by_keras.std() > 0
    np.testing.assert_allclose(by_litert, by_keras, rtol=0, atol=1e-5)


def test_equalised_undoes_gamma_and_contrast() -> None:
    image = np.linspace(0, 255, 64 * 64).reshape(64, 64)
    image = np.random.default_rng(1).permutation(image.ravel()).reshape(64, 64)
    darker, flatter = 255 * (image / 255) ** 1.8, 0.3 * image + 60
    plain, changed, flat = np.asarray(equalised(np.stack([image, darker, flatter])))
    assert plain.shape == (64, 64, 3)
    assert abs(plain.mean()) < 1e-3
    assert abs(plain.std() - 1) < 1e-2
    assert np.abs(changed - plain).mean() < 0.05
    assert np.abs(flat - plain).max() < 1e-2
