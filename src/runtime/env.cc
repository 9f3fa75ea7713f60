#include "runtime/env.h"

#include <sys/random.h>

#include <chrono>

#include "base/check.h"

namespace runtime {

uint64_t SystemEnv::NowNs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

uint64_t SystemEnv::Random() {
  uint64_t value;
  CHECK(getrandom(&value, sizeof(value), 0) == sizeof(value));
  return value;
}

// splitmix64
uint64_t SimulatedEnv::Random() {
  uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

base::Bytes RandomBytes(Env& env, size_t count) {
  base::Bytes bytes;
  while (bytes.size() < count) base::AppendFixed(bytes, env.Random());
  bytes.resize(count);
  return bytes;
}

}  // namespace runtime
