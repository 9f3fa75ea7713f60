# What a newcomer types. Everything else is in CMakePresets.json and tools/.
SHELL := bash
export CCACHE_DIR ?= $(or $(GPT2IC_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/gpt2ic)/ccache
# The same file in another checkout is the same compiler result.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1
GPT2IC := build/native/gpt2ic

.PHONY: demo test serve bench soak lint clean setup native wasm

demo: setup wasm
	@cmake --preset native >/dev/null && ninja -C build/native --quiet gpt2ic
	@$(GPT2IC) run "What is the capital of France?"

test: setup
	@tools/test

soak: setup
	@tools/test --soak

# STATE=DIR keeps the network, PORT=P is its port.
serve: setup wasm
	@cmake --preset native >/dev/null && ninja -C build/native --quiet gpt2ic
	@$(GPT2IC) serve --demo $(if $(PORT),--port $(PORT)) --state $(or $(STATE),.gpt2ic/state)

bench: setup wasm
	@cmake --preset native >/dev/null && ninja -C build/native --quiet
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
	@cmake --preset native >/dev/null && ninja -C build/native --quiet

wasm: setup
	@cmake --preset wasm >/dev/null && ninja -C build/wasm --quiet
