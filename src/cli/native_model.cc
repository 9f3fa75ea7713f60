#include "cli/native_model.h"

#include <filesystem>

#include "cli/command.h"
#include "cli/local.h"
#include "gpt2/import/loader.h"
#include "gpt2/session.h"

namespace cli {

using base::Err;
using base::Result;

Result<gpt2::Tokenizer> LoadTokenizer(const std::string& path) {
  namespace fs = std::filesystem;
  const fs::path json = fs::is_directory(path) ? fs::path(path) / "tokenizer.json" : fs::path(path);
  if (fs::exists(json)) return gpt2::Tokenizer::FromJson(TRY(ReadFile(json.string())));
  const std::string vocab = TRY(ReadFile((fs::path(path) / "vocab.json").string()));
  return gpt2::Tokenizer::FromVocabAndMerges(
      vocab, TRY(ReadFile((fs::path(path) / "merges.txt").string())));
}

Result<std::unique_ptr<NativeModel>> NativeModel::Load(const std::string& dir) {
  const gpt2::Config config = TRY(gpt2::ParseConfig(TRY(ReadFile(dir + "/config.json"))));
  auto tokenizer = TRY(LoadTokenizer(dir));
  const auto source = TRY(FileSource::Open(dir + "/model.safetensors"));
  auto loader = TRY(gpt2::SafetensorsLoader::Open(config.hparams, *source));
  {
    Progress progress("loading", loader.bytes_total());
    while (!TRY(loader.Step())) progress.Set(loader.bytes_done());
  }
  auto model = std::make_unique<gpt2::Model>(config.hparams, loader.Take());
  return std::unique_ptr<NativeModel>(new NativeModel(std::move(tokenizer), std::move(model)));
}

Result<std::string> NativeModel::Generate(std::string_view prompt, uint32_t tokens_max,
                                          const gpt2::SamplingParams& sampling) const {
  TRY_STATUS(gpt2::CheckSampling(sampling));
  if (prompt.empty()) return Err("the prompt is empty, expected text");
  const gpt2::ChatTemplate chat = gpt2::MakeChatTemplate(tokenizer_);
  gpt2::Session session(*model_);
  TRY_STATUS(session.Append(gpt2::RenderPrompt(chat, tokenizer_, prompt)));
  std::vector<gpt2::TokenId> answer;
  while (answer.size() < tokens_max) {
    while (!session.Prefilled()) session.Step();
    const gpt2::TokenId next = gpt2::Sample(session.Logits(), sampling, answer.size());
    if (chat.end_token == next) break;
    answer.push_back(next);
    if (session.size() == session.capacity()) break;
    TRY_STATUS(session.Append({&next, 1}));
  }
  return tokenizer_.Decode(answer);
}

}  // namespace cli
