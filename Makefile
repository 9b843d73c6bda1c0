# Every variable of the README works from the environment and on this command
# line alike.
export PACKAGE QMSYS BASE FOCUS LABELS RESULTS PROFILE BASELINE FAULT STRICT PROCS ANNOTATE
# Those of the harness's own tests.
export RUNS FUZZTIME TRIALS

TOOLS := go tool -modfile=harness/tools/go.mod
BINARY := build/conformance.test

.DEFAULT_GOAL := help

## conformance  judge a set-up: boots it, judges every requirement, writes $RESULTS, prints a summary
.PHONY: conformance
conformance: $(BINARY)
	@./$(BINARY)

## test         the project's own tests, without Docker
.PHONY: test
test:
	@go vet ./...
	@go test ./harness/... ./docker/... ./fixtures/... ./suites/...

## browser-test the report in a headless Chromium; REPORTS names pages of real runs to look at as well
.PHONY: browser-test
browser-test:
	@cd harness/browser && go vet ./... && REPORTS="$(abspath $(REPORTS))" go test -count=1 ./...

## test-docker  the tests that need a Docker daemon: images, the reaper, and how a run dies
.PHONY: test-docker
test-docker:
	@QMCONFORMANCE_DOCKER_TESTS=1 go test -count=1 -timeout 8m -run '^TestInDocker' ./harness/...

## fuzz         every fuzz test in turn, for FUZZTIME each (default 20s)
.PHONY: fuzz
fuzz:
	@for package in $$(go list ./harness/... ./fixtures/...); do \
		dir=$$(go list -f '{{.Dir}}' $$package); \
		for name in $$(cat $$dir/*_test.go 2>/dev/null | sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p'); do \
			echo "== $$package $$name"; \
			go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $${FUZZTIME:-20s} $$package || exit 1; \
		done; \
	done

## determinism  the whole job RUNS times (default 5), in other orders and widths: the verdicts must be the same
.PHONY: determinism
determinism: $(BINARY)
	@go run ./harness/cmd/determinism

## cover        the coverage of harness/ by its tests, in total and by package
.PHONY: cover
cover:
	@mkdir -p build
	@go test -coverpkg=./harness/... -coverprofile=build/cover.out ./harness/... ./suites/... >build/cover.log || { cat build/cover.log; exit 1; }
	@go run ./harness/cmd/cover build/cover.out

## faults       the fault matrix: every packaging mistake of fixtures/faults must be found and blamed right
.PHONY: faults
faults: $(BINARY)
	@go run ./harness/cmd/faults

## judge        judge recorded evidence again, without Docker: DIR is a results folder, or one of its evidence folders
.PHONY: judge
judge:
	@go run ./harness/cmd/conformance judge $(or $(DIR),results)

## dist         build/conformance, one static program with everything inside, its manual pages and shell completions
.PHONY: dist
dist:
	@go run ./harness/cmd/programs
	@mkdir -p build/man build/completion
	@CGO_ENABLED=0 go build -tags dist -trimpath -ldflags='-s -w' -o build/conformance ./harness/cmd/conformance
	@build/conformance man build/man
	@for shell in bash zsh fish; do build/conformance completion $$shell >build/completion/conformance.$$shell || exit; done
	@ls -l build/conformance

## dist-image   qmconformance/conformance, an image of it, for those who have Docker and no Go
.PHONY: dist-image
dist-image: dist
	@rm -rf build/image && mkdir -p build/image/root/tmp && chmod 1777 build/image/root/tmp
	@cp build/conformance build/image/root/
	@docker build -q -t qmconformance/conformance -f docker/dist/Dockerfile build/image

## docs         write docs/requirements from the catalogue
.PHONY: docs
docs:
	@go run ./harness/cmd/docs

## bench        what a connection costs, and whether it costs more than with BASELINE; writes bench.json and bench.html
.PHONY: bench
bench: $(BINARY)
	@LABELS="benchmark$${LABELS:+ && ($$LABELS)}" ./$(BINARY)

# Whether the gate of make bench can be believed here: TRIALS="60 20 20s" compares
# 60 times what is alike and 20 times what is 10 % slower, 20 s each.
.PHONY: bench-gate-check
bench-gate-check: $(BINARY)
	@LABELS='benchmark && gate-check' ./$(BINARY)

## lint         gofumpt, vet and staticcheck
.PHONY: lint
lint:
	@unformatted=$$($(TOOLS) gofumpt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not formatted (gofumpt -w):"; echo "$$unformatted"; exit 1; fi
	@go vet ./...
	@$(TOOLS) staticcheck ./...

## clean        remove what this project made: build/, results/, and its images in Docker
.PHONY: clean
clean:
	@go run ./harness/cmd/clean
	@rm -rf build results harness/programs/carried

## help         this text
.PHONY: help
help:
	@echo "make conformance judges ScarletDME's network services; see README.md for the variables."
	@echo
	@sed -n 's/^## /  /p' $(MAKEFILE_LIST)

# Always asked for: the go command knows better than make what has changed.
.PHONY: $(BINARY)
$(BINARY):
	@mkdir -p build
	@go test -c -o $(BINARY) .
