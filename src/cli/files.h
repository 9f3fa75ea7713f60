#ifndef GPT2IC_CLI_FILES_H_
#define GPT2IC_CLI_FILES_H_

#include <fstream>
#include <memory>
#include <string>

#include "gpt2/byte_source.h"

namespace cli {

// A file read piece by piece.
class FileSource : public gpt2::ByteSource {
 public:
  static base::Result<std::unique_ptr<FileSource>> Open(const std::string& path);
  ~FileSource() override;
  uint64_t size() const override { return size_; }
  base::Status Read(uint64_t offset, std::span<uint8_t> out) override;

 private:
  FileSource(std::string path, int fd, uint64_t size)
      : path_(std::move(path)), fd_(fd), size_(size) {}
  std::string path_;
  int fd_;
  uint64_t size_;
};

// A file written front to back.
class FileSink : public gpt2::ByteSink {
 public:
  explicit FileSink(std::string path) : path_(std::move(path)), out_(path_, std::ios::binary) {}
  base::Status Write(base::ByteSpan bytes) override;
  base::Status Close();

 private:
  std::string path_;
  std::ofstream out_;
};

}  // namespace cli

#endif  // GPT2IC_CLI_FILES_H_
