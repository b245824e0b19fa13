#include "pipeline/bulk_options.h"

namespace enclave::pipeline {
namespace {

std::unique_ptr<Output> make(logstash::PluginOptions& options, const FilterWorld& world) {
  auto bulk = read_bulk_options(options, world, BulkServer::opensearch);
  if (!bulk) return nullptr;
  return std::make_unique<BulkOutput>(std::move(*bulk));
}

}  // namespace

extern const OutputPlugin output_opensearch;
const OutputPlugin output_opensearch = {"opensearch", "Indexes events in OpenSearch.", make};

}  // namespace enclave::pipeline
