# What a newcomer types. Everything else is in CMakePresets.json and tools/.
SHELL := bash
.SHELLFLAGS := -o pipefail -c
export CCACHE_DIR ?= $(or $(GPT2IC_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/gpt2ic)/ccache
# The same file in another checkout is the same compiler result.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1
GPT2IC := build/native/gpt2ic
# build PRESET [TARGET], silent when there is nothing to do.
build = cmake --preset $(1) --no-warn-unused-cli >/dev/null && ninja -C build/$(1) --quiet $(2) | { grep -vx 'ninja: no work to do.' || true; }

.PHONY: demo test serve bench soak lint clean setup native wasm

demo: setup wasm
	@$(call build,native,gpt2ic)
	@$(GPT2IC) run "What is the capital of France?"

test: setup
	@tools/test

soak: setup
	@tools/test --soak

# STATE=DIR keeps the network, PORT=P is its port.
serve: setup wasm
	@$(call build,native,gpt2ic)
	@$(GPT2IC) serve --demo $(if $(PORT),--port $(PORT)) --state $(or $(STATE),.gpt2ic/state)

bench: setup wasm
	@$(call build,native)
	@$(GPT2IC) bench --native
	@$(GPT2IC) bench --exact --quick
	@for shape in gpt2-medium gpt2-large gpt2-xl; do $(GPT2IC) bench --shape $$shape --quick || exit 1; done
	@for program in build/native/bench/*_bench; do $$program || exit 1; done
	@GPT2IC_LOAD=2000,60 build/native/tests/load_test --gtest_brief=1

lint: setup
	@tools/lint

clean:
	rm -rf build

setup:
	@tools/setup

native: setup
	@$(call build,native)

wasm: setup
	@$(call build,wasm)
