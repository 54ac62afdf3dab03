# Every target calls a CMake preset, ctest or the binary; `make help` lists them from the comments
# behind their names. `make run-local` and `make test` set up the machine themselves.
SHELL := /bin/bash
.DEFAULT_GOAL := help
JOBS ?= $(shell nproc)
# `make test PRESET=clang` builds and tests with another preset of CMakePresets.json.
PRESET ?= release
BINARY := build/$(PRESET)/realtime-strategies
CTEST := ctest --output-on-failure --no-tests=error -j $(JOBS)
FAULT_REPORT := $(CURDIR)/build/$(PRESET)/faults.jsonl
PYTHON := /usr/bin/python3 -B
SOURCES = $(shell git ls-files '*.cpp' '*.hpp')

# Targets install packages and share build folders: one after the other, whatever -j says.
.NOTPARALLEL:
# Programs whose output is read would colour it, for make says where its own goes.
unexport MAKE_TERMOUT MAKE_TERMERR

# What Debian has to have; make and git are there already. Of names with a / between them the first
# that the release has. What building takes is shared with the image.
BUILD_PACKAGES := $(shell cat docker/build-packages)
LOCAL_PACKAGES := nats-server
TEST_PACKAGES := curl libgtest-dev libgmock-dev libbenchmark-dev rapidjson-dev \
  nats-server prometheus iptables python3 python3-yaml valgrind systemd zsh fish groff-base mandoc \
  chromium tmux locales fiu-utils
LINT_PACKAGES := clang-14/clang clang-tidy-14/clang-tidy clang-format-14/clang-format
ARM64_PACKAGES := cmake ninja-build pkg-config python3 rapidjson-dev g++-aarch64-linux-gnu \
  qemu-user-static $(patsubst %-dev,%-dev:arm64,$(subst -dev/,-dev:arm64/,$(filter %-dev, \
  $(BUILD_PACKAGES) libgtest-dev libgmock-dev libbenchmark-dev)))
COVERAGE_PACKAGES := gcovr
BENCH_TARGETS := realtime-strategies engine_bench step_frames service_bench
SECURITY_PACKAGES := cppcheck binutils
PACKAGE_PACKAGES := dpkg-dev file mmdebstrap
FUZZ_PACKAGES := clang-14/clang libclang-rt-14-dev/libclang-rt-dev
FUZZ_SECONDS ?= 30
FUZZ_RUNS ?= 10000000
SIMULATED_SEEDS ?= 10000
# Of the tests those with these labels, as ctest -L takes them, run under ASan and UBSan.
SANITIZED ?= unit|integration|e2e
# The newest of each release line that is tried besides Debian's, and the tests' names, or how they
# begin: both logs; then the connection, permissions, credentials, accounts with imports, and leaf
# nodes with their domain; then what is said of a broker that is not as it should be.
BROKERS ?= v2.10.27 v2.12.15 v2.14.10
BROKER_TESTS := Replicas RedundantReplicas ThreeBrokers ComingAndGoing DailyCap BehindTheOrderLog \
  UnderTheControlLog SettingsUnderLoad OrderLog ForwardedTo ControlLog OddEntries Provision \
  NatsClient NatsRequest Denied DeliveryDenied Permitted PermissionsSnippet LeastPrivilege \
  ControlPermissions Credentials Tls Accounts Leaf DoctorBroker BrokerLimits
SOAK_SECONDS ?= 1800
SOAK_SEED ?= 1

# Installs what is missing of the packages given; does nothing when nothing is. Starts no service.
INSTALL := cmake/setup/install-packages.sh
install = @$(INSTALL) $(1)

# Whether a command works, by its exit code: one that is there may print, too, and fail.
works = $(shell $(1) >/dev/null 2>&1 && echo yes)

# A tool of clang's when the recipe runs: that of 14, by which the code is formatted and linted, where
# it is, as on Debian 12; else the release's own, which may find other things to say.
clang_tool = $$(command -v $(1)-14 || echo $(1))

