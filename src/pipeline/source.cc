#include "pipeline/source.h"

namespace enclave::pipeline {

void Source::make(const event::Batch& batch, const event::Event& from, event::Arena& arena, Codec& codec,
                  FilterRun& run, std::vector<event::Document>& into) const {
  const std::size_t before = into.size();
  codec.decode(from.raw, arena, run, into);
  for (std::size_t i = before; i < into.size(); ++i) describe(batch, from, into[i]);
}

}  // namespace enclave::pipeline
