#include "runtime/system_api/table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace runtime {
namespace {

const SystemCall* Find(std::string_view name) {
  for (const SystemCall& call : SystemCalls()) {
    if (call.name == name) return &call;
  }
  return nullptr;
}

// The contexts in which each call worked on the IC's own code of October 2024. What is newer is
// named here.
TEST(SystemApi, IsAllowedWhereTheInternetComputerAllowedIt) {
  const std::vector<Entry> columns = {
      Entry::kStart,      Entry::kInit,           Entry::kInit,
      Entry::kPreUpgrade, Entry::kUpdate,         Entry::kReplicatedQuery,
      Entry::kQuery,      Entry::kCompositeQuery, Entry::kReply,
      Entry::kReject,     Entry::kCleanup,        Entry::kInspect,
      Entry::kSystemTask, Entry::kSystemTask,     Entry::kCompositeReply};
  std::ifstream in("tests/data/metering-vectors/context-matrix-oct2024.txt");
  std::string line;
  std::getline(in, line);
  int compared = 0;
  while (std::getline(in, line)) {
    std::stringstream words(line);
    std::string name, mark;
    words >> name;
    const SystemCall* call = Find(name);
    ASSERT_NE(call, nullptr) << name;
    for (const Entry entry : columns) {
      words >> mark;
      const bool newer = (entry == Entry::kReplicatedQuery &&
                          (name.starts_with("msg_cycles_a") || name == "cycles_burn128")) ||
                         (entry == Entry::kCleanup && name == "msg_reject_code");
      EXPECT_EQ(AllowedIn(*call, entry), mark == "Y" || newer) << name << " " << EntryName(entry);
      ++compared;
    }
  }
  EXPECT_EQ(compared, 52 * 15);
}

std::string Row(const SystemCall& call) {
  std::string charge = std::to_string(call.fixed);
  if (call.size == SystemCall::kNames) charge += " + both names";
  if (call.size >= 0) {
    charge += call.per_byte == 1 ? " + size" : base::StrCat(" + ", call.per_byte, " x size");
  }
  if (call.name == "debug_print") charge = "100 + logging";
  if (call.name == "trap") charge = "500 + size + logging";
  const bool stable_copy = call.name.starts_with("stable") &&
                           (call.name.ends_with("read") || call.name.ends_with("write"));
  if (stable_copy) charge = "20 + size";
  const bool only32 = call.words == SystemCall::Words::kOnly32;
  return base::StrCat("| `", call.name, "` | ", call.signature, only32 ? " (32-bit)" : "", " | ",
                      call.contexts, " | ", charge, " |\n");
}

// docs/system-api.md shows this table; GPT2IC_REBASE=1 writes it anew.
TEST(SystemApi, IsDocumentedAsItIs) {
  constexpr char kPath[] = "docs/system-api.md";
  constexpr std::string_view kHead = "| Call | Type | Contexts | Charge |\n|---|---|---|---|\n";
  std::string table(kHead);
  for (const SystemCall& call : SystemCalls()) table += Row(call);
  std::stringstream text;
  text << std::ifstream(kPath).rdbuf();
  std::string page = text.str();
  const size_t start = page.find(kHead);
  ASSERT_NE(start, std::string::npos);
  const size_t end = page.find("\n\n", start) + 1;
  if (std::getenv("GPT2IC_REBASE") != nullptr) {
    std::ofstream(kPath) << page.replace(start, end - start, table);
    return;
  }
  EXPECT_EQ(page.substr(start, end - start), table) << "GPT2IC_REBASE=1 writes it";
}

TEST(SystemApi, HasEveryCallOnce) {
  std::set<std::string_view> names;
  for (const SystemCall& call : SystemCalls()) EXPECT_TRUE(names.insert(call.name).second);
  EXPECT_EQ(names.size(), 75u);
}

}  // namespace
}  // namespace runtime
