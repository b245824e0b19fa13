// uses: archive base
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "archive/leaf_file.h"

namespace {

class Bytes final : public enclave::File {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  enclave::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    if (offset >= bytes_.size()) return std::size_t{0};
    const std::size_t count = std::min<std::size_t>(into.size(), bytes_.size() - offset);
    std::copy_n(bytes_.data() + offset, count, into.data());
    return count;
  }
  enclave::Result<void> write_at(std::uint64_t, std::string_view) override { return {}; }
  enclave::Result<void> sync() override { return {}; }
  enclave::Result<void> truncate(std::uint64_t) override { return {}; }
  enclave::Result<enclave::FileInfo> info() override { return enclave::FileInfo{}; }

 private:
  std::string_view bytes_;
};

}  // namespace

// Any bytes are a leaf file: its whole leaves, then what is not whole. Each leaf that the scan gives can be read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace enclave::archive;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Bytes file(bytes);
  std::string whole(leaves_header());
  const auto take = [&](std::uint64_t offset, std::string_view text) {
    ENSURE(read_leaf_at(file, offset).value() == text);
    whole += leaf_frame(text);
    return true;
  };
  const auto salvage = [&](std::uint64_t offset, std::string_view text) {
    ENSURE(read_leaf_at(file, offset).value() == text);
  };
  const auto scan = scan_leaves(file, take, salvage);
  ENSURE(scan.has_value());
  if (scan->good_bytes > 0) ENSURE(bytes.substr(0, scan->good_bytes) == whole);
  ENSURE((scan->end == LeafScan::End::whole) == (scan->good_bytes == size && size > 0));
  return 0;
}
