#include "pipeline/metrics_text.h"

#include <fmt/format.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "event/json.h"
#include "event/record.h"

namespace enclave::pipeline {
namespace {

using Labels = std::vector<prometheus::ClientMetric::Label>;
using prometheus::MetricType;
constexpr double kSecond = 1e9;

/// Families in the order in which they are first named; each has its samples together.
class Families {
 public:
  template <class Number>
  void counter(std::string_view name, std::string_view help, Labels labels, Number value) {
    auto& sample = add(name, help, MetricType::Counter, std::move(labels));
    sample.counter.value = static_cast<double>(value);
  }
  template <class Number>
  void gauge(std::string_view name, std::string_view help, Labels labels, Number value) {
    auto& sample = add(name, help, MetricType::Gauge, std::move(labels));
    sample.gauge.value = static_cast<double>(value);
  }
  const std::vector<prometheus::MetricFamily>& all() const { return all_; }

 private:
  prometheus::ClientMetric& add(std::string_view name, std::string_view help, MetricType type, Labels labels) {
    auto found = std::ranges::find(all_, name, &prometheus::MetricFamily::name);
    if (found == all_.end()) {
      all_.push_back({std::string(name), std::string(help), type, {}});
      found = all_.end() - 1;
    }
    auto& sample = found->metric.emplace_back();
    sample.label = std::move(labels);
    return sample;
  }
  std::vector<prometheus::MetricFamily> all_;
};

/// Names of plugins as labels: UTF-8, and each once, since two series of one name make the whole answer useless.
class Names {
 public:
  std::string of(std::string_view id) {
    std::string name(id);
    if (!is_utf8(name))
      for (char& c : name)
        if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    const int before = seen_[name]++;
    return before == 0 ? name : of(fmt::format("{} ({})", name, before + 1));
  }

 private:
  std::map<std::string, int> seen_;
};

double age_seconds(std::int64_t since_wall_ns, std::int64_t now_ns) {
  return since_wall_ns == 0 ? 0 : static_cast<double>(std::max<std::int64_t>(now_ns - since_wall_ns, 0)) / kSecond;
}

void add_engine(const EngineStatus& status, std::int64_t now_ns, Families& out) {
  out.counter("enclave_log_records_read_total", "Records taken from the inputs since the start.", {},
              status.records_read);
  out.counter("enclave_log_read_bytes_total", "Raw bytes of these records.", {}, status.bytes_read);
  out.counter("enclave_log_records_committed_total", "Records that are durable on this disk, since the start.", {},
              status.records_committed);
  out.counter("enclave_log_records_sealed_total", "Records in the log, of all time.", {}, status.last_sealed_seq);
  out.counter("enclave_log_leaves_total", "Leaves of the log, of all time.", {}, status.leaves);
  out.counter("enclave_log_leaves_published_total", "Leaves under the checkpoint that the store has.", {},
              status.published_leaves);
  out.counter("enclave_log_lost_total", "What inputs could never read: bytes of files, or records. See the gap leaves.",
              {}, status.lost);
  out.gauge("enclave_log_objects_waiting", "Sealed objects that the store does not have yet.", {},
            status.objects_waiting);
  out.gauge("enclave_log_spool_bytes", "On this disk, not sealed yet.", {}, status.spool_bytes);
  out.gauge("enclave_log_outbox_bytes", "On this disk, sealed, not yet in the store.", {}, status.outbox_bytes);
  out.gauge("enclave_log_spool_max_bytes", "Where reading stops.", {}, status.spool_bytes_max);
  out.gauge("enclave_log_last_seal_timestamp_seconds", "When a batch was sealed last; 0: never.", {},
            static_cast<double>(status.last_sealed_wall_ns) / kSecond);
  out.gauge("enclave_log_last_sent_timestamp_seconds", "When the store took something last; 0: never.", {},
            static_cast<double>(status.last_sent_wall_ns) / kSecond);
  out.gauge("enclave_log_unsealed_lag_seconds", "Age of the oldest record that is not sealed; 0: there is none.", {},
            age_seconds(status.oldest_unsealed_wall_ns, now_ns));
  out.gauge("enclave_log_unsent_lag_seconds", "Age of the oldest record that the store does not have; 0: it has all.",
            {}, age_seconds(status.oldest_unsent_wall_ns, now_ns));
  out.gauge("enclave_log_reading_stopped", "1: reading stands, because the spool or the disk is full.", {},
            status.reading_stopped ? 1 : 0);
  out.gauge("enclave_log_store_refuses", "1: the store answers, and says no.", {}, status.store_refuses ? 1 : 0);
  out.gauge("enclave_log_troubles", "How many things are wrong with the log or its inputs now.", {},
            status.troubles.size());
  for (const auto& [name, value] : status.counters)
    out.gauge("enclave_log_input_detail", "What inputs count besides, by its name.", {{"name", name}}, value);
}

/// The plugins of one pipeline.
class PipelineMetrics {
 public:
  PipelineMetrics(const FlowStatus& flow, std::string name, Families& out)
      : flow_(flow), out_(out), pipeline_(std::move(name)) {}

  void add() {
    add_totals();
    add_inputs();
    add_filters();
    add_outputs();
  }

