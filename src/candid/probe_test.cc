// A short run of the fuzz targets: their corpora, and mutations of them from a fixed seed.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "candid/decode.h"
#include "candid/text_probe.h"

namespace candid {
namespace {

std::vector<std::string> Corpus(const std::string& name) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator("tests/corpus/" + name)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    inputs.push_back(content.str());
  }
  return inputs;
}

// Changes, inserts or removes a few bytes, or joins with another input.
std::string Mutate(std::string input, const std::vector<std::string>& corpus,
                   std::mt19937& random) {
  for (uint32_t edits = 1 + random() % 4; edits > 0; --edits) {
    const size_t at = input.empty() ? 0 : random() % input.size();
    const char byte = static_cast<char>(random());
    switch (random() % 4) {
      case 0:
        input.insert(at, 1, byte);
        break;
      case 1:
        input.erase(at, random() % 4);
        break;
      case 2:
        input = input.substr(0, at) + corpus[random() % corpus.size()].substr(0, 64);
        break;
      default:
        if (!input.empty()) input[at] = byte;
    }
  }
  return input;
}

void RunShort(const std::string& name, void (*probe)(std::string_view), int rounds) {
  const std::vector<std::string> corpus = Corpus(name);
  ASSERT_GT(corpus.size(), 20u);
  std::mt19937 random(1);
  for (const std::string& input : corpus) probe(input);
  for (int i = 0; i < rounds; ++i) probe(Mutate(corpus[random() % corpus.size()], corpus, random));
}

TEST(Probe, DecodersAgreeOnCorpusAndMutations) {
  RunShort("candid_decode_fuzz", [](std::string_view s) { DecodeProbe(base::AsBytes(s)); }, 20000);
}

TEST(Probe, TextAndDidSurviveCorpusAndMutations) { RunShort("candid_text_fuzz", TextProbe, 20000); }

}  // namespace
}  // namespace candid
