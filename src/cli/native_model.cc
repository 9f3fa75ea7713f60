#include "cli/native_model.h"

#include <cstring>
#include <filesystem>

#include "cli/command.h"
#include "cli/files.h"
#include "cli/local.h"
#include "gpt2/import/loader.h"
#include "gpt2/memory_file.h"
#include "gpt2/packed/packed_session.h"
#include "gpt2/packed/packer.h"
#include "gpt2/session.h"

namespace cli {

using base::Err;
using base::Result;
using base::Status;

Result<gpt2::Tokenizer> LoadTokenizer(const std::string& path) {
  namespace fs = std::filesystem;
  const fs::path json = fs::is_directory(path) ? fs::path(path) / "tokenizer.json" : fs::path(path);
  if (fs::exists(json)) return gpt2::Tokenizer::FromJson(TRY(ReadFile(json.string())));
  const std::string vocab = TRY(ReadFile((fs::path(path) / "vocab.json").string()));
  return gpt2::Tokenizer::FromVocabAndMerges(
      vocab, TRY(ReadFile((fs::path(path) / "merges.txt").string())));
}

namespace {

Result<gpt2::PackedModel> Pack(const gpt2::Hparams& hparams, gpt2::ByteSource& source) {
  gpt2::MemoryFile file;
  auto packer = TRY(gpt2::Packer::Open(hparams, gpt2::PackedMode::kInt8, source, file));
  file.Reserve(packer.file_bytes());
  Progress progress("packing", packer.file_bytes());
  while (!TRY(packer.Step())) progress.Set(packer.bytes_done());
  return gpt2::PackedModel::Load(file);
}

Result<gpt2::Model> LoadFloat32(const gpt2::Hparams& hparams, gpt2::ByteSource& source) {
  auto loader = TRY(gpt2::SafetensorsLoader::Open(hparams, source));
  Progress progress("loading", loader.bytes_total());
  while (!TRY(loader.Step())) progress.Set(loader.bytes_done());
  return gpt2::Model(hparams, loader.Take());
}

// One answer on either kind of session.
template <class AnySession>
Result<std::vector<gpt2::TokenId>> Answer(AnySession session, std::vector<gpt2::TokenId> prompt,
                                          std::optional<gpt2::TokenId> end_token,
                                          uint32_t tokens_max,
                                          const gpt2::SamplingParams& sampling) {
  TRY_STATUS(session.Append(prompt));
  std::vector<gpt2::TokenId> answer;
  while (answer.size() < tokens_max) {
    while (!session.Prefilled()) session.Step();
    const gpt2::TokenId next = gpt2::Sample(session.Logits(), sampling, answer.size());
    if (end_token == next) break;
    answer.push_back(next);
    if (session.size() == session.capacity()) break;
    TRY_STATUS(session.Append({&next, 1}));
  }
  return answer;
}

}  // namespace

Result<std::unique_ptr<NativeModel>> NativeModel::Load(const std::string& dir,
                                                       Precision precision) {
  const gpt2::Config config = TRY(gpt2::ParseConfig(TRY(ReadFile(dir + "/config.json"))));
  std::unique_ptr<NativeModel> out(new NativeModel(TRY(LoadTokenizer(dir))));
  const auto source = TRY(FileSource::Open(dir + "/model.safetensors"));
  if (precision == Precision::kInt8) {
    out->packed_ = std::make_unique<gpt2::PackedModel>(TRY(Pack(config.hparams, *source)));
  } else {
    out->float32_ = std::make_unique<gpt2::Model>(TRY(LoadFloat32(config.hparams, *source)));
  }
  return out;
}

Result<std::string> NativeModel::Generate(std::string_view prompt, uint32_t tokens_max,
                                          const gpt2::SamplingParams& sampling) const {
  TRY_STATUS(gpt2::CheckSampling(sampling));
  if (prompt.empty()) return Err("the prompt is empty, expected text");
  const gpt2::ChatTemplate chat = gpt2::MakeChatTemplate(tokenizer_);
  std::vector<gpt2::TokenId> ids = gpt2::RenderPrompt(chat, tokenizer_, prompt);
  const auto answer = packed_ ? Answer(gpt2::PackedSession(*packed_), std::move(ids),
                                       chat.end_token, tokens_max, sampling)
                              : Answer(gpt2::Session(*float32_), std::move(ids), chat.end_token,
                                       tokens_max, sampling);
  return tokenizer_.Decode(TRY(answer));
}

}  // namespace cli
