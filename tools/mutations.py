"""What `tools/mutants.py` breaks: training, calibration, intervals, table and plan."""

from tools.mutants import Mutation

RECIPE = "tests/training/test_recipe.py"
FIT = f"{RECIPE} tests/training/test_fit.py"
LAYERS = "tests/training/test_paper_layers.py"
CHANGES = "tests/training/test_augmentation.py"
SAMPLES = "tests/archive/test_patients.py tests/training/test_samples.py"
CALIBRATION = "tests/model/test_calibration.py"
VALIDATION = "tests/training/test_validation.py"
INTERVALS = "tests/evaluation/test_intervals.py"
FIGURES = "tests/evaluation/test_figures.py"
SEEN = "tests/model/test_seen.py"
TABLE = "tests/tables/test_table.py"
KINDS = "tests/tables/test_table_kinds.py"
LEASE = "tests/tables/test_lease.py"
TASKS = "tests/scoring/test_tasks.py"
PLAN = "tests/scoring/test_plan.py"
MANIFEST = "tests/archive/test_manifest.py tests/archive/test_write_manifest.py"

_BY_FILE: dict[tuple[str, str], list[tuple[str, ...]]] = {
    ("cxrspark/training/settings.py", RECIPE): [
        ("Field(1000, gt=0", "Field(100, gt=0"),
        ("Field(32, gt=0", "Field(64, gt=0"),
        ('"paper", description="the paper\'s five', '"none", description="the paper\'s five'),
        ('Field("rmsprop"', 'Field("adamw"'),
        ("Field(0.001, gt=0", "Field(0.01, gt=0"),
        ("cosine: bool = Field(False", "cosine: bool = Field(True"),
        ('"best", description', '"last", description'),
        ("0.2, gt=0, lt=1", "0.3, gt=0, lt=1"),
    ],
    ("conf/train-paper.yaml", RECIPE): [("learning_rate: 0.001", "learning_rate: 0.002")],
    ("conf/train-robust.yaml", RECIPE): [("epochs: 240", "epochs: 100")],
    ("cxrspark/training/fit.py", FIT): [
        ("reshuffle_each_iteration=True", "reshuffle_each_iteration=False"),
        ("images.shuffle(count, seed=recipe.seed, reshuffle_each_iteration=True)", "images"),
        ("return prepare(change(pixels)), frontal", "return prepare(pixels), frontal"),
        ("training=True)[..., 0]", "training=False)[..., 0]"),
        ("shuffled.batch(recipe.batch_size).repeat()", "shuffled.batch(64).repeat()"),
        ("shuffled.batch(recipe.batch_size).repeat()",
         "shuffled.repeat().batch(recipe.batch_size)"),
        ("(prepare(pixels), frontal)).cache()", "(prepare(255 - pixels), frontal)).cache()"),
        ("keras.optimizers.RMSprop(rate)", "keras.optimizers.SGD(rate)"),
        ("keras.optimizers.RMSprop(rate)", "keras.optimizers.Adam(rate)"),
        ("keras.optimizers.AdamW(rate, weight_decay=1e-4)", "keras.optimizers.Adam(rate)"),
        ("rate: Any = recipe.learning_rate", "rate: Any = 2 * recipe.learning_rate"),
        ("WARM_UP_EPOCHS = 2", "WARM_UP_EPOCHS = 0"),
        ("recipe.epochs * steps - warm_up,", "3 * recipe.epochs * steps,"),
        ('"binary_crossentropy"', '"mse"'),
        ("network.set_weights(start)", "pass"),
        ("network.set_weights(state.network)", "pass"),
        ("kept.set_weights(state.kept)", "kept.set_weights(network.get_weights())"),
        ('self._recipe.keep == "last"', 'self._recipe.keep != "last"'),
        ("if self.kept_epoch() == epoch + 1:", "if True:"),
        ("return int(min(history", "return int(max(history"),
        ("network = build_network(recipe.seed)", "network = build_network(recipe.seed + 1)"),
    ],
    ("cxrspark/training/augmentation.py", LAYERS): [
        ("RandomRotation(45 / 360", "RandomRotation(30 / 360"),
        ("RandomTranslation(0.1, 0.1", "RandomTranslation(0.1, 0.0"),
        ("RandomShear(0.1, 0.1", "RandomShear(0.1, 0.0"),
        ("RandomZoom((-0.1, 0.1), (-0.1, 0.1)", "RandomZoom((-0.1, 0.0), (-0.1, 0.0)"),
        ('RandomFlip("horizontal"', 'RandomFlip("vertical"'),
        ("            keras.layers.RandomShear(0.1, 0.1, seed=seed),\n", ""),
    ],
    ("cxrspark/training/augmentation.py", CHANGES): [
        ("vary_geometry(vary_contrast(tf.cast", "vary_geometry((tf.cast"),
        ("vary_exposure(_cover(grey))", "vary_exposure(grey)"),
        ("vary_exposure(_cover(grey))", "_cover(grey)"),
        ("add_objects(add_borders(grey))", "add_objects(grey)"),
        ("add_objects(add_borders(grey))", "add_borders(grey)"),
        ("INVERTED_SHARE = 0.12", "INVERTED_SHARE = 0.0"),
        ("TURNED_SHARE = 0.14", "TURNED_SHARE = 0.0"),
        ("UPSIDE_DOWN_SHARE = 0.08", "UPSIDE_DOWN_SHARE = 0.0"),
        ("ZOOM = (-0.5, 0.6)", "ZOOM = (0.0, 0.0)"),
        ("ASPECT = 0.35", "ASPECT = 0.0"),
        ("else (45.0, 0.5, UPSIDE_DOWN_SHARE)", "else (12.0, 0.5, UPSIDE_DOWN_SHARE)"),
        ("else (45.0, 0.5, UPSIDE_DOWN_SHARE)", "else (45.0, 0.0, UPSIDE_DOWN_SHARE)"),
        ("tf.random.uniform((tf.shape(grey)[0], 1, 1), low, high)",
         "tf.random.uniform((1, 1, 1), low, high)"),
    ],
    ("cxrspark/training/samples.py", SAMPLES): [
        ("of_view.sample(wanted, random_state=seed)", "of_view.head(wanted)"),
        ("counts.sample(frac=1.0, random_state=seed)", "counts.sample(frac=1.0)"),
        ("ceil(share * total)", "int(share * total)"),
        ("if (taken + count <= wanted).all():", "if True:"),
        ("of_known_patients(parts.validation, parts.training)]",
         'parts.validation["image_id"].isin(parts.training["image_id"])]'),
        ("    if len(shared):\n", "    if False:\n"),
    ],
    ("cxrspark/training/second_round.py", SAMPLES): [
        ('added[~added["image_id"].isin(labelled)]', "added"),
        ("new[~of_known_patients(new, parts.validation)]", "new"),
    ],
    ("cxrspark/archive/patients.py", f"{SAMPLES} {FIGURES} {SEEN}"): [
        ("mask(unknown | anywhere", "mask(unknown"),
        ('fillna("image " + images["image_id"])', 'fillna("image")'),
        ('source + "/" + images["patient_id"]', '"/" + images["patient_id"]'),
        ('where(has_source, "anywhere/" + patient)', 'where(has_source, "patient//" + patient)'),
        ('("patient//" + patient).where', '("patient/" + patient).where'),
        ('    if "subject_id" in images:\n', "    if False:\n"),
        ('        "image/" + _text(images, "image_id"),\n',
         '        "image/" + _text(images, "patient_id"),\n'),
    ],
    ("cxrspark/model/seen.py", SEEN): [
        ('f"{salt}/{name}"', 'f"{name}"'),
        ("secrets.token_hex(16)", '"0"'),
        ("asked_names(images)[0]", "asked_names(images)[1]"),
    ],
    ("cxrspark/model/calibration.py", CALIBRATION): [
        ("(positive + 1) / (positive + 2)", "1.0"),
        ("1 / (n - positive + 2)", "0.0"),
        ("frontal.sum() / copies", "frontal.sum()"),
        ("len(probability) / copies", "len(probability)"),
        ("np.log(p) - np.log1p(-p)", "np.log(p)"),
        ("np.clip(np.asarray(probability, np.float64), 1e-7, 1 - 1e-7)", "probability"),
        ("(rest >= called_right)", "(rest > called_right)"),
        (" & begins & ", " & "),
        ("(ordered > floor)", "(ordered > 0)"),
        ("half = floor if below <= floor else", "half ="),
        ("    half = 0.5\n", "    half = floor\n"),
        ("least_confidence - 0.5", "0.0"),
        ("int(right[called].sum())", "int(right.sum())"),
        ("            size /= 2\n", "            break\n"),
    ],
    ("cxrspark/training/validation.py", VALIDATION): [
        ("COPIES = 16", "COPIES = 0"),
        ("truths, 1 + copies)", "truths, 1)"),
        ("np.tile(frontal, 1 + copies)", "np.repeat(frontal, 1 + copies)"),
        ("bias * platt.slope + platt.offset", "bias * platt.slope"),
        ("kernel * platt.slope", "kernel"),
        ('"uncertain": proportion(~called, patients)', '"uncertain": proportion(called, patients)'),
        ("proportion(right, patients),", "proportion(right, np.arange(len(right))),"),
        ('settings.augmentation == "hospitals"', 'settings.augmentation == "paper"'),
    ],
    ("cxrspark/evaluation/intervals.py", INTERVALS): [
        ("Z95 = 1.959963984540054", "Z95 = 1.6448536269514722"),
        ("spread / (4 * number)", "spread / (2 * number)"),
        ("(sizes**2).sum()", "sizes.sum()"),
        ("wilson(share, effective_number(patients))", "wilson(share, hits.size)"),
        ("squares = (p - frontal) ** 2", "squares = abs(p - frontal)"),
        ("np.cumsum(lateral) - lateral / 2", "np.cumsum(lateral)"),
        ("[2.5, 97.5]", "[5, 95]"),
        ("count // 2)", "count)"),
        ("if value in (0.0, 1.0):", "if value == 1.0:"),
        ("patients < 2 or", ""),
        ("| mixed[1:] | mixed[:-1]", ""),
        ("random.integers(0, patients, patients)", "random.permutation(patients)"),
        ("max(0.0, min(low, proportion))", "low"),
    ],
    ("cxrspark/evaluation/figures.py", FIGURES): [
        ("right = (p >= FORCED_AT) == frontal", "right = (p > FORCED_AT) == frontal"),
        ("proportion((view == label)[called], patient[called])", "proportion(right, patient)"),
        ("np.asarray(view == UNCERTAIN, bool), patient)", "~called, patient)"),
        ("accuracy=proportion(right, patient)", "accuracy=proportion(right, np.arange(p.size))"),
        ("proportion(right[~frontal], patient[~frontal])", "proportion(right[frontal], "
         "patient[frontal])"),
        ("labelled.assign(patient=number_patients(labelled))",
         "labelled.assign(patient=range(len(labelled)))"),
        ("{False: NOT_SEEN, True: SEEN}", "{True: NOT_SEEN, False: SEEN}"),
        ('(p * BINS).astype(np.int64), BINS - 1)', '(p * BINS).astype(np.int64), BINS)'),
        ("errors=int(failed.sum())", "errors=0"),
        ('np.unique(patients[scored], return_inverse=True)[1]', "patients[scored]"),
    ],
    ("cxrspark/tables/open.py", TABLE): [("if found != table_format:", "if False:")],
    ("cxrspark/tables/parquet_table.py", KINDS): [
        (".coalesce(1)", ""),
        ('there.join(keys, key, "left_anti")', "there"),
        ("            self._swap(dead)\n", ""),
        ("            self._files.delete(name)\n", "            pass\n"),
    ],
    ("cxrspark/tables/lease.py", LEASE): [
        ("if lives and goes_first:", "if False:"),
        ("> 1000 * DEAD_AFTER", "> 1e9 * DEAD_AFTER"),
    ],
    ("cxrspark/scoring/tasks.py", TASKS): [
        ("F.when(forth, place).otherwise(tasks - 1 - place)", "place"),
        ('orderBy(size.desc(), "image_id")', 'orderBy("image_id")'),
        ("cores * ceil(wanted / cores)", "ceil(wanted)"),
        ("size / TASK_BYTES", "0.0"),
        ("F.lit(usual or 0.0)", "F.lit(0.0)"),
    ],
    ("cxrspark/scoring/plan.py", PLAN): [
        ('.when(F.col("held_elsewhere"), OTHER_ARCHIVE)', ""),
        ("or images > sizes[piece.work]", "or images > 2 * sizes[piece.work]"),
        ("or commit[0].work != piece.work", ""),
        ("F.floor(row * PIECES / size)", "F.floor(row * 4 / size)"),
        ("F.when(again, KEPT_REPLACED).otherwise(KEPT)", "F.lit(KEPT)"),
        ("left -= images", "left -= 0"),
        ('F.when(F.col("path") != "", F.xxhash64("path"))', 'F.xxhash64("path")'),
    ],
    ("cxrspark/archive/manifest.py", MANIFEST): [
        ("if counted[0] == counted[1]:", "if True:"),
        ('F.xxhash64("image_id")', 'F.xxhash64("path")'),
        ('"named": pc.if_else(named, path, None)', '"named": path'),
        ('"image_id": pc.coalesce(ids["image_id"], path)', '"image_id": path'),
        ("size.between(0, LARGEST)", "size.between(-LARGEST, LARGEST)"),
    ],
}  # fmt: skip

MUTATIONS = [
    Mutation(file, old, new, tests, *survives)
    for (file, tests), changes in _BY_FILE.items()
    for old, new, *survives in changes
]
