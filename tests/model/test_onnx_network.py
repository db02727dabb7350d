import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from cxrspark.errors import UserError
from cxrspark.jobs.command import main
from cxrspark.model import onnx_export
from cxrspark.model.bundle import load_bundle
from cxrspark.model.inference import Scorer


def test_both_networks_say_the_same_in_onnx(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["onnx", "--out", str(tmp_path / "onnx")]) == 0
    files = [tmp_path / "onnx" / name for name in ("model.onnx", "answers.onnx")]
    assert capsys.readouterr().out.splitlines() == list(map(str, files))
    bundle = load_bundle()
    assert json.loads((tmp_path / "onnx" / "model.json").read_text()) == bundle.card
    pixels = np.random.default_rng(5).integers(0, 256, (7, 64, 64), dtype=np.uint8)
    for file, flatbuffer in zip(files, (bundle.flatbuffer, bundle.answers), strict=True):
        assert flatbuffer
        session = onnxruntime.InferenceSession(file)
        (said,) = session.run(["said"], {"pixels": pixels})
        np.testing.assert_allclose(said, Scorer(flatbuffer)(pixels), rtol=0, atol=1e-5)


def test_a_network_that_comes_out_different_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = iter([np.zeros(1), np.full(1, 2e-5)])  # of the first network, of the second
    monkeypatch.setattr(onnx_export.np, "abs", lambda _: next(off))
    with pytest.raises(UserError, match=r"answers\.tflite: in ONNX its probabilities differ by"):
        onnx_export.write_onnx(None, tmp_path / "onnx")
    assert not (tmp_path / "onnx").exists()


def test_a_folder_that_cannot_be_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["onnx", "--out", str(tmp_path / "file")]) == 2
    assert "cannot be written" in capsys.readouterr().err
