// The time of the matrix kernels on the engine, by how many tokens they take at once:
// instructions are what is paid for, but a kernel whose registers spill is slower than its count
// says.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>

#include "base/check.h"
#include "cli/local.h"

namespace {

base::Bytes Argument(uint32_t tokens) {
  base::Bytes out;
  base::AppendFixed(out, tokens);
  return out;
}

// Milliseconds for all products of the 124M shape's 12 blocks, a token. The method runs them twice.
double Milliseconds(cli::Local& local, uint32_t tokens) {
  const std::clock_t start = std::clock();
  CHECK(local.Update("kernels", Argument(tokens)).has_value());
  return 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / 2 / tokens;
}

}  // namespace

// --quick: once each, so that a test can see that it still runs.
int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  setenv("GPT2IC_WASM_DIR", GPT2IC_WASM_DIR, 0);
  const auto local = cli::Local::Deploy(cli::CanisterWasm("bench").value(), 1).value();
  // In turn, several times; the fastest counts, as noise only ever adds.
  std::map<uint32_t, double> best;
  for (int round = 0; round < (quick ? 1 : 5); ++round) {
    for (const uint32_t tokens : {1, 2, 4, 8, 16, 32, 64, 128}) {
      const double ms = Milliseconds(*local, tokens);
      best[tokens] = best.contains(tokens) ? std::min(best[tokens], ms) : ms;
    }
  }
  std::printf("tokens at once   ms a token   times that of 8\n");
  for (const auto& [tokens, ms] : best) {
    std::printf("%14u %12.2f %17.2f\n", tokens, ms, ms / best[8]);
  }
  return 0;
}
