// What metering and page tracking cost in time, as ratios (make bench). Exits 1 when one is
// exceeded.
//   * a SIMD matrix product of more than a second: metered and tracked against plain wasmtime with
//     the same settings; at most 1.3
//   * a message that touches 10 pages of a canister with a heap of 1 GiB against one with 1 MiB; at
//     most 1.5
#include <wasmtime.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <functional>

#include "base/check.h"
#include "runtime/round/network.h"

namespace {

using namespace runtime;

const Principal kUser = {2};

// C = A x B with 128 x 128 floats, argument times; the reply is C[5][7].
constexpr char kMatrixProduct[] = R"((module
  (import "ic0" "msg_arg_data_copy" (func $arg (param i32 i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (memory (export "memory") 8)
  (func $fill (local $i i32)
    (loop $again
      (f32.store (i32.add (i32.const 65536) (i32.shl (local.get $i) (i32.const 2)))
        (f32.convert_i32_s (i32.and (local.get $i) (i32.const 7))))
      (f32.store (i32.add (i32.const 131072) (i32.shl (local.get $i) (i32.const 2)))
        (f32.convert_i32_s (i32.and (local.get $i) (i32.const 3))))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 16384)))))
  (func $product (local $i i32) (local $j i32) (local $k i32) (local $a i32) (local $b i32)
      (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128) (local $x v128)
    (loop $rows
      (local.set $j (i32.const 0))
      (loop $columns
        (local.set $s0 (v128.const i32x4 0 0 0 0)) (local.set $s1 (v128.const i32x4 0 0 0 0))
        (local.set $s2 (v128.const i32x4 0 0 0 0)) (local.set $s3 (v128.const i32x4 0 0 0 0))
        (local.set $k (i32.const 128))
        (local.set $a (i32.add (i32.const 65536) (i32.shl (local.get $i) (i32.const 9))))
        (local.set $b (i32.add (i32.const 131072) (i32.shl (local.get $j) (i32.const 2))))
        (loop $inner
          (local.set $x (v128.load32_splat (local.get $a)))
          (local.set $s0 (f32x4.add (local.get $s0) (f32x4.mul (local.get $x) (v128.load (local.get $b)))))
          (local.set $s1 (f32x4.add (local.get $s1) (f32x4.mul (local.get $x) (v128.load offset=16 (local.get $b)))))
          (local.set $s2 (f32x4.add (local.get $s2) (f32x4.mul (local.get $x) (v128.load offset=32 (local.get $b)))))
          (local.set $s3 (f32x4.add (local.get $s3) (f32x4.mul (local.get $x) (v128.load offset=48 (local.get $b)))))
          (local.set $a (i32.add (local.get $a) (i32.const 4)))
          (local.set $b (i32.add (local.get $b) (i32.const 512)))
          (br_if $inner (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
        (local.set $a (i32.add (i32.const 262144) (i32.add (i32.shl (local.get $i) (i32.const 9)) (i32.shl (local.get $j) (i32.const 2)))))
        (v128.store (local.get $a) (local.get $s0)) (v128.store offset=16 (local.get $a) (local.get $s1))
        (v128.store offset=32 (local.get $a) (local.get $s2)) (v128.store offset=48 (local.get $a) (local.get $s3))
        (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 16))) (i32.const 128))))
      (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 128)))))
  (func (export "canister_update go") (local $n i32)
    (call $arg (i32.const 0) (i32.const 0) (i32.const 4))
    (local.set $n (i32.load (i32.const 0)))
    (call $fill)
    (loop $again
      (call $product)
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $append (i32.const 264732) (i32.const 4))
    (call $reply))))";

