# make          what there is
# make demo     the demo site
# make test     everything that must hold
SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# Every module, in the order in which its tests run. Those of ENGINE need a
# container engine, which integration/setup provides, and the machine: their
# packages run one after the other.
# The benchmarks are checked but not tested here: the peers that they run have
# data races of their own.
ENGINE  := integration
LIBRARY := . binary/otelmemcached binary/prommemcached
MODULES := $(LIBRARY) examples $(ENGINE) integration/bench

# Where the library is promised to run, beside this machine.
PLATFORMS := linux/386 linux/arm linux/s390x windows/amd64 darwin/arm64 freebsd/amd64

# The modules that are there, each a step of its own: $(call each,step,folders,command)
present = $(patsubst %/go.mod,%,$(wildcard $(addsuffix /go.mod,$(1))))
each    = for module in $(call present,$(2)); do .ci/step $(1) $$module $(3) || exit 1; done

GOFUMPT     := go run mvdan.cc/gofumpt@v0.12.0
STATICCHECK := go run honnef.co/go/tools/cmd/staticcheck@v0.8.2
# check has vetted everything already.
TEST        := go test ./... -race -shuffle=on -timeout=15m -vet=off

# Tests that count allocations, or callers by the ten thousand: with the race
# detector they skip, so they run without it too.
UNRACED := ^Test(Allocations|Memory_|LargeValues_|OversizedFrame_|Queue_)

# Gin without its MessagePack, which nothing here uses: that one package is a
# quarter of what the root module's tests compile. CI's job library builds gin
# as its users do.
export GOFLAGS := $(shell go env GOFLAGS 2>/dev/null) -tags=nomsgpack

# How long each fuzz target runs.
export FUZZTIME ?= 60s

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: go
go: # older ones do not even say what is wrong
	@version=$$(go version || true); [[ $$version =~ go1\.(2[1-9]|[3-9][0-9])|devel ]] || \
		{ echo "Go 1.26 or newer is needed, from https://go.dev/dl/ ($${version:-there is none here})"; exit 1; }

.PHONY: demo
demo: go ## Run the demo site; MEMCACHED_SERVERS, MEMCACHED_USERNAME, MEMCACHED_PASSWORD: on a real memcached
	@echo 'building the demo site: seconds, or minutes the first time'
	@mkdir -p .cache && cd examples && go build -o ../.cache/demo ./demo && exec ../.cache/demo

.PHONY: test
test: ## Check and test everything, also on real memcached; MEMCACHED_INTEGRATION=off: not there
	@mkdir -p .cache && : >.cache/steps
	@STEP_LOG=.cache/steps $(MAKE) --no-print-directory setup check platforms test-fast test-real
	@.ci/step -summary .cache/steps
ifeq ($(MEMCACHED_INTEGRATION),off)
	@echo 'MEMCACHED_INTEGRATION=off: real memcached was left out'
endif

.PHONY: setup
setup: go ## Name the Debian packages that the tests need and this machine lacks; as root: install them
	@.ci/step setup integration go run ./setup

.PHONY: check
check: go ## Check the format, go vet and staticcheck
	@.ci/step format . bash -c 'unformatted=$$($(GOFUMPT) -l .); test -z "$$unformatted" || { echo "gofumpt -w these:"; echo "$$unformatted"; exit 1; }'
	@$(call each,vet,$(MODULES),go vet ./...)
	@$(call each,staticcheck,$(MODULES),$(STATICCHECK) -checks all ./...)

