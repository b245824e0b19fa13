#include <zlib.h>

#include "base/files.h"
#include "sim/disk.h"

namespace enclave::sim {
namespace {
constexpr std::uint64_t kFileBytesMax = 1ULL << 30;

template <class T>
T sure(Result<T> result) {
  if (!result) fmt::print(stderr, "log writer: {}\n", result.error().text());
  ENSURE(result);
  return take_value(std::move(result));
}
}  // namespace

std::string gzip_of(std::string_view bytes) {
  z_stream stream{};
  // 16 on top of the window bits asks zlib for a gzip header.
  ENSURE(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ENSURE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

void LogWriter::settle(const std::string& path) {
  if (!durable_) return;
  if (auto file = disk_.open(path)) sure((*file)->sync());
  sure(disk_.sync_directory(parent_of(path)));
}

void LogWriter::append(const std::string& path, std::string_view bytes) {
  const Disk::OtherProgram other(disk_);
  auto file = sure(disk_.create(path, Create::keep));
  sure(file->write_at(sure(file->info()).bytes, bytes));
  settle(path);
}

void LogWriter::rename(const std::string& from, const std::string& to) {
  const Disk::OtherProgram other(disk_);
  sure(disk_.rename(from, to));
  settle(to);
  if (durable_) sure(disk_.sync_directory(parent_of(from)));
}

void LogWriter::copytruncate(const std::string& path, const std::string& to) {
  const Disk::OtherProgram other(disk_);
  auto copy = sure(disk_.create(to, Create::truncate));
  sure(copy->write_at(0, content(path)));
  sure(sure(disk_.create(path, Create::keep))->truncate(0));
  settle(to);
  settle(path);
}

void LogWriter::remove(const std::string& path) {
  const Disk::OtherProgram other(disk_);
  sure(disk_.remove(path));
  settle(path);
}

void LogWriter::gzip(const std::string& path) {
  const Disk::OtherProgram other(disk_);
  sure(sure(disk_.create(path + ".gz", Create::truncate))->write_at(0, gzip_of(content(path))));
  sure(disk_.set_modified(path + ".gz", sure(disk_.info(path, true)).modified_ns));
  settle(path + ".gz");
  remove(path);
}

void LogWriter::symlink(const std::string& target, const std::string& path) {
  const Disk::OtherProgram other(disk_);
  sure(disk_.symlink(target, path));
  if (durable_) sure(disk_.sync_directory(parent_of(path)));
}

void LogWriter::make_directories(const std::string& path) {
  const Disk::OtherProgram other(disk_);
  sure(enclave::make_directories(disk_, path));
}

bool LogWriter::exists(const std::string& path) {
  const Disk::OtherProgram other(disk_);
  return disk_.info(path, true).has_value();
}

std::string LogWriter::content(const std::string& path) {
  const Disk::OtherProgram other(disk_);
  return sure(read_file(disk_, path, kFileBytesMax));
}

}  // namespace enclave::sim
