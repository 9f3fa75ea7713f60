#include "cli/command.h"

#include <fmt/core.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace cli {

base::Result<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return base::Err("cannot read ", path);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

int Complain(const std::string& sentence, int code) {
  fmt::print(stderr, "gpt2ic: {}\n", sentence);
  return code;
}

std::string CacheDir() {
  if (const char* dir = std::getenv("GPT2IC_CACHE")) return base::StrCat(dir, "/modules");
  if (const char* dir = std::getenv("XDG_CACHE_HOME")) return base::StrCat(dir, "/gpt2ic/modules");
  if (const char* dir = std::getenv("HOME")) return base::StrCat(dir, "/.cache/gpt2ic/modules");
  return "";
}

}  // namespace cli
