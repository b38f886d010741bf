# The whole life of a checkout: `make install`, `make demo`, `make test`, `make lint`, `make docs`.
#
# Everything is installed into $(VENV) and nothing outside it, but for downloads and the compiled Horovod wheel in the
# user's cache. A stamp file stands for each step, so that a second `make install` takes a fraction of a second.

PYTHON ?= python3
# Which lock of envs/ to install: cpu or gpu. Each has an environment of its own, as their TensorFlows exclude each other.
LOCK ?= cpu
VENV ?= $(if $(filter cpu,$(LOCK)),.venv,.venv-$(LOCK))
CORES ?= 2

BIN := $(VENV)/bin
ON_PATH := PATH="$(abspath $(BIN)):$$PATH"
# Directories count as well: they change when a file is removed or renamed.
SOURCES := meson.build pyproject.toml $(shell find src cython_ext \( -name __pycache__ -o -name '.*' -o -name '*.so' \) -prune -o -print)
STAMPS := $(VENV)/.lehr
DEMO := results/demo/report.html

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help install demo test test-slurm lint docs lock clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: $(STAMPS)/package $(STAMPS)/horovod ## install everything into .venv (LOCK=gpu: into .venv-gpu)
	@echo "lehr is installed: $(BIN)/lehr (try: $(BIN)/lehr doctor)"

demo: install ## run the whole workflow at a small size, ending in a report
	@mkdir -p build && touch build/demo-start
	$(ON_PATH) snakemake --configfile workflow/config/demo.yaml --cores $(CORES)
	@if [ $(DEMO) -nt build/demo-start ]; then \
		echo "The report is written: $(DEMO)"; \
	else \
		echo "Nothing to do, the report is up to date: $(DEMO)"; \
	fi

test: install ## run the tests
	$(ON_PATH) pytest $(PYTEST_ARGS)

# Slurm is stopped only if this has started it.
test-slurm: install ## run the demo through Slurm and the tests of faults on it (root and apt; starts a Slurm here)
	@mkdir -p build && sed 's|^output: .*|output: results/demo-slurm|' workflow/config/demo.yaml >build/demo-slurm.yaml
	@slurm/ci/slurm.sh status >/dev/null 2>&1 || touch build/slurm-started
	slurm/ci/slurm.sh start
	@trap '[ ! -e build/slurm-started ] || { slurm/ci/slurm.sh stop; rm -f build/slurm-started; }' EXIT; set -e; \
	export $(ON_PATH); \
	rm -rf results/demo-slurm; \
	snakemake --workflow-profile slurm/ci --configfile build/demo-slurm.yaml; \
	squeue --states=all --sort=i --format='%8i %10T %9M %9l %5C %8m %.40k'; \
	pytest -m slurm $(PYTEST_ARGS)

lint: install ## check style, types, layers and generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports --no-logo
	$(BIN)/python workflow/schemas/generate.py --check

docs: install ## build the docs as a site, without network
	$(ON_PATH) python docs/build.py
	$(ON_PATH) zensical build --strict
	@echo "The docs are built: build/site/index.html (with the search: $(BIN)/python -m http.server -d build/site)"

clean: ## remove what was built, keep the environment and the results
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find src tests cython_ext -name __pycache__ -type d -exec rm -rf {} +

distclean: clean ## remove the environment too
	rm -rf $(VENV)

# --- installation ----------------------------------------------------------------------------------------------------

# uv reads no pip configuration. Somebody whose packages come from a mirror has said so to pip, which also installs uv
# here, so that one setting is passed on. Nothing else of a user's pip configuration can reach the locked environment.
UV = UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(BIN)/pip config get global.index-url 2>/dev/null)}}" \
	$(BIN)/uv
INSTALL = $(UV) pip install --python $(BIN)/python --quiet --compile-bytecode

$(STAMPS)/tools: envs/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' || { \
		echo "error: lehr needs Python 3.11 or 3.12, but $(PYTHON) is $$($(PYTHON) --version 2>&1 || true)." >&2; \
		echo "  Name another one: make install PYTHON=python3.12" >&2; exit 1; }
	@command -v $(firstword $(CC)) >/dev/null && command -v $(firstword $(CXX)) >/dev/null || { \
		echo "error: lehr compiles C, and Horovod C++, but $(CC) or $(CXX) is not on PATH." >&2; \
		echo "  Install a compiler (Debian: apt-get install build-essential) or name one: make install CC=clang CXX=clang++" >&2; exit 1; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@PIP_USER=0 $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/uv.txt
	@mkdir -p $(@D) && touch $@

# Byte code is written now: an environment on a cluster may be read-only later, and many ranks import at once.
$(STAMPS)/environment: $(STAMPS)/tools envs/$(LOCK).txt
	@echo "Installing envs/$(LOCK).txt ..."
	@$(INSTALL) --require-hashes -r envs/$(LOCK).txt
	@touch $@

$(STAMPS)/horovod: $(STAMPS)/environment envs/horovod.txt envs/build_horovod.sh
	@CC="$(CC)" CXX="$(CXX)" envs/build_horovod.sh $(BIN)/python
	@touch $@

# The build directory is kept, one for each environment, so that only what changed is compiled again.
$(STAMPS)/package: $(STAMPS)/environment $(SOURCES)
	@echo "Compiling and installing lehr ..."
	@CC="$(CC)" $(INSTALL) --offline --no-build-isolation --no-deps --reinstall-package lehr \
		-Cbuild-dir=build/$(notdir $(VENV)) .
	@touch $@

# --- locks -----------------------------------------------------------------------------------------------------------

EXTRAS := store mpi train workflow report excel mcmc docs dev
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

lock: $(STAMPS)/tools ## resolve the locks in envs/ again (UPGRADE=1: to the newest versions)
	echo uv | $(COMPILE) --no-annotate - -o envs/uv.txt
	$(COMPILE) --extra horovod --no-deps --no-emit-package numpy --no-annotate pyproject.toml -o envs/horovod.txt
	$(COMPILE) $(EXTRAS:%=--extra %) --extra horovod --no-emit-package horovod pyproject.toml envs/cpu.in -o envs/cpu.txt
	$(COMPILE) $(EXTRAS:%=--extra %) --extra horovod --no-emit-package horovod -c envs/cpu.txt pyproject.toml envs/gpu.in \
		-o envs/gpu.txt
