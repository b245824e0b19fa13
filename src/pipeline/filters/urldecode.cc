#include "base/encoding.h"
#include "pipeline/charset.h"
#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Decodes %41 and its like, in one field or in all.
class UrlDecode final : public Filter {
 public:
  struct Settings {
    logstash::FieldReference field;
    bool all_fields = false;
    std::vector<std::string> tag_on_failure;
  };
  UrlDecode(Settings settings, Charset charset) : settings_(std::move(settings)), charset_(std::move(charset)) {}

  bool apply(event::Document& event, FilterRun& /*run*/) override {
    bool fine = true;
    if (settings_.all_fields) {
      for (event::Member& member : event.root().members()) fine = decode(member.value, event.arena(), 0) && fine;
    } else if (Value* const value = event.find(settings_.field.segments())) {
      fine = decode(*value, event.arena(), 0);
    }
    if (!fine)
      for (const auto& tag : settings_.tag_on_failure) event.tag(tag);
    return fine;
  }

 private:
  bool decode(Value& value, event::Arena& arena, std::size_t depth) {
    if (depth > event::kValueDepthMax) return false;
    bool fine = true;
    if (value.is(Kind::list)) {
      for (Value& item : value.items()) fine = decode(item, arena, depth + 1) && fine;
    } else if (value.is(Kind::map)) {
      for (event::Member& member : value.members()) fine = decode(member.value, arena, depth + 1) && fine;
    } else if (value.is(Kind::text) && value.text().find('%') != std::string_view::npos) {
      const std::string_view text = value.text();
      const auto room = arena.allocate_text(text.size());
      std::size_t size = 0;
      for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
        const int low = high < 0 ? -1 : digit_of(text[i + 2]);
        room[size++] = low < 0 ? text[i] : static_cast<char>(high * 16 + low);
        if (low >= 0) i += 2;
      }
      const std::string_view decoded = charset_.text({room.data(), size}, arena);
      if (!is_utf8(decoded)) return false;
      value = Value::of(decoded);
    }
    return fine;
  }

  Settings settings_;
  Charset charset_;
};

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  Charset charset = Charset::from(options);
  UrlDecode::Settings settings{.field = options.field("field", "message"),
                               .all_fields = options.boolean("all_fields", false),
                               .tag_on_failure = options.texts("tag_on_failure", {"_urldecodefailure"})};
  if (options.failed()) return nullptr;
  return std::make_unique<UrlDecode>(std::move(settings), std::move(charset));
}

}  // namespace

extern const FilterPlugin filter_urldecode;
const FilterPlugin filter_urldecode = {"urldecode", "Decodes what is written as in a URL.", make};

}  // namespace enclave::pipeline
