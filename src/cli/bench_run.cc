// The measurements of gpt2ic bench: each an update of the canister bench/, counted by the meter.
#include <functional>

#include "base/hex.h"
#include "cli/bench.h"
#include "cli/local.h"
#include "cli/random_packed.h"
#include "gpt2/kernels/int_matmul.h"
#include "gpt2/make_model.h"

namespace cli {
namespace {

using Json = nlohmann::json;

constexpr size_t kUploadBytes = 1'900'000;  // of one message

// Sends what is written to it to a method, in messages of kUploadBytes.
class UploadSink : public gpt2::ByteSink {
 public:
  UploadSink(Local& local, std::string method) : local_(local), method_(std::move(method)) {}
  base::Status Write(base::ByteSpan bytes) override {
    while (!bytes.empty()) {
      const size_t take = std::min(bytes.size(), kUploadBytes - buffer_.size());
      base::Append(buffer_, bytes.first(take));
      bytes = bytes.subspan(take);
      if (buffer_.size() == kUploadBytes) TRY_STATUS(Flush());
    }
    return {};
  }
  base::Status Flush() {
    TRY(local_.Update(method_, std::exchange(buffer_, {})));
    local_.TakeUsage();
    return {};
  }

 private:
  Local& local_;
  std::string method_;
  base::Bytes buffer_;
};

class Bench {
 public:
  Bench(const BenchPlan& plan, Local& local) : plan_(plan), local_(local) {}
  base::Result<Json> Run();

 private:
  struct Reply {
    base::Bytes bytes;
    Usage usage;
    template <class T>
    T At(size_t index) const {
      T value;
      CHECK((index + 1) * sizeof(T) <= bytes.size());
      std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
      return value;
    }
    uint64_t instructions() const { return usage.instructions - usage.page_charges; }
  };
  base::Result<Reply> Call(const std::string& method, std::vector<uint32_t> numbers = {}) {
    base::Bytes argument;
    for (const uint32_t number : numbers) base::AppendFixed(argument, number);
    base::Bytes bytes = TRY(local_.Update(method, std::move(argument)));
    return Reply{std::move(bytes), local_.TakeUsage()};
  }
  // Calls until the first byte of the reply is 1; the sums of what that cost.
  base::Result<Reply> CallUntilDone(const std::string& first, const std::string& then,
                                    const std::vector<uint32_t>& numbers) {
    Reply total;
    while (total.bytes.empty() || total.bytes[0] == 0) {
      Reply reply =
          TRY(Call(total.usage.messages == 0 ? first : then,
                   total.usage.messages == 0 || first == then ? numbers : std::vector<uint32_t>()));
      total.bytes = std::move(reply.bytes);
      total.usage.messages += reply.usage.messages;
      total.usage.instructions += reply.usage.instructions;
      total.usage.page_charges += reply.usage.page_charges;
    }
    return total;
  }
  static Json CostOf(const Reply& reply) {
    return {{"instructions", reply.instructions()},
            {"page_charges", reply.usage.page_charges},
            {"messages", reply.usage.messages}};
  }

  base::Status Upload();
  base::Status Prepare();
  base::Status Decode();
  base::Status Prefill();
  base::Status Table();
  base::Status TokensPerMessage();
  base::Status Phases();
  base::Status Kernels();

