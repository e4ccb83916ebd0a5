# What a person types. `make demo` and `make test` need nothing that they do not install or name themselves.

export MINTFLEET_CACHE ?= $(HOME)/.cache/mintfleet
target := $(or $(CARGO_TARGET_DIR),target)
devstack := $(target)/debug/devstack

.PHONY: help demo test up down bench chaos sim generate lint prerequisites build release

help: ## Says what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

demo: build ## Mints 25 NFTs on a local stack, shows them, and checks them
	$(devstack) demo $(DEMO)

test: build ## Runs every test, on a local stack of its own
	cargo test --workspace --no-run
	$(devstack) exec --bare -- cargo test --workspace $(TEST)

up: build ## Brings the local stack up, workers included; again: starts what was killed
	$(devstack) up

down: ## Stops the local stack and removes its data
	$(devstack) down

bench: release ## Prints the figures of docs/BENCHMARKS.md (workers built with --release)
	$(devstack) bench --bin-dir $(target)/release $(BENCH)

chaos: release ## Lets everything fail that can, prints what came of the operations
	$(devstack) chaos --slot-ms 100 --bin-dir $(target)/release $(CHAOS)

sim: build ## Runs the fleet under a virtual clock, a seed at a time; a failing seed prints its timeline
	$(target)/debug/sim $(if $(SEEDS),--seeds $(SEEDS)) $(SIM)

generate: ## Writes what is generated: event schemas, .sqlx (needs DATABASE_URL, as `make up` prints it)
	cargo run -q -p domain --example schemas docs/schemas
	scripts/sqlx-prepare

lint: ## Formatting, clippy, dependencies, docs: as CI does
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo deny check bans licenses sources
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

build: prerequisites
	cargo build --workspace --bins

release: build
	cargo build --release -p ipfs-uploader -p mint-submitter -p verifier -p mintctl

prerequisites:
	@scripts/prerequisites
