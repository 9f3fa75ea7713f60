// The wall time of the matrix kernels on the engine, by how many tokens they take at once:
// instructions are what is paid for, but a kernel whose registers spill is slower than its count
// says.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "cli/local.h"

namespace {

using Clock = std::chrono::steady_clock;

base::Bytes Argument(uint32_t tokens) {
  base::Bytes out;
  base::AppendFixed(out, tokens);
  return out;
}

// Milliseconds for all products of the 124M shape's 12 blocks, a token. The method runs them twice.
double Milliseconds(cli::Local& local, uint32_t tokens, int times) {
  double best = 1e9;
  for (int i = 0; i < times; ++i) {
    const auto start = Clock::now();
    CHECK(local.Update("kernels", Argument(tokens)).has_value());
    const std::chrono::duration<double, std::milli> took = Clock::now() - start;
    best = std::min(best, took.count() / 2 / tokens);
  }
  return best;
}

}  // namespace

// --quick: once each, so that a test can see that it still runs.
int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  setenv("GPT2IC_WASM_DIR", GPT2IC_WASM_DIR, 1);
  const auto local = cli::Local::Deploy(cli::CanisterWasm("bench").value(), 1).value();
  const uint32_t kinds[] = {1, 2, 4, 8, 16, 32, 64, 128};
  for (const uint32_t tokens : kinds) Milliseconds(*local, tokens, 1);  // memory, compiled code
  const double of_8 = Milliseconds(*local, 8, quick ? 1 : 10);
  std::printf("tokens at once   ms a token   times that of 8\n");
  for (const uint32_t tokens : kinds) {
    const double ms = Milliseconds(*local, tokens, quick ? 1 : 10);
    std::printf("%14u %12.2f %17.2f\n", tokens, ms, ms / of_8);
  }
  return 0;
}
