// gpt2ic pack: the same file from every form of one model.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/str_cat.h"
#include "cli/command.h"

namespace {

constexpr const char* kTiny = "tests/data/gpt2-tiny/";

std::string Temporary(std::string_view name) {
  return (std::filesystem::temp_directory_path() / base::StrCat("gpt2ic_pack_", getpid(), name))
      .string();
}

// The packed file, empty if pack fails.
std::string Packed(const std::string& model, std::vector<std::string> more = {}) {
  const std::string out = Temporary(".packed");
  CLI::App app;
  int exit_code = -1;
  cli::AddPack(app, &exit_code);
  std::vector<std::string> args = {"--json", out, "-o", model,
                                   "pack"};  // CLI11 takes them reversed
  args.insert(args.begin(), more.begin(), more.end());
  app.parse(args);
  std::ifstream file(out, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::filesystem::remove(out);
  return exit_code == 0 ? bytes : "";
}

TEST(PackTest, EveryFormOfAModelGivesTheSameFile) {
  for (const std::vector<std::string>& mode : {std::vector<std::string>{}, {"--exact"}}) {
    const std::string expected = Packed(base::StrCat(kTiny, "model.safetensors"), mode);
    ASSERT_FALSE(expected.empty());
    EXPECT_TRUE(Packed(base::StrCat(kTiny, "model.noprefix.safetensors"), mode) == expected);
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(kTiny)) {
      if (entry.path().extension() != ".onnx") continue;
      ++files;
      EXPECT_TRUE(Packed(entry.path().string(), mode) == expected) << entry.path();
    }
    EXPECT_EQ(files, 7);
  }
}

TEST(PackTest, ComparesLogitsOfAnOnnxFile) {
  EXPECT_FALSE(Packed(base::StrCat(kTiny, "gpt2_kv_op11.onnx"), {"--compare=20"}).empty());
}

TEST(PackTest, LeavesNothingBehindWhenTheFileIsNoModel) {
  const std::string broken = Temporary(".onnx");
  std::ofstream(broken, std::ios::binary) << "\x08\x08\x3a\x05" << "no model";
  EXPECT_EQ(Packed(broken), "");
  std::filesystem::remove(broken);
  EXPECT_FALSE(std::filesystem::exists(Temporary(".packed.unfinished")));
}

}  // namespace
