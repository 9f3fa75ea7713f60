// For tests only: what the demo model, and another one like it, answer.
#ifndef GPT2IC_TESTS_MODEL_ORACLE_H_
#define GPT2IC_TESTS_MODEL_ORACLE_H_

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/sha256.h"
#include "cli/command.h"
#include "gpt2/import/config.h"
#include "gpt2/packed/packed_session.h"
#include "gpt2/packed/packer.h"
#include "gpt2/sampler/sampler.h"

namespace model_test {

using Ids = std::vector<uint32_t>;

class MemoryFile : public gpt2::ByteSink, public gpt2::ByteSource {
 public:
  explicit MemoryFile(std::string_view bytes = {}) : bytes_(bytes) {}
  base::Status Write(base::ByteSpan bytes) override {
    bytes_ += base::AsText(bytes);
    return {};
  }
  uint64_t size() const override { return bytes_.size(); }
  base::Status Read(uint64_t offset, std::span<uint8_t> out) override {
    std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return {};
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// A model and its greedy answers.
class Oracle {
 public:
  explicit Oracle(std::string safetensors) : file(std::move(safetensors)) {
    const auto config = gpt2::ParseConfig(cli::ReadFile("models/demo/config.json").value()).value();
    MemoryFile source(file), packed;
    auto packer = gpt2::Packer::Open(config.hparams, gpt2::PackedMode::kInt8, source, packed);
    while (!packer->Step().value()) {
    }
    model_ = std::make_unique<gpt2::PackedModel>(gpt2::PackedModel::Load(packed).value());
    const auto digest = base::Sha256Of(base::AsBytes(packed.bytes()));
    hash.assign(digest.begin(), digest.end());
  }
  // The first `count` tokens after `prompt`, up to the end token, which is left out.
  Ids Greedy(const Ids& prompt, size_t count, uint32_t end) {
    Ids& known = known_[prompt];
    if (known.size() < count && (known.empty() || known.back() != end)) {
      gpt2::PackedSession session(*model_);
      CHECK(session.Append(prompt) && session.Append(known));
      while (known.size() < count) {
        while (!session.Prefilled()) session.Step();
        known.push_back(gpt2::Argmax(session.Logits()));
        if (known.back() == end || session.size() == session.capacity()) break;
        CHECK(session.Append({&known.back(), 1}));
      }
    }
    Ids out(known.begin(), known.begin() + static_cast<ptrdiff_t>(std::min(count, known.size())));
    if (!out.empty() && out.back() == end) out.pop_back();
    return out;
  }

  const gpt2::PackedModel& model() const { return *model_; }

  const std::string file;
  base::Bytes hash;  // of the packed model

 private:
  std::unique_ptr<gpt2::PackedModel> model_;
  std::map<Ids, Ids> known_;
};

// The demo model, and one that says other things: its last norm's weights in the other order.
inline std::vector<Oracle>& Oracles() {
  static std::vector<Oracle>* oracles = [] {
    std::string file = cli::ReadFile("models/demo/model.safetensors").value();
    auto* out = new std::vector<Oracle>;
    out->emplace_back(file);
    uint64_t header = 0;
    std::memcpy(&header, file.data(), 8);
    auto* norm = reinterpret_cast<uint16_t*>(file.data() + 8 + header + 3'559'296);
    std::reverse(norm, norm + 192);
    out->emplace_back(std::move(file));
    return out;
  }();
  return *oracles;
}

}  // namespace model_test

#endif  // GPT2IC_TESTS_MODEL_ORACLE_H_