# Helm, kustomize and the loader of docker compose are built with Go where they are not there.
need_go = $(if $(call works,go version),,$(call install,golang-go))

# All tests of a build. Those of real processes and clocks can lose a race on a machine that is
# taken away for a moment: what failed is named, runs once more, alone, and then has to pass.
define run_tests
@$(CTEST) --test-dir $(1) $(2) || \
  { echo "== what failed runs once more, alone"; $(CTEST) --test-dir $(1) $(2) --rerun-failed -j 1; }
endef

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install what building, running and testing need (apt; sudo when not root)
	$(call install,$(BUILD_PACKAGES) $(TEST_PACKAGES))
	$(if $(call works,npm --version),,$(call install,nodejs npm))
	@$(MAKE) --no-print-directory $(BROWSER_MODULES)

# What the browser's tests import, as their lock file says; outside of what git looks at. Where npm
# cannot get it, those tests are skipped; with CI set that is an error.
BROWSER_MODULES := build/browser/node_modules/.package-lock.json
$(BROWSER_MODULES): tests/browser/package-lock.json
	@mkdir -p build/browser && cp tests/browser/package*.json build/browser
	@cd build/browser && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && \
	  touch node_modules/.package-lock.json || \
	  { rm -rf node_modules; echo "npm cannot get what the browser's tests import"; [ -z "$$CI" ]; }

.PHONY: setup-build
setup-build:
	$(call install,$(BUILD_PACKAGES))

.PHONY: setup-local
setup-local:
	$(call install,$(BUILD_PACKAGES) $(LOCAL_PACKAGES))

.PHONY: setup-lint
setup-lint: setup
	$(call install,$(LINT_PACKAGES))

# Without the tests where what they take has never been asked for.
.PHONY: compile
compile: setup-build ## Build build/release/realtime-strategies
	@cmake --preset $(PRESET) >/dev/null \
	  -DRTS_TESTS=$$([ -n "$$($(INSTALL) --missing $(TEST_PACKAGES))" ] && echo OFF || echo ON)
	@cmake --build --preset $(PRESET) -j $(JOBS) --target realtime-strategies

.PHONY: run-local
run-local: setup-local compile ## Broker, service and a made-up market on this machine; Ctrl-C stops all
	@BINARY=$(BINARY) tests/e2e/run-local.sh

.PHONY: build-tests
build-tests: setup
	$(if $(filter clang%,$(PRESET)),$(call install,$(LINT_PACKAGES)))
	@cmake --preset $(PRESET) >/dev/null
	@cmake --build --preset $(PRESET) -j $(JOBS)

.PHONY: test
test: build-tests ## All tests
	$(call run_tests,build/$(PRESET))

.PHONY: test-clang
test-clang: ## All tests, of a build with clang
	@$(MAKE) --no-print-directory test PRESET=clang

# Another Debian, made from packages: make runs there, in a clone of what is committed. sudo passes no
# variables on, and what root makes in build/ must not make build/ root's.
as_root = $(if $(filter 0,$(shell id -u)),,sudo)
in_debian = @mkdir -p build && $(as_root) env CI=$(CI) JOBS=$(JOBS) \
  $(PYTHON) tests/ship/other_debian.py

.PHONY: test-trixie
test-trixie: ## All tests in a fresh Debian 13 (root; stays in build/debian)
	$(call install,mmdebstrap)
	$(in_debian) trixie test

.PHONY: test-arm64
test-arm64: ## What needs no broker as arm64 runs it: cross build, replays' bytes, in qemu (root)
	$(call install,mmdebstrap)
	$(in_debian) bookworm+arm64 test-arm64-here

# As above where packages of arm64 may be installed, as in a Debian that is there for that.
.PHONY: test-arm64-here
test-arm64-here:
	$(call install,$(ARM64_PACKAGES))
	@cmake --preset arm64 >/dev/null
	@cmake --build --preset arm64 -j $(JOBS)
	$(call run_tests,build/arm64)