  const BenchPlan& plan_;
  Local& local_;
  gpt2::PackedHeader header_;
  Json out_;
};

base::Status Bench::Upload() {
  if (plan_.pack) {
    UploadSink sink(local_, "append_safetensors");
    TRY_STATUS(gpt2::WriteRandomModel({header_.hparams, 1, false}, sink));
    return sink.Flush();
  }
  UploadSink sink(local_, "append_packed");
  TRY_STATUS(WriteRandomPacked(header_, sink));
  return sink.Flush();
}

base::Status Bench::Prepare() {
  TRY_STATUS(Upload());
  if (plan_.pack) {
    const gpt2::Hparams& h = header_.hparams;
    const std::vector<uint32_t> shape = {
        static_cast<uint32_t>(header_.mode), h.n_vocab, h.n_ctx, h.n_embd, h.n_head, h.n_layer};
    out_["pack"] = CostOf(TRY(CallUntilDone("pack", "pack", shape)));
  }
  if (plan_.hash) {
    const Reply hash = TRY(CallUntilDone("hash", "hash", {}));
    out_["hash"] = CostOf(hash);
    out_["sha256"] = base::ToHex(base::ByteSpan(hash.bytes).subspan(1));
  }
  out_["load"] = CostOf(TRY(Call("load")));
  return {};
}

base::Status Bench::Decode() {
  TRY(Call("session"));
  uint32_t size = 0;
  for (const uint32_t position : plan_.decode_positions) {
    if (position > size) TRY(CallUntilDone("prefill", "prefill_on", {position - size}));
    const Reply estimate = TRY(Call("estimate"));
    const Reply reply = TRY(Call("decode"));
    out_["decode"].push_back({{"position", position},
                              {"estimate", estimate.At<uint64_t>(0)},
                              {"estimated_page_charges", estimate.At<uint64_t>(1)},
                              {"instructions", reply.instructions()},
                              {"page_charges", reply.usage.page_charges}});
    size = position + 1;
  }
  if (!plan_.decode_positions.empty()) {
    out_["sample"] = {{"instructions", TRY(Call("sample")).instructions()}};
    out_["heap_bytes"] = TRY(Call("heap")).At<uint64_t>(0);
  }
  return {};
}

base::Status Bench::Prefill() {
  for (const uint32_t tokens : plan_.prefill_lengths) {
    TRY(Call("session"));
    const Reply reply = TRY(CallUntilDone("prefill", "prefill_on", {tokens}));
    out_["prefill"].push_back({{"tokens", tokens},
                               {"instructions_per_token", reply.instructions() / tokens},
                               {"page_charges", reply.usage.page_charges},
                               {"messages", reply.usage.messages}});
  }
  return {};
}

// A prompt that fills the context leaves no room: its row is the prefill and the first token.
base::Status Bench::Table() {
  for (const uint32_t prompt : plan_.table_prompts) {
    for (const uint32_t generated : plan_.table_generated) {
      Usage total;
      for (bool first = true; true; first = false) {
        const Reply reply = TRY(Call("generate", {first ? prompt : 0, generated}));
        total.messages += reply.usage.messages;
        total.instructions += reply.usage.instructions;
        const auto done = reply.At<uint32_t>(0);
        if (done == generated || (done > 0 && prompt == header_.hparams.n_ctx)) break;
      }
      out_["table"].push_back({{"prompt", prompt},
                               {"generated", generated},
                               {"instructions", total.instructions},
                               {"messages", total.messages}});
    }
  }
  return {};
}

base::Status Bench::TokensPerMessage() {
  const uint32_t whole = header_.hparams.n_ctx - 1;  // what fits behind a prompt of 1
  const Reply reply = TRY(Call("generate", {1, whole}));
  out_["tokens_per_message"] = reply.At<uint32_t>(0);
  out_["tokens_message"] = CostOf(reply);
  // The rest of the context, for as many messages as it takes.
  uint64_t messages = 1;
  for (uint32_t done = reply.At<uint32_t>(0); done < whole; ++messages) {
    done = TRY(Call("generate", {0, whole})).At<uint32_t>(0);
  }
  out_["messages_for_a_whole_context"] = messages;
  return {};
}

base::Status Bench::Phases() {
  const auto split = [](const Reply& reply, uint64_t tokens) {
    return Json{{"rest", reply.At<uint64_t>(0) / tokens},
                {"matrix", reply.At<uint64_t>(1) / tokens},
                {"attention", reply.At<uint64_t>(2) / tokens},
                {"norm_and_activation", reply.At<uint64_t>(3) / tokens},
                {"sampling", reply.At<uint64_t>(4) / tokens}};
  };
  const uint32_t half = std::min(64u, header_.hparams.n_ctx / 4);
  TRY(Call("session"));
  TRY(CallUntilDone("prefill", "prefill_on", {half - 2}));
  out_["phases"]["decode"] = split(TRY(Call("profile_decode")), 1);
  TRY(Call("session"));
  const uint32_t prompt = header_.hparams.n_layer <= 12 ? half : gpt2::kPrefillTokens;  // fits
  out_["phases"]["prefill"] = split(TRY(Call("profile_prefill", {prompt})), prompt);
  return {};
}

base::Status Bench::Kernels() {
  for (const uint32_t tokens : {0u, 1u, 2u, 4u, 8u, 16u, 32u, 64u, 128u}) {
    const uint64_t instructions = TRY(Call("kernels", {tokens})).At<uint64_t>(0);
    Json row = {{"instructions_per_token", instructions / std::max(tokens, 1u)}};
    row[tokens == 0 ? "head" : "tokens_at_once"] = std::max(tokens, 1u);
    out_["kernels"].push_back(std::move(row));
  }
  return {};
}

base::Result<Json> Bench::Run() {
  header_ = {*gpt2::ShapeByName(plan_.shape), plan_.mode, false};
  out_ = {{"shape", plan_.shape},
          {"mode", plan_.mode == gpt2::PackedMode::kInt8 ? "int8" : "exact"},
          {"prefill_tokens_at_once", gpt2::kPrefillTokens}};
  TRY_STATUS(Prepare());
  TRY_STATUS(Decode());
  TRY_STATUS(Prefill());
  if (!plan_.decode_positions.empty()) TRY_STATUS(Phases());
  if (plan_.message) TRY_STATUS(TokensPerMessage());
  TRY_STATUS(Table());
  if (plan_.kernels) TRY_STATUS(Kernels());
  if (plan_.native) out_["native"] = TRY(NativeSpeed(header_.hparams, plan_.mode));
  return out_;
}

}  // namespace

base::Result<Json> RunBench(const BenchPlan& plan) {
  if (!gpt2::ShapeByName(plan.shape)) {
    return base::Err("there is no shape '", plan.shape,
                     "', expected tiny, gpt2, gpt2-medium, gpt2-large or gpt2-xl");
  }
  const auto local = TRY(Local::Deploy(TRY(CanisterWasm("bench")), 1));
  local->TakeUsage();
  return Bench(plan, *local).Run();
}

}  // namespace cli
