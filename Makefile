# Shortcuts. `make` alone explains them.

CARGO ?= cargo
DEMO := target/demo
SAMPLE := tests/data/sample
TANDEM := $(or $(CARGO_TARGET_DIR),target)/release/tandem
# What `build` builds. With `--workspace --bins --tests` it is what `test` has built already.
BUILD ?= -p tandem-server

.DEFAULT_GOAL := help
.PHONY: help demo test contract cluster cluster-stop services services-stop lint deploy-check soak bench bench-edge bench-embed rust-bert fuzz test-arm run build model deps clean-demo

help: ## Explain the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: model build ## Set everything up and match the sample: a table here, a page in target/demo/report.html
	@mkdir -p $(DEMO)
	@$(TANDEM) match --jobs $(SAMPLE)/jobs --resumes $(SAMPLE)/resumes --data $(DEMO)/data --top 5 --as-of 2026-11
	@$(TANDEM) match --jobs $(SAMPLE)/jobs --resumes $(SAMPLE)/resumes --data $(DEMO)/data --as-of 2026-11 \
		--format html --out $(DEMO)/report.html
	@echo "The same as a page: $(DEMO)/report.html"

# Binary and tests are built together: what tests ask of the crates would otherwise have them all built twice.
test: model ## Set everything up and pass all tests
	$(CARGO) build --release --workspace --bins --tests --locked
	CQL_NODES="$${CQL_NODES:-$$(deploy/local/cassandra.sh nodes)}" \
	TANDEM_TEST_AMQP_URL="$${TANDEM_TEST_AMQP_URL:-$$(deploy/local/rabbitmq.sh status >/dev/null 2>&1 && deploy/local/rabbitmq.sh url)}" \
	TANDEM_TEST_S3_URL="$${TANDEM_TEST_S3_URL:-$$(deploy/local/s3.sh status >/dev/null 2>&1 && deploy/local/s3.sh url)}" \
	TANDEM_REQUIRE_MODEL=1 $(CARGO) test --release --workspace --locked

contract: model build ## Hold a node to its own OpenAPI with schemathesis (about a minute; without PyPI it says SKIPPED)
	@tests/schemathesis/run.sh $(TANDEM) || { code=$$?; [ $$code -eq 77 ] || exit $$code; }

cluster: model build ## Start three nodes on this machine with a real RabbitMQ and Cassandra, and say how to talk to them
	@deploy/local/cluster.sh start

cluster-stop: ## Stop them
	@deploy/local/cluster.sh stop
	@deploy/local/cassandra.sh stop
	@deploy/local/rabbitmq.sh stop

soak: model ## Break a cluster for longer: MINUTES=30 SEED=7
	$(CARGO) build --release --workspace --bins --tests --locked
	TANDEM_REQUIRE_SERVICES=1 TANDEM_TEST_MINUTES=$(or $(MINUTES),30) $(if $(SEED),TANDEM_TEST_SEED=$(SEED)) \
		$(CARGO) test --release -p tandem-tests --locked --test it -- conserves_everything --nocapture

services: ## Start the real servers that some tests talk to (Cassandra, RabbitMQ, S3); without them those tests say SKIPPED
	@deploy/local/cassandra.sh start
	@deploy/local/rabbitmq.sh start
	@deploy/local/s3.sh start

services-stop: ## Stop them
	@deploy/local/cassandra.sh stop
	@deploy/local/rabbitmq.sh stop
	@deploy/local/s3.sh stop

lint: ## Formatting, clippy with -D warnings, the shell scripts, licenses and spelling where their tools are installed
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets --locked -- -D warnings
	@deploy/lint-extras.sh

deploy-check: build ## Check Dockerfile, compose.yaml and the Helm chart, as far as that goes without an engine
	@deploy/check.sh

bench: model build ## Measure; each bench also writes target/bench/<name>.json
	$(CARGO) bench --workspace --locked

bench-edge: ## Measure what the edge costs a request, beside a bare handler; fails if it answers less than .9 of it
	$(CARGO) bench -p tandem-http-edge --bench overhead --profile release --locked

bench-embed: model ## Measure the encoder on every instruction set of this machine, and ONNX Runtime beside it
	@actors/embedding/benches/encode/peers.sh
	$(CARGO) bench -p tandem-embedding --bench encode --profile release --locked

fuzz: ## Send bytes of strangers through the encoder for MINUTES=10; needs cargo-fuzz and a nightly compiler
	cp Cargo.lock actors/embedding/fuzz/
	cd actors/embedding && cargo +nightly fuzz run text_to_vector -- -max_total_time=$$(($(or $(MINUTES),10) * 60)) -max_len=1024

# After: rustup target add aarch64-unknown-linux-gnu && apt-get install gcc-aarch64-linux-gnu qemu-user-static
test-arm: export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER ?= aarch64-linux-gnu-gcc
test-arm: export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER ?= qemu-aarch64-static -L /usr/aarch64-linux-gnu
test-arm: model ## See in an emulator that the encoder's vectors on ARM are those of any other processor (minutes)
	TANDEM_REQUIRE_MODEL=1 $(CARGO) test --release -p tandem-embedding --target aarch64-unknown-linux-gnu --lib --locked \
		-- simd:: golden_bits

rust-bert: model ## Bring libtorch (0.5 GB), build the engine rust-bert, test and measure it; without PyPI it says SKIPPED
	@node/embed-rust-bert/run.sh || { code=$$?; [ $$code -eq 77 ] || exit $$code; }

run: model build ## Answer the HTTP API on http://127.0.0.1:8080, with its data in ./tandem-data
	$(TANDEM) serve

build: deps ## Build the binary target/release/tandem
	$(CARGO) build --release $(BUILD) --locked

model: deps ## Bring the sentence model into the cache folder
	@deploy/model.sh

deps: ## Install what a fresh Debian machine lacks
	@deploy/deps.sh

clean-demo: ## Forget what the demo has read
	rm -rf $(DEMO)