.PHONY: unit
unit: build-tests ## Tests that need no socket and no broker
	@$(CTEST) --test-dir build/$(PRESET) -L unit

.PHONY: integration
integration: build-tests ## Tests against a real broker and real sockets
	@$(CTEST) --test-dir build/$(PRESET) -L integration

.PHONY: e2e
e2e: build-tests ## Tests of the whole program as a user runs it; the table of faults at the end
	@rm -f $(FAULT_REPORT)
	@RTS_FAULT_REPORT=$(FAULT_REPORT) $(CTEST) --test-dir build/$(PRESET) -L e2e; result=$$?; \
	  build/$(PRESET)/fault_table $(FAULT_REPORT) && exit $$result

.PHONY: e2e-brokers
e2e-brokers: build-tests ## What depends on the broker, with others (BROKERS: nats-server 2.10, 2.12, 2.14); needs Go
	$(need_go)
	@failed=; for version in $(BROKERS); do \
	  folder=$(CURDIR)/build/tools/nats-server/$$version; \
	  export RTS_NATS_SERVER=$$folder/nats-server RTS_FAULT_REPORT=$(FAULT_REPORT).$$version; \
	  rm -f $$RTS_FAULT_REPORT; \
	  [ -x $$RTS_NATS_SERVER ] || \
	    tests/ship/go_tool.py github.com/nats-io/nats-server/v2@$$version $$folder || exit 1; \
	  echo "== $$($$RTS_NATS_SERVER --version)"; \
	  $(CTEST) --test-dir build/$(PRESET) -L 'e2e|integration' \
	    -R "^([A-Za-z]*/)?($$(echo $(BROKER_TESTS) | tr ' ' '|'))[A-Za-z]*[.]"; result=$$?; \
	  build/$(PRESET)/fault_table $$RTS_FAULT_REPORT && [ $$result = 0 ] || failed="$$failed $$version"; \
	done; [ -z "$$failed" ] || { echo "not held by:$$failed"; exit 1; }

.PHONY: simulate-faults
simulate-faults: build-tests ## 10,000 seeds (SIMULATED_SEEDS) of replicas, feed, both logs and their faults; no broker
	@rm -f build/$(PRESET)/simulation.json
	@RTS_SIMULATED_SEEDS=$(SIMULATED_SEEDS) RTS_SIMULATION_REPORT=build/$(PRESET)/simulation.json \
	  build/$(PRESET)/property_tests --gtest_filter='Replicas*'

.PHONY: soak
soak: build-tests ## A seeded schedule of faults for SOAK_SECONDS, then 1,000,000 mutated frames
	@rm -f build/$(PRESET)/soak.json
	@build/$(PRESET)/supervisor --seconds $(SOAK_SECONDS) --seed $(SOAK_SEED) \
	  --json build/$(PRESET)/soak.json
	@rm -f $(FAULT_REPORT).soak
	@RTS_MUTATED_FRAMES=1000000 RTS_FAULT_REPORT=$(FAULT_REPORT).soak \
	  build/$(PRESET)/e2e_tests --gtest_filter=MarketFault.MutatedFrames

.PHONY: reliability-docs
reliability-docs: ## Write docs/RELIABILITY.md anew from what e2e, soak, fuzz and others have left in build
	@tests/chaos/reliability.py --publish

.PHONY: sanitize
sanitize: setup ## All tests under ASan and UBSan, or those labelled SANITIZED
	@cmake --preset asan >/dev/null
	@cmake --build --preset asan -j $(JOBS) --target $(addprefix tests-,$(subst |, ,$(SANITIZED)))
	$(call run_tests,build/asan,-L '$(SANITIZED)')

.PHONY: sanitize-threads
sanitize-threads: setup ## All tests under TSan
	@cmake --preset tsan >/dev/null
	@cmake --build --preset tsan -j $(JOBS)
	$(call run_tests,build/tsan)

