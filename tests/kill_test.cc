// A network on disk, killed anywhere: what was answered stays, and nothing is half done.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "base/check.h"

extern char** environ;

namespace {

struct Worker {
  pid_t pid;
  int out;  // its standard output
};

Worker Spawn(const std::string& folder, const char* command, const std::string& write = "") {
  int pipes[2];
  CHECK(pipe2(pipes, O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
  std::string program = GPT2IC_KILL_WORKER, dir = folder, verb = command, number = write;
  char* arguments[] = {program.data(), dir.data(), verb.data(),
                       write.empty() ? nullptr : number.data(), nullptr};
  pid_t pid = 0;
  CHECK(posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  close(pipes[1]);
  return {pid, pipes[0]};
}

// What it printed until its end.
std::string ReadAll(int file) {
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = read(file, buffer, sizeof(buffer))) > 0;) text.append(buffer, got);
  close(file);
  return text;
}

// The last whole line's number; 0 when there is none.
uint64_t LastNumber(const std::string& text) {
  const size_t end = text.rfind('\n');
  if (end == std::string::npos) return 0;
  const size_t start = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
  return std::stoull(text.substr(start == std::string::npos ? 0 : start + 1));
}

class KillTest : public ::testing::Test {
 protected:
  KillTest() {
    folder_ = std::filesystem::temp_directory_path() /
              ("gpt2ic-kill-" + std::to_string(getpid()) + "-" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
  }
  ~KillTest() override { std::filesystem::remove_all(folder_); }

  static bool Soak() { return std::getenv("GPT2IC_SOAK") != nullptr; }

  // Checks the state and returns how many messages it has counted.
  void ExpectWhole(uint64_t acknowledged) {
    const Worker worker = Spawn(folder_, "check");
    const std::string text = ReadAll(worker.out);
    int status = 0;
    waitpid(worker.pid, &status, 0);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
    const uint64_t counted = LastNumber(text);
    EXPECT_GE(counted, acknowledged);
    EXPECT_GE(counted, counted_);
    counted_ = counted;
  }

  std::string folder_;
  uint64_t counted_ = 0;
};

TEST_F(KillTest, NothingAcknowledgedIsLostWhenKilledAtRandomTimes) {
  std::mt19937_64 random(1);
  const int kills = Soak() ? 200 : 20;
  for (int i = 0; i < kills; ++i) {
    const Worker worker = Spawn(folder_, "run");
    std::thread killer([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(20'000 + random() % 150'000));
      kill(worker.pid, SIGKILL);
    });
    const uint64_t acknowledged = LastNumber(ReadAll(worker.out));
    killer.join();
    waitpid(worker.pid, nullptr, 0);
    ASSERT_NO_FATAL_FAILURE(ExpectWhole(acknowledged)) << "kill " << i;
  }
  EXPECT_GT(counted_, 50u);  // it did get somewhere
}

// The first writes make the folder and the canister; after them every kind of write comes by.
TEST_F(KillTest, NothingIsTornWhenKilledInTheMiddleOfAnyWrite) {
  const int step = Soak() ? 1 : 9;
  for (int write = 0; write < 260; write += step) {
    const Worker worker = Spawn(folder_, "run", std::to_string(write));
    const uint64_t acknowledged = LastNumber(ReadAll(worker.out));
    int status = 0;
    waitpid(worker.pid, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status;
    ASSERT_NO_FATAL_FAILURE(ExpectWhole(acknowledged)) << "write " << write;
    if (write % 5 == 0) {
      std::filesystem::remove_all(folder_);
      counted_ = 0;
    }
  }
}

TEST_F(KillTest, AFolderHasOneProcessAtATime) {
  const Worker first = Spawn(folder_, "run");
  char byte;
  ASSERT_EQ(read(first.out, &byte, 1), 1);  // it has answered something: the folder is open
  const Worker second = Spawn(folder_, "check");
  int status = 0;
  waitpid(second.pid, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 2);
  kill(first.pid, SIGKILL);
  waitpid(first.pid, nullptr, 0);
  close(first.out);
  close(second.out);
}

}  // namespace
