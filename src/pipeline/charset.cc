#include "pipeline/charset.h"

#include <iconv.h>

#include <cerrno>
#include <utility>

#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

/// Where iconv has another name for what Ruby calls so.
constexpr std::pair<std::string_view, const char*> kOtherNames[] = {{"WINDOWS-31J", "CP932"},
                                                                    {"CP65001", "UTF-8"},
                                                                    {"MACROMAN", "MACINTOSH"},
                                                                    {"UTF8-MAC", "UTF-8"},
                                                                    {"EUC-JP-MS", "EUC-JP-MS"}};

}  // namespace

struct Charset::State {
  explicit State(iconv_t made) : converter(made) {}
  ~State() { iconv_close(converter); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  iconv_t converter;
  std::string scratch;
};

Charset::Charset() = default;
Charset::~Charset() = default;
Charset::Charset(Charset&&) noexcept = default;
Charset& Charset::operator=(Charset&&) noexcept = default;

Result<Charset> Charset::named(const std::string& name) {
  Charset charset;
  std::string wanted = upper(name);
  for (const auto& [ruby, ours] : kOtherNames)
    if (wanted == ruby) wanted = ours;
  if (wanted == "UTF-8" || wanted == "ASCII-8BIT" || wanted == "BINARY") return charset;
  // A suffix such as //IGNORE would change what iconv does.
  const bool plain = wanted.find('/') == std::string::npos && !wanted.empty();
  const iconv_t made = plain ? iconv_open("UTF-8", wanted.c_str()) : iconv_t(-1);
  if (made == iconv_t(-1)) return Error{Fault::unsupported, "there is no character set \"{}\" here", name};
  charset.state_ = std::make_unique<State>(made);
  return charset;
}

Charset Charset::from(logstash::PluginOptions& options) {
  auto charset = named(options.text("charset", "UTF-8"));
  if (charset) return std::move(*charset);
  options.mistake("charset", charset.error().text());
  return {};
}

std::string_view Charset::text(std::string_view bytes, event::Arena& arena) {
  if (state_ == nullptr) return bytes;
  std::string& out = state_->scratch;
  out.clear();
  (void)iconv(state_->converter, nullptr, nullptr, nullptr, nullptr);
  // tidy: allow const_cast: iconv reads only
  char* from = const_cast<char*>(bytes.data());
  std::size_t left = bytes.size();
  char piece[4096];
  while (left > 0) {
    char* to = piece;
    std::size_t room = sizeof piece;
    const std::size_t done = iconv(state_->converter, &from, &left, &to, &room);
    const int error = errno;
    out.append(piece, sizeof piece - room);
    if (done != static_cast<std::size_t>(-1) || error == E2BIG) continue;
    out += kReplacement;
    if (error != EILSEQ) break;  // cut within a character
    ++from;
    --left;
  }
  return arena.store(out);
}

}  // namespace enclave::pipeline