.PHONY: planted
planted: setup ## Plant 15 defects, one at a time: a test has to fail of each
	@$(PYTHON) tests/planted/defects.py --jobs $(JOBS)

.PHONY: mutants
mutants: setup ## Mutate what decides about money, point by point: a test has to fail of each
	@$(PYTHON) tests/planted/mutants.py --jobs $(JOBS)

.PHONY: bench
bench: setup ## Figures beside bare libraries; QUICK=1: two minutes; PEERS=1: and vectorbt (PyPI)
	$(if $(PEERS),$(call install,python3-venv))
	$(if $(PEERS),@tests/bench/peers/environment.py vectorbt)
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target $(BENCH_TARGETS) >&2
	@tests/bench/bench.py $(if $(QUICK),--quick)

.PHONY: bench-docs
bench-docs: ## Write docs/PERFORMANCE.md anew from what the last `make bench` has measured
	@tests/bench/bench.py --publish

.PHONY: bench-peers
bench-peers: setup compile ## Figures: what a user would pick instead, over the same feed (from PyPI)
	$(call install,python3-venv)
	@tests/bench/peers/run.py --json build/release/peers.json

.PHONY: bench-broker
bench-broker: setup compile ## Figures: where the broker becomes the limit; partitioned subjects
	@tests/bench/broker_limits.py --json build/release/broker.json

# Counters of runs before would be added to, and what a test that fails has run is counted as well.
.PHONY: coverage
coverage: setup ## How much of the product code the tests run, with limits: build/coverage/index.html
	$(call install,$(COVERAGE_PACKAGES))
	@cmake --preset coverage >/dev/null
	@cmake --build --preset coverage -j $(JOBS)
	@find build/coverage -name '*.gcda' -delete
	@$(CTEST) --test-dir build/coverage; result=$$?; \
	  gcovr --root . --filter 'src/' --filter 'include/' -j $(JOBS) \
	    --object-directory build/coverage --exclude-unreachable-branches --exclude-throw-branches \
	    --json build/coverage/coverage.json build/coverage && \
	  gcovr --root . --add-tracefile build/coverage/coverage.json --sort-percentage \
	    --html-details build/coverage/index.html && \
	  tests/coverage/coverage.py build/coverage/coverage.json && exit $$result

.PHONY: helm-lint
helm-lint: setup compile ## Lint and render the Helm chart (builds helm with Go where there is none)
	$(need_go)
	@RTS_BINARY=$(BINARY) $(PYTHON) tests/k8s/validate.py helm

.PHONY: k8s-validate
k8s-validate: setup compile ## Manifests, chart, alerts and dashboard against schemas and rules; no cluster
	$(need_go)
	@RTS_BINARY=$(BINARY) $(PYTHON) tests/k8s/manifests_test.py
	@RTS_BINARY=$(BINARY) $(PYTHON) tests/k8s/validate.py

# The targets are those of tests/fuzz/CMakeLists.txt.
.PHONY: build-fuzz
build-fuzz: setup
	$(call install,$(FUZZ_PACKAGES))
	@cmake --preset fuzz >/dev/null
	@cmake --build --preset fuzz -j $(JOBS) --target fuzz_targets

.PHONY: fuzz
fuzz: build-fuzz ## Fuzz whatever reads bytes from outside, FUZZ_SECONDS a target (default 30)
	@tests/fuzz/fuzz.py --build build/fuzz --seconds $(FUZZ_SECONDS) --jobs $(JOBS)

.PHONY: fuzz-long
fuzz-long: build-fuzz ## The same until each target had 10,000,000 executions (FUZZ_RUNS), in one run or more
	@tests/fuzz/fuzz.py --build build/fuzz --runs $(FUZZ_RUNS) --jobs $(JOBS)

.PHONY: check-format
check-format: setup-lint
	@$(call clang_tool,clang-format) --dry-run --Werror $(SOURCES)

.PHONY: lint
lint: check-format type-check ## clang-format, then everything of type-check
	@echo "lint: clean"