// Writes 10 pages, spread over the heap; the argument of init is the heap's size in pages.
constexpr char kTenPages[] = R"((module
  (import "ic0" "msg_arg_data_copy" (func $arg (param i32 i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (memory 1)
  (func (export "canister_init") (local $i i32)
    (call $arg (i32.const 0) (i32.const 0) (i32.const 4))
    (drop (memory.grow (i32.sub (i32.load (i32.const 0)) (i32.const 1))))
    (loop $again
      (i32.store (i32.shl (local.get $i) (i32.const 16)) (local.get $i))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (memory.size)))))
  (func (export "canister_update go") (local $i i32) (local $at i32)
    (loop $again
      (local.set $at (i32.shl (i32.div_u (i32.mul (local.get $i) (memory.size)) (i32.const 10)) (i32.const 16)))
      (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1)))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10))))
    (call $reply))))";

// Of this thread, so that what else runs on the machine counts as little as possible; both sides of
// a ratio work on this thread alone and wait for nothing.
double Now() {
  timespec now;
  CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double Seconds(const std::function<void()>& work) {
  const double start = Now();
  work();
  return Now() - start;
}

base::Bytes Word(uint32_t value) {
  base::Bytes bytes;
  base::AppendFixed(bytes, value);
  return bytes;
}

// The same module in wasmtime as it comes: its own memory, no meter, no tracking. The three host
// functions do what the network's do.
class Plain {
 public:
  explicit Plain(const base::Bytes& wasm) {
    wasm_config_t* config = wasm_config_new();
    wasmtime_config_cranelift_nan_canonicalization_set(config, true);
    wasmtime_config_cranelift_opt_level_set(config, WASMTIME_OPT_LEVEL_SPEED);
    wasmtime_config_memory_may_move_set(config, false);
    wasmtime_config_memory_reservation_set(config, uint64_t{4} << 30);
    wasmtime_config_memory_guard_size_set(config, uint64_t{32} << 20);
    engine_ = wasm_engine_new_with_config(config);
    store_ = wasmtime_store_new(engine_, this, nullptr);
    wasmtime_linker_t* linker = wasmtime_linker_new(engine_);
    Define(linker, "msg_arg_data_copy", 3, CopyArgument);
    Define(linker, "msg_reply", 0, Nothing);
    Define(linker, "msg_reply_data_append", 2, Append);
    wasmtime_module_t* module;
    CHECK(wasmtime_module_new(engine_, wasm.data(), wasm.size(), &module) == nullptr);
    wasm_trap_t* trap = nullptr;
    CHECK(wasmtime_linker_instantiate(linker, context(), module, &instance_, &trap) == nullptr);
  }
  base::Bytes Run(base::Bytes argument) {
    argument_ = std::move(argument);
    reply_.clear();
    wasmtime_extern_t item;
    constexpr std::string_view kName = "canister_update go";
    CHECK(wasmtime_instance_export_get(context(), &instance_, kName.data(), kName.size(), &item));
    wasm_trap_t* trap = nullptr;
    CHECK(wasmtime_func_call(context(), &item.of.func, nullptr, 0, nullptr, 0, &trap) == nullptr);
    CHECK(trap == nullptr);
    return reply_;
  }

 private:
  wasmtime_context_t* context() { return wasmtime_store_context(store_); }
  static Plain& Of(wasmtime_caller_t* caller) {
    return *static_cast<Plain*>(wasmtime_context_get_data(wasmtime_caller_context(caller)));
  }
  uint8_t* Memory() {
    wasmtime_extern_t item;
    CHECK(wasmtime_instance_export_get(context(), &instance_, "memory", 6, &item));
    return wasmtime_memory_data(context(), &item.of.memory);
  }
  static wasm_trap_t* Nothing(void*, wasmtime_caller_t*, wasmtime_val_raw_t*, size_t) {
    return nullptr;
  }
  static wasm_trap_t* CopyArgument(void*, wasmtime_caller_t* caller, wasmtime_val_raw_t* values,
                                   size_t) {
    Plain& self = Of(caller);
    std::memcpy(self.Memory() + values[0].i32, self.argument_.data(), self.argument_.size());
    return nullptr;
  }
  static wasm_trap_t* Append(void*, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, size_t) {
    Plain& self = Of(caller);
    const uint8_t* from = self.Memory() + values[0].i32;
    self.reply_.assign(from, from + values[1].i32);
    return nullptr;
  }
  void Define(wasmtime_linker_t* linker, std::string_view name, size_t params,
              wasmtime_func_unchecked_callback_t run) {
    wasm_valtype_vec_t in, out;
    wasm_valtype_vec_new_uninitialized(&in, params);
    for (size_t i = 0; i < params; ++i) in.data[i] = wasm_valtype_new(WASM_I32);
    wasm_valtype_vec_new_empty(&out);
    wasm_functype_t* type = wasm_functype_new(&in, &out);
    CHECK(wasmtime_linker_define_func_unchecked(linker, "ic0", 3, name.data(), name.size(), type,
                                                run, nullptr, nullptr) == nullptr);
  }

  wasm_engine_t* engine_;
  wasmtime_store_t* store_;
  wasmtime_instance_t instance_{};
  base::Bytes argument_, reply_;
};

NetworkOptions Unlimited() {
  NetworkOptions options;
  options.limits.message = uint64_t{1} << 60;
  options.limits.slice = 2'000'000'000;
  options.fees.instruction = 0;
  return options;
}

Principal Install(Network& network, const char* wat, base::Bytes argument) {
  const Principal id = network.CreateCanister(kUser, Cycles{1} << 100).value();
  const auto error =
      network.InstallCode(id, InstallMode::kInstall, ParseWat(wat).value(), argument, kUser);
  CHECK(!error);
  return id;
}

bool Report(const char* what, double ratio, double most) {
  std::printf("%-72s %5.2f  (at most %.1f)%s\n", what, ratio, most,
              ratio > most ? "  TOO SLOW" : "");
  return ratio <= most;
}

// Each is run several times, in turn; the fastest counts, as noise only ever adds.
bool MatrixProduct(uint32_t times) {
  SystemEnv env;
  Network network(env, Unlimited());
  const Principal id = Install(network, kMatrixProduct, {});
  Plain plain(ParseWat(kMatrixProduct).value());
  double metered_best = 1e9, plain_best = 1e9;
  for (int i = 0; i < 4; ++i) {
    base::Bytes expected;
    Response response;
    plain_best = std::min(plain_best, Seconds([&] { expected = plain.Run(Word(times)); }));
    metered_best = std::min(
        metered_best, Seconds([&] { response = network.Call(kUser, id, "go", Word(times)); }));
    CHECK(!response.reject && response.reply == expected);
  }
  std::printf("matrix product: plain %.2f s, metered and tracked %.2f s\n", plain_best,
              metered_best);
  return Report("SIMD matrix product, metered and tracked / plain wasmtime",
                metered_best / plain_best, 1.3);
}

double TenPagesMicroseconds(Network& network, const Principal& id, int messages) {
  std::vector<double> times;
  for (int i = 0; i < messages; ++i) {
    times.push_back(Seconds([&] { CHECK(!network.Call(kUser, id, "go", {}).reject); }) * 1e6);
  }
  std::ranges::sort(times);
  return times[times.size() / 2];
}

bool TenPages(int messages) {
  SystemEnv env;
  Network network(env, Unlimited());
  const Principal small = Install(network, kTenPages, Word(16));
  const Principal large = Install(network, kTenPages, Word(16'384));
  double small_best = 1e9, large_best = 1e9;
  for (int i = 0; i < 3; ++i) {
    small_best = std::min(small_best, TenPagesMicroseconds(network, small, messages));
    large_best = std::min(large_best, TenPagesMicroseconds(network, large, messages));
  }
  std::printf("10 pages: of 1 MiB %.0f us, of 1 GiB %.0f us\n", small_best, large_best);
  return Report("a message that touches 10 pages, heap of 1 GiB / 1 MiB", large_best / small_best,
                1.5);
}

}  // namespace

// --quick: a tiny input, so that a test can see that it still runs; the ratios do not count.
int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  const bool product = MatrixProduct(quick ? 2 : 4000);
  const bool pages = TenPages(quick ? 5 : 300);
  return quick || (product && pages) ? 0 : 1;
}