.PHONY: platforms
platforms: ## Vet the library for every system and processor that it is promised on, and test it with 32 bits
	@for platform in $(PLATFORMS); do for module in $(call present,$(LIBRARY)); do \
		.ci/step vet-$${platform/\//-} $$module env CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/} go vet ./... || exit 1; \
	done; done
ifeq ($(shell go env GOHOSTOS GOHOSTARCH 2>/dev/null | xargs),linux amd64)
	@.ci/step test-386 . env CGO_ENABLED=0 GOARCH=386 go test -timeout=15m -vet=off ./...
else
	@echo 'the tests run with 32 bits on linux/amd64 only: left out here'
endif

.PHONY: test-fast
test-fast: ## Run the tests that need no container engine
	@$(call each,test,$(filter-out $(ENGINE) integration/bench,$(MODULES)),$(TEST))
	@.ci/step test-unraced . go test -count=1 -timeout=5m -vet=off -run='$(UNRACED)' ./binary ./store

.PHONY: test-real
test-real: ## Run the integration tests: real memcached, browsers, other languages, the soak
	@.ci/step fetch-suite integration go run ./conformance -fetch
	@.ci/step compile integration bash -c 'go list -race -test -deps -export ./... >/dev/null' # on all processors, unlike go test -p=1
ifeq ($(MEMCACHED_INTEGRATION),off)
	@$(call each,test,$(ENGINE),$(TEST) -p=1)
else
	@.ci/step test-real integration go run ./setup $(TEST) -p=1
endif

.PHONY: rehearsal
rehearsal: ## Get, build and install every module from a proxy that has the tree as the next version
	@cd integration && go test -count=1 -v -run=TestRehearsal ./release

.PHONY: release
release: ## Check that VERSION (v0.1.0) can be released and print its tags; PREPARE=yes: set it; TAG=yes: make them
	@cd integration && go run ./release $(if $(PREPARE),-prepare) $(if $(TAG),-tag) -- '$(VERSION)'

.PHONY: bench
bench: ## Measure this client beside others, write integration/bench/RESULTS.md and the README's figures
	@cd integration/bench && go run . -write

.PHONY: curve
curve: ## Measure callers, thresholds, kinds of work, processors and delays (20 minutes) and write integration/bench/CURVE.md
	@cd integration/bench && go run . -curve -each -ops get,set,mixed,getmulti,page,session -procs $$(getconf _NPROCESSORS_ONLN),1,8 -threads 4,1 -delays 0,200us,1ms,5ms -rounds 2 -duration 150ms -write

.PHONY: conformance
conformance: ## Run the public HTTP cache test suite against the middleware; needs Node and npm
	@cd integration && go run ./conformance

.PHONY: soak
soak: ## Run the soak alone, ten minutes with a fault every few seconds, the order of writes for minutes, 3,000 random fleets, and 100,000 keys
	@STORE_MODEL_SEEDS=3000 go test -timeout=1h -run=TestFleetModel ./store
	@cd integration && MEMCACHED_SOAK=10m go run ./setup go test -race -run=TestSoak -timeout=2h -v .
	@cd integration && MEMCACHED_ORDER=2m go run ./setup go test -race -timeout=1h -v ./order
	@cd integration && STORE_LOAD_KEYS=100000 go run ./setup go test -race -timeout=1h -run=TestManyKeys -v ./store

.PHONY: languages
languages: ## Run the tests of other languages with the newest clients that Debian has, from sid
	@cd integration && MEMCACHED_LANGUAGES_SUITE=sid go run ./setup go test -v -count=1 -timeout=40m ./languages

.PHONY: faults
faults: ## Measure what callers see of faults, beside other clients, and write the table in OPERATIONS.md
	@cd integration && MEMCACHED_FAULTS=3 go test -count=1 -v -run=TestFaults -timeout=1h ./faults

# How many random sites the oracle of the response cache builds, and from what seed.
SITES ?= 10000
SEED  ?= $(shell date +%s)

.PHONY: composition
composition: ## Compare SITES (10000) random sites with the response cache and without, for minutes
	@cd integration && go test -count=1 -timeout=2h -v -run=TheSiteWithTheCache ./composition -rapid.checks=$(SITES) -rapid.seed=$(SEED)

# How many steps the state machine of sessions takes.
STEPS ?= 100000

.PHONY: sessions
sessions: ## Take STEPS (100000) random steps with sessions while hours pass, a tenth of them on real memcached, for minutes
	@cd integration && go test -count=1 -timeout=2h -v -run=StateMachine_InProcess ./session -rapid.steps=100 -rapid.checks=$$(($(STEPS) / 100))
	@cd integration && go run ./setup go test -count=1 -timeout=2h -v -run=StateMachine_OnMemcached ./session -rapid.steps=100 -rapid.checks=$$(($(STEPS) / 1000))

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (60s)
	@$(call each,fuzz,$(MODULES),$(CURDIR)/.ci/fuzz)
