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

/// iconv has no HZ (RFC 1843): `~{`, pairs of seven bits, `~}` are EUC-CN without its high bits.
std::string euc_of_hz(std::string_view text) {
  std::string out;
  bool in_pairs = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] == '~' && (next == (in_pairs ? '}' : '{') || (!in_pairs && next == '~'))) {
      if (next == '~') out += '~';
      if (next != '~') in_pairs = !in_pairs;
      ++i;
    } else {
      out += in_pairs ? static_cast<char>(text[i] | 0x80) : text[i];
    }
  }
  return out;
}

}  // namespace

struct Charset::State {
  State(iconv_t made, bool is_hz) : converter(made), hz(is_hz) {}
  ~State() { iconv_close(converter); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  iconv_t converter;
  const bool hz;
  std::string scratch, pairs;
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
  const bool hz = wanted == "HZ-GB-2312";
  const iconv_t made = plain ? iconv_open("UTF-8", hz ? "GBK" : wanted.c_str()) : iconv_t(-1);
  if (made == iconv_t(-1)) return Error{Fault::unsupported, "there is no character set \"{}\" here", name};
  charset.state_ = std::make_unique<State>(made, hz);
  return charset;
}

Result<std::string> Charset::encoded(const std::string& name, std::string_view text) {
  const iconv_t made = iconv_open(name.c_str(), "UTF-8");
  if (made == iconv_t(-1)) return Error{Fault::unsupported, "there is no character set \"{}\" here", name};
  // tidy: allow const_cast: iconv reads only
  char* from = const_cast<char*>(text.data());
  std::size_t left = text.size();
  std::string out(text.size() * 4 + 16, '\0');
  char* to = out.data();
  std::size_t room = out.size();
  const std::size_t done = iconv(made, &from, &left, &to, &room);
  iconv_close(made);
  if (done == static_cast<std::size_t>(-1)) return Error{Fault::unsupported, "\"{}\" has no such character", name};
  out.resize(out.size() - room);
  return out;
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
  if (state_->hz) bytes = state_->pairs = euc_of_hz(bytes);
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