# Of the files on standard input. clang's own warnings are among what it says, so nothing has to be
# built for them; `make test-clang` does.
tidy = xargs -P $(JOBS) -n 1 $(call clang_tool,clang-tidy) -p build/clang --quiet 2>/dev/null
.PHONY: type-check
type-check: build-tests setup-lint ## Warnings are errors with g++ and with clang; clang-tidy
	@cmake --preset clang >/dev/null
	@cmake --build --preset clang -j $(JOBS) --target rts_version
	@printf '%s\n' $(filter src/%.cpp,$(SOURCES)) | $(tidy)
	@printf '%s\n' $(filter-out tests/planted/%,$(filter tests/%.cpp,$(SOURCES))) | \
	  $(tidy) --checks='-*,clang-diagnostic-*,readability-duplicate-include'

# What cppcheck 2.10 takes for faults: a reference to a constant of namespace scope, one that a function
# returns which is a template's argument, and the end of a text that is passed on as a view. It has to
# be told what the macro of Boost.Describe means.
CPPCHECK := cppcheck --quiet --std=c++20 --language=c++ --enable=warning,portability \
  --suppress=returnTempReference:src/wire/event_fields.hpp \
  --suppress=returnTempReference:src/config/table.cpp \
  --suppress=invalidLifetime:include/rts/base/text.hpp \
  --suppress=invalidLifetime:src/config/broker_url.cpp \
  '-DBOOST_DEFINE_FIXED_ENUM_CLASS(E,T,...)=enum class E : T { __VA_ARGS__ };' \
  --error-exitcode=1 -j $(JOBS) -I include -I src

.PHONY: security
security: setup compile ## Hardening of the binary, cppcheck, secrets in git, the manifests' rules, an SBOM
	$(call install,$(SECURITY_PACKAGES))
	@tests/ship/hardening.py $(BINARY)
	@$(CPPCHECK) src && echo "cppcheck: clean"
	@tests/ship/secret_scan.py --history
	@RTS_BINARY=$(BINARY) $(PYTHON) tests/k8s/manifests_test.py Rules
	@$(PYTHON) cmake/package/sbom.py $(BINARY) >build/sbom.spdx.json
	@echo "SBOM: build/sbom.spdx.json"

.PHONY: pre-commit
pre-commit: check-format unit ## What a commit has to pass: format, secrets, the tests without sockets
	@tests/ship/secret_scan.py

.PHONY: format
format: setup-lint ## Format the code
	@$(call clang_tool,clang-format) -i $(SOURCES)

# --- The image, the Debian package, the cluster -------------------------------------------------------

# Podman, where no docker works or another engine is asked for.
uses_docker = $(and $(filter docker,$(or $(CONTAINER_ENGINE),docker)),$(call works,docker info))
.PHONY: setup-container
setup-container:
	$(call install,cmake python3 nats-server $(if $(uses_docker),,podman runc mmdebstrap))

.PHONY: build
build: setup-container ## Build the image (CONTAINER_ENGINE=docker|podman|buildah, DEBIAN_RELEASE, IMAGE, IMAGE_TAG)
	@docker/image.py build

.PHONY: container
container: build ## Try the image out as a cluster would run it, and check its size
	@docker/image.py smoke

.PHONY: container-trixie
container-trixie: ## The same with the libraries of Debian 13
	@$(MAKE) --no-print-directory container DEBIAN_RELEASE=trixie

.PHONY: docker-clean
docker-clean: ## Remove the image, the builder's base image and what building left over
	@docker/image.py clean

.PHONY: compose-validate
compose-validate: setup compile ## docker/compose.yaml against the loader of docker compose; starts nothing
	$(need_go)
	@RTS_BINARY=$(BINARY) $(PYTHON) tests/ship/compose_test.py

# Where DEBIAN_RELEASE is another than this machine's, the package is built and tried out in that
# Debian.
elsewhere := $(filter-out $(shell . /etc/os-release && echo $$VERSION_CODENAME),$(DEBIAN_RELEASE))
PACKAGES := build/package/$(if $(elsewhere),$(elsewhere)/)*.deb

