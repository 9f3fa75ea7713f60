#include "cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cli {

base::Result<std::unique_ptr<FileSource>> FileSource::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info;
  if (fd < 0 || fstat(fd, &info) != 0) return base::Err("cannot read ", path);
  return std::unique_ptr<FileSource>(new FileSource(path, fd, static_cast<uint64_t>(info.st_size)));
}

FileSource::~FileSource() { close(fd_); }

base::Status FileSource::Read(uint64_t offset, std::span<uint8_t> out) {
  while (!out.empty()) {
    const ssize_t n = pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
    if (n <= 0) return base::Err(path_, " has no ", out.size(), " bytes at ", offset);
    offset += static_cast<uint64_t>(n);
    out = out.subspan(static_cast<size_t>(n));
  }
  return {};
}

base::Status FileSink::Write(base::ByteSpan bytes) {
  out_.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  if (!out_) return base::Err("cannot write ", path_, ": is the disk full?");
  return {};
}

base::Status FileSink::Close() {
  out_.close();
  if (!out_) return base::Err("cannot write ", path_, ": is the disk full?");
  return {};
}

}  // namespace cli
