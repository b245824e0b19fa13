#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "pipeline/logstash/text_reference.h"
#include "pipeline/output.h"

/// Events as the actions of Elasticsearch's and OpenSearch's _bulk.
namespace enclave::pipeline {

struct BulkDataStream {
  std::string type = "logs", dataset = "generic", name_space = "default";
  bool from_event = true;   ///< what [data_stream] of an event says counts
  bool sync_fields = true;  ///< [data_stream] of what is sent says where it went
};

/// Where one event goes.
struct BulkChoice {
  std::string index, pipeline, id;  ///< empty: none
  bool create = false;              ///< else it is indexed
  std::string why_not;              ///< not empty: it can go nowhere
};
/// Chooses for each event, instead of what BulkActions say. Made once for each worker.
class BulkChooser {
 public:
  virtual ~BulkChooser() = default;
  /// `into` still holds what was chosen before.
  virtual void choose(const event::Document& event, BulkChoice& into) = 0;
};

struct BulkActions {
  std::function<std::unique_ptr<BulkChooser>()> chooser = {};  ///< empty: the rest says
  logstash::TextReference index, action;
  std::optional<logstash::TextReference> id, routing, pipeline, version;
  std::string version_type;
  std::int64_t retry_on_conflict = 0;
  bool doc_as_upsert = false;
  std::optional<BulkDataStream> stream;  ///< instead of index and action
};

/// A piece for each event: its action, and its document but for a delete, each with a line feed. Target 0 is what can
/// be sent; the others are reasons why an event cannot.
class BulkPacker final : public Packer {
 public:
  explicit BulkPacker(const BulkActions& actions)
      : actions_(actions), chooser_(actions.chooser ? actions.chooser() : nullptr) {}
  void pack(const event::Batch& batch, std::span<const event::Document> events, FilterRun& run, Parcel& into) override;

 private:
  void add(const event::Document& event, FilterRun& run, Parcel& into);
  void add_chosen(const event::Document& event, Parcel& into);
  void add_to_stream(const event::Document& event, std::string& out);
  void member(std::string_view name, const logstash::TextReference& reference, const event::Document& event,
              FilterRun& run, std::string& out);
  const BulkActions& actions_;
  const std::unique_ptr<BulkChooser> chooser_;
  BulkChoice choice_;
};

}  // namespace enclave::pipeline