.PHONY: package
ifneq ($(elsewhere),)
package:
	$(call install,mmdebstrap)
	$(in_debian) $(elsewhere) package
	@rm -rf build/package/$(elsewhere); mkdir -p build/package/$(elsewhere)
	@cp build/debian/$(elsewhere)/source/build/package/*.deb build/package/$(elsewhere)
	@ls $(PACKAGES)
else
package: compile ## Build the Debian package: build/package/*.deb (DEBIAN_RELEASE=trixie: for that Debian)
	$(call install,$(PACKAGE_PACKAGES))
	@rm -f build/package/*.deb
	@cd build/$(PRESET) && cpack -G DEB -B ../package >/dev/null
	@rm -rf build/package/_CPack_Packages; ls $(PACKAGES)
endif

.PHONY: package-test
package-test: setup package ## Install, run, upgrade, remove and purge the package in a fresh Debian (root)
	$(call install,mmdebstrap)
	@$(as_root) env DEBIAN_RELEASE=$(elsewhere) CI=$(CI) \
	  $(PYTHON) tests/ship/package_test.py $(PACKAGES)

.PHONY: package-test-trixie
package-test-trixie: ## The same of Debian 13's package
	@$(MAKE) --no-print-directory package-test DEBIAN_RELEASE=trixie

# What is deployed, and where to, reaches the script through the environment: neither make nor a
# shell reads it as their own language, whoever has filled in the workflow's form.
.PHONY: deploy
deploy: ## Deploy IMAGE_TAG to cluster CONTEXT (OVERLAY=production); goes back when it fails
	@k8s/cluster.sh deploy "$$IMAGE_TAG" "$$CONTEXT" "$$OVERLAY"

.PHONY: k8s-status
k8s-status: ## What runs in CONTEXT
	@k8s/cluster.sh status "$$CONTEXT" "$$OVERLAY"

.PHONY: k8s-logs
k8s-logs: ## The logs of all replicas in CONTEXT (TAIL=100, FOLLOW=true)
	@k8s/cluster.sh logs "$$CONTEXT" "$$OVERLAY"

.PHONY: k8s-undo
k8s-undo: ## Go back in CONTEXT from a rollout that stands half done, as after a killed deploy
	@k8s/cluster.sh undo "$$CONTEXT" "$$OVERLAY"

.PHONY: k8s-clean
k8s-clean: ## Remove the service from CONTEXT; the namespace and the Secrets stay
	@k8s/cluster.sh clean "$$CONTEXT" "$$OVERLAY"

# One after the other, whatever -j says: each of them uses all cores.
PIPELINE := lint test e2e-brokers test-clang test-trixie test-arm64 sanitize sanitize-threads fuzz \
  coverage security k8s-validate compose-validate container container-trixie package-test \
  package-test-trixie

.PHONY: pipeline
pipeline: export CI := 1
pipeline: ## Everything that .github/workflows/ci.yaml does, in order
	@for target in $(PIPELINE); do \
	  echo "== make $$target"; begun=$$SECONDS; \
	  $(MAKE) --no-print-directory $$target || { echo "== make $$target failed"; exit 1; }; \
	  echo "== make $$target took $$((SECONDS - begun)) s"; \
	done

# --- The rest -------------------------------------------------------------------------------------

.PHONY: screenshots
screenshots: setup compile ## Write docs/images anew: the status page, trading and paused, and two reports
	@RTS_BINARY=$(CURDIR)/$(BINARY) node tests/browser/screenshots.mjs

.PHONY: docs
docs: build-tests ## Write what is generated from the tables anew: two pages in docs/, two files in k8s/
	@RTS_UPDATE_DOCS=1 $(CTEST) --test-dir build/$(PRESET) -R 'Docs|IsDocumented'

.PHONY: clean
clean: ## Remove everything that was built
	@$(if $(wildcard build/debian),$(as_root)) rm -rf build
