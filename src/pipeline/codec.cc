#include "pipeline/codec.h"

#include <algorithm>

#include "pipeline/logstash/not_offered.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

const CodecPlugin* find_codec(std::string_view name) {
  const auto all = codec_plugins();
  const auto found = std::ranges::find(all, name, &CodecPlugin::name);
  return found == all.end() ? nullptr : *found;
}

}  // namespace

CodecChoice::CodecChoice(logstash::PluginOptions& options, std::string_view otherwise, const FilterWorld& world) {
  const logstash::Plugin* written = options.plugin_value("codec");
  // A codec that is only named has no options: an empty plugin stands for it.
  std::shared_ptr<logstash::Plugin> bare;
  if (written == nullptr) {
    bare = std::make_shared<logstash::Plugin>();
    bare->name = options.text("codec", otherwise);
    bare->position = options.plugin().position;
    written = bare.get();
  }
  const CodecPlugin* const card = find_codec(written->name);
  if (card == nullptr) {
    options.mistake("codec", logstash::not_offered<CodecPlugin>("codec", written->name, codec_plugins()));
    return;
  }
  logstash::PluginOptions nested = options.nested(*written);
  if (card->multiline != nullptr) multiline_ = card->multiline(nested, world);
  const bool good = card->make(nested, world) != nullptr;
  nested.finish();
  if (!good || nested.failed()) {
    options.fail();
    return;
  }
  card_ = card;
  make_ = [card, written, bare, &world, &configuration = options.configuration()] {
    Diagnostics none;  // it was made once without a mistake
    logstash::PluginOptions again(configuration, *written, none);
    return card->make(again, world);
  };
}

std::unique_ptr<Codec> CodecChoice::make() const { return make_(); }

}  // namespace enclave::pipeline
