// bench_limits FILE: what the parts of the main job cost at least, on the bytes of this file, each alone; CPU seconds.
// bench_limits --sha256 THREADS DIRECTORY: SHA-256 of every file below the directory, spread over threads.
// Prints one JSON object.
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "event/compress.h"

namespace {

constexpr std::size_t kBlock = 1 << 20;
constexpr std::size_t kChunk = 64 << 10;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : value_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }

 private:
  int value_;
};

struct Contexts {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> cipher{EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> zstd{ZSTD_createCCtx(), ZSTD_freeCCtx};
};

std::uint64_t count_lines(std::string_view bytes) {
  std::uint64_t lines = 0;
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at < end) {
    const void* found = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
    if (found == nullptr) break;
    at = static_cast<const char*>(found) + 1;
    ++lines;
  }
  return lines;
}

void encrypt(Contexts& contexts, const std::uint8_t* key, std::uint64_t number, std::string_view plain,
             std::vector<std::uint8_t>& out) {
  std::array<std::uint8_t, 12> nonce{};
  std::memcpy(nonce.data(), &number, sizeof number);
  int length = 0;
  EVP_EncryptInit_ex(contexts.cipher.get(), EVP_chacha20_poly1305(), nullptr, key, nonce.data());
  EVP_EncryptUpdate(contexts.cipher.get(), out.data(), &length, reinterpret_cast<const std::uint8_t*>(plain.data()),
                    static_cast<int>(plain.size()));
  EVP_EncryptFinal_ex(contexts.cipher.get(), out.data() + length, &length);
}

int measure(const std::string& path) {
  const Descriptor file(path);
  if (file.value() < 0) {
    fmt::print(stderr, "bench_limits: cannot read {}\n", path);
    return 1;
  }
  Contexts contexts;
  ZSTD_CCtx_setParameter(contexts.zstd.get(), ZSTD_c_compressionLevel, enclave::event::kZstdLevel);
  ZSTD_CCtx_setParameter(contexts.zstd.get(), ZSTD_c_checksumFlag, 1);
  EVP_DigestInit_ex(contexts.digest.get(), EVP_sha256(), nullptr);
  const std::array<std::uint8_t, 32> key{1};
  std::vector<char> block(kBlock);
  std::vector<std::uint8_t> compressed(ZSTD_compressBound(kBlock)), encrypted(kChunk + 16);
  double read = 0, scan = 0, zstd = 0, sha256 = 0, chacha = 0;
  std::uint64_t bytes = 0, lines = 0, frames = 0, chunks = 0;
  for (;;) {
    const double t0 = cpu_seconds();
    const ssize_t got = ::pread(file.value(), block.data(), block.size(), static_cast<off_t>(bytes));
    const double t1 = cpu_seconds();
    if (got <= 0) break;
    const std::string_view text(block.data(), static_cast<std::size_t>(got));
    lines += count_lines(text);
    const double t2 = cpu_seconds();
    frames += ZSTD_compress2(contexts.zstd.get(), compressed.data(), compressed.size(), text.data(), text.size());
    const double t3 = cpu_seconds();
    EVP_DigestUpdate(contexts.digest.get(), text.data(), text.size());
    const double t4 = cpu_seconds();
    for (std::size_t at = 0; at < text.size(); at += kChunk)
      encrypt(contexts, key.data(), chunks++, text.substr(at, kChunk), encrypted);
    const double t5 = cpu_seconds();
    read += t1 - t0, scan += t2 - t1, zstd += t3 - t2, sha256 += t4 - t3, chacha += t5 - t4;
    bytes += text.size();
  }
  fmt::print(R"({{"bytes":{},"lines":{},"compressed":{},"read":{:.4f},"scan":{:.4f},"zstd":{:.4f},"sha256":{:.4f},)"
             R"("chacha20":{:.4f}}})"
             "\n",
             bytes, lines, frames, read, scan, zstd, sha256, chacha);
  return 0;
}

std::uint64_t hash_file(const std::string& path, EVP_MD_CTX* context, std::vector<char>& block) {
  const Descriptor file(path);
  std::uint64_t bytes = 0;
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  for (ssize_t got = 0; (got = ::read(file.value(), block.data(), block.size())) > 0;) {
    EVP_DigestUpdate(context, block.data(), static_cast<std::size_t>(got));
    bytes += static_cast<std::uint64_t>(got);
  }
  std::array<std::uint8_t, 32> digest{};
  EVP_DigestFinal_ex(context, digest.data(), nullptr);
  return bytes;
}

int hash_all(const std::string& directory, unsigned threads) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
    if (entry.is_regular_file()) paths.push_back(entry.path().string());
  std::atomic<std::size_t> next = 0;
  std::atomic<std::uint64_t> bytes = 0;
  const double cpu = cpu_seconds();
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < threads; ++i)
    workers.emplace_back([&] {
      const Contexts contexts;
      std::vector<char> block(kBlock);
      for (std::size_t at = 0; (at = next.fetch_add(1)) < paths.size();)
        bytes += hash_file(paths[at], contexts.digest.get(), block);
    });
  for (auto& worker : workers) worker.join();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  fmt::print(R"({{"files":{},"bytes":{},"wall":{:.4f},"cpu":{:.4f}}})"
             "\n",
             paths.size(), bytes.load(), wall.count(), cpu_seconds() - cpu);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 1) return measure(arguments[0]);
  unsigned threads = 0;
  if (arguments.size() == 3 && arguments[0] == "--sha256") {
    const std::string& text = arguments[1];
    if (std::from_chars(text.data(), text.data() + text.size(), threads).ec == std::errc{} && threads > 0)
      return hash_all(arguments[2], threads);
  }
  fmt::print(stderr, "usage: bench_limits FILE | bench_limits --sha256 THREADS DIRECTORY\n");
  return 64;
}