 private:
  Labels labels(Labels more = {}) const {
    Labels all{{"pipeline", pipeline_}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  void dropped(std::string_view plugin, std::string_view reason, std::uint64_t events) {
    out_.counter("enclave_pipeline_events_dropped_total", "Events that end here, by plugin and reason.",
                 labels({{"plugin", std::string(plugin)}, {"reason", std::string(reason)}}), events);
  }

  void add_totals() {
    out_.gauge("enclave_pipeline_start_time_seconds", "When the pipeline was opened.", labels(),
               static_cast<double>(flow_.started_wall_ns) / kSecond);
    out_.counter("enclave_pipeline_events_in_total", "Events that were read and handed on.", labels(), flow_.events_in);
    out_.counter("enclave_pipeline_read_bytes_total", "Bytes that the inputs read.", labels(), flow_.bytes_in);
    out_.counter("enclave_pipeline_events_made_total",
                 "Events that filters made of others, and copies for further pipelines.", labels(), flow_.events_made);
    out_.counter("enclave_pipeline_events_out_total", "Events that went to an output, or to several.", labels(),
                 flow_.events_out);
    out_.counter("enclave_pipeline_letters_returned_total",
                 "Replayed events that are dead letters again because their output is no more.", labels(),
                 flow_.letters_returned);
    out_.gauge("enclave_pipeline_batches_waiting", "Taken from the inputs, and not safe with all outputs.", labels(),
               flow_.batches_waiting);
    out_.gauge("enclave_pipeline_workers", "Threads that filter.", labels(), flow_.workers);
    out_.gauge("enclave_pipeline_dead_letters_bytes", "Size of the file that holds the dead letters.", labels(),
               flow_.dead_letter_bytes);
    out_.gauge("enclave_pipeline_troubles", "How many things are wrong with the pipeline now.", labels(),
               flow_.troubles.size());
    dropped("", "no output", flow_.events_unrouted);
  }

  void add_inputs() {
    Names names;
    for (const auto& input : flow_.sources) {
      const std::string name = names.of(input.id);
      const Labels all = labels({{"input", name}});
      out_.counter("enclave_input_readings_total", "Lines, messages or requests that an input read.", all,
                   input.readings);
      out_.counter("enclave_input_read_bytes_total", "Bytes of them.", all, input.bytes);
      out_.counter("enclave_input_events_total", "Events that they came to and that were handed on.", all,
                   input.events);
      out_.counter("enclave_input_busy_seconds_total", "Time spent reading and making events.", all,
                   static_cast<double>(input.busy_ns) / kSecond);
      for (const auto& [detail, value] : input.counters)
        out_.gauge("enclave_input_detail", "What an input counts besides, by its name.",
                   labels({{"input", name}, {"name", detail}}), value);
    }
  }

  void add_filters() {
    Names names;
    for (const auto& filter : flow_.filters) {
      const std::string name = names.of(filter.name);
      const Labels all = labels({{"filter", name}});
      out_.counter("enclave_filter_events_in_total", "Events that a filter was given.", all, filter.in);
      out_.counter("enclave_filter_events_succeeded_total", "Events on which it succeeded.", all, filter.succeeded);
      out_.counter("enclave_filter_events_made_total", "Events that it made.", all, filter.made);
      out_.counter("enclave_filter_busy_seconds_total", "Time spent in it, of all workers together.", all,
                   static_cast<double>(filter.busy_ns) / kSecond);
      if (filter.dropped > 0) dropped(name, filter.reason, filter.dropped);
    }
  }

  void add_outputs() {
    Names names;
    for (const auto& output : flow_.outputs) {
      const std::string name = names.of(output.id);
      const Labels all = labels({{"output", name}});
      out_.counter("enclave_output_events_total", "Events that an output was given.", all, output.events);
      out_.counter("enclave_output_written_bytes_total", "Bytes that they came to.", all, output.bytes);
      out_.counter("enclave_output_busy_seconds_total",
                   "Time spent making these bytes and handing them over, waits for the other side included.", all,
                   static_cast<double>(output.busy_ns) / kSecond);
      out_.counter("enclave_output_events_delivered_total", "Events that are safe on the other side.", all,
                   output.delivered);
      out_.gauge("enclave_output_events_waiting", "Events that are not safe there yet.", all, output.waiting);
      out_.counter("enclave_output_dead_letters_total", "Events that it refused and that are kept.", all,
                   output.dead_letters);
      if (output.dead_letters_lost > 0) dropped(name, "dead letters full", output.dead_letters_lost);
      for (const auto& [detail, value] : output.counters)
        out_.gauge("enclave_output_detail", "What an output counts besides, by its name.",
                   labels({{"output", name}, {"name", detail}}), value);
    }
  }

  const FlowStatus& flow_;
  Families& out_;
  const std::string pipeline_;
};

}  // namespace

std::vector<std::string> Observed::troubles() const {
  std::vector<std::string> all;
  if (engine) {
    if (engine->reading_stopped) all.emplace_back("reading is stopped, because the spool or the disk is full");
    all.insert(all.end(), engine->troubles.begin(), engine->troubles.end());
  }
  for (const auto& flow : flows)
    for (const auto& text : flow.troubles) all.push_back(fmt::format("{}: {}", flow.id, text));
  return all;
}

std::string metrics_text(const Observed& observed) {
  Families out;
  out.gauge("enclave_build_info", "Always 1; the version is its label.", {{"version", observed.version}}, 1);
  out.gauge("enclave_start_time_seconds", "When the program began.", {},
            static_cast<double>(observed.started_wall_ns) / kSecond);
  out.gauge("enclave_healthy", "1: nothing is wrong.", {}, observed.troubles().empty() ? 1 : 0);
  if (observed.engine) add_engine(*observed.engine, observed.wall_ns, out);
  Names names;
  for (const auto& flow : observed.flows) PipelineMetrics(flow, names.of(flow.id), out).add();
  return prometheus::TextSerializer().Serialize(out.all());
}

std::string health_json(const Observed& observed) {
  const auto troubles = observed.troubles();
  return fmt::format("{{\"healthy\":{},\"troubles\":{}}}\n", troubles.empty(),
                     event::json_array(troubles, [](const std::string& text) { return event::json_text(text); }));
}

}  // namespace enclave::pipeline
