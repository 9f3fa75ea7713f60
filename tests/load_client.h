// For load tests: many HTTP connections in one thread.
#ifndef GPT2IC_TESTS_LOAD_CLIENT_H_
#define GPT2IC_TESTS_LOAD_CLIENT_H_

#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace load {

// How a client behaves.
enum class Manner : uint8_t { kGood, kStalls, kCuts, kGarbage };

struct Answer {
  int status = 0;
  base::Bytes body;
};

// What the clients send and what they make of the answers. Each client has one request under way.
class Plan {
 public:
  virtual ~Plan() = default;
  // The next request of client `i` (a whole HTTP request); empty: it has finished.
  virtual std::string Next(size_t i) = 0;
  virtual void Take(size_t i, Answer answer) = 0;
  // Its connection ended without an answer.
  virtual void Lost(size_t i) = 0;
  virtual Manner MannerOf(size_t) const { return Manner::kGood; }
};

// Runs `clients` connections to 127.0.0.1:port until all have finished. Clients of bad manners come
// again on new connections until `seconds` have passed. Returns how many connections could not be
// made.
size_t Run(uint16_t port, size_t clients, double seconds, Plan& plan);

std::string PostRequest(const std::string& url, base::ByteSpan body);

}  // namespace load

#endif  // GPT2IC_TESTS_LOAD_CLIENT_H_
