#ifndef GPT2IC_RUNTIME_ENV_H_
#define GPT2IC_RUNTIME_ENV_H_

#include <cstdint>

#include "base/bytes.h"
#include "runtime/state/storage.h"

namespace runtime {

// What the network takes from outside. One implementation reads the machine's clock and generator,
// the other is driven by a seed, so that a whole run can be repeated.
class Env {
 public:
  virtual ~Env() = default;
  virtual uint64_t NowNs() = 0;                   // since 1970
  virtual uint64_t Random() = 0;                  // uniform
  virtual Storage* storage() { return nullptr; }  // null: nothing outlives the process
};

// The machine's clock; randomness from the kernel.
class SystemEnv : public Env {
 public:
  explicit SystemEnv(Storage* storage = nullptr) : storage_(storage) {}
  Storage* storage() override { return storage_; }
  uint64_t NowNs() override;
  uint64_t Random() override;

 private:
  Storage* storage_;
};

// A clock that stands still until it is moved, and a generator that repeats.
class SimulatedEnv : public Env {
 public:
  explicit SimulatedEnv(uint64_t seed, uint64_t now_ns = 1'700'000'000'000'000'000,
                        Storage* storage = nullptr)
      : state_(seed), now_ns_(now_ns), storage_(storage) {}
  Storage* storage() override { return storage_; }
  uint64_t NowNs() override { return now_ns_; }
  uint64_t Random() override;
  void Advance(uint64_t ns) { now_ns_ += ns; }

 private:
  uint64_t state_, now_ns_;
  Storage* storage_;
};

base::Bytes RandomBytes(Env& env, size_t count);

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_ENV_H_
