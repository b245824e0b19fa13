#include "pipeline/engine.h"

#include "base/files.h"
#include "pipeline/committer.h"
#include "pipeline/reader.h"
#include "pipeline/uploader.h"

namespace enclave::pipeline {
namespace {

class RealEngine final : public Engine {
 public:
  RealEngine(World world, EngineOptions options, cloud::ObjectStore& store)
      : world_(world), options_(std::move(options)), store_(store) {}

  Result<void> open(const crypto::Secret& spool_key) {
    ENSURE(!options_.recipients.empty());
    TRY(make_directories(world_.files, options_.state_directory));
    std::vector<std::string> notices;
    archive::Log::Options log;
    log.directory = options_.state_directory;
    log.enclave = options_.enclave;
    log.instance = options_.instance;
    log.boot_id = options_.boot_id;
    log_.log = TRY(archive::Log::open(world_, std::move(log), notices));
    registry_ = std::make_unique<Registry>(world_.files, join_path(options_.state_directory, "registry"), notices);
    TRY(registry_->readable());
    reader_ = std::make_unique<Reader>(world_, options_.read_bytes, queue_, ledger_);
    committer_ = std::make_unique<Committer>(world_, options_, log_, *registry_, queue_, ledger_);
    TRY(committer_->recover(spool_key, notices));
    output_ = std::make_unique<ArchiveOutput>(world_, log_, store_, ledger_);
    ledger_.change([&](EngineStatus& status) {
      status.origin = log_.log->origin();
      status.trust_anchor = log_.log->trust_anchor();
      status.published_leaves = log_.log->published_size();
      status.last_sealed_seq = log_.log->last_seq();
      status.spool_bytes_max = options_.spool_bytes_max;
      status.notices = notices;
    });
    return {};
  }

  const Positions& positions() const override { return *registry_; }
  InputLog& input_log() override { return ledger_; }
  void add_input(std::string id, std::unique_ptr<Input> input) override {
    reader_->add_later(std::move(id), std::move(input));
    ledger_.wake(Stage::read);
  }

  Step read_step() override { return reader_->step(); }
  Step commit_step() override { return committer_->step(); }
  Step upload_step() override { return output_->step(); }
  std::vector<int> read_descriptors() const override { return reader_->descriptors(); }
  std::int64_t next_read_boot_ns() const override { return reader_->next_boot_ns(); }
  std::int64_t next_commit_boot_ns() const override { return committer_->next_boot_ns(); }
  std::int64_t next_upload_boot_ns() const override { return output_->next_boot_ns(); }
  void finish_reading() override { reader_->finish(); }
  void finish_committing() override { committer_->finish(); }
  bool everything_sent() const override { return committer_->all_sealed() && output_->everything_sent(); }
  void on_wake(Stage stage, std::function<void()> wake) override { ledger_.on_wake(stage, std::move(wake)); }
  void on_trouble(std::function<void(std::string_view, bool)> tell) override { ledger_.on_trouble(std::move(tell)); }
  EngineStatus status() const override { return ledger_.status(); }

 private:
  World world_;
  EngineOptions options_;
  cloud::ObjectStore& store_;
  Ledger ledger_;
  BatchQueue queue_;
  SharedLog log_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<ArchiveOutput> output_;
};

}  // namespace

Result<std::unique_ptr<Engine>> Engine::open(World world, EngineOptions options, const crypto::Secret& spool_key,
                                             cloud::ObjectStore& store) {
  auto engine = std::make_unique<RealEngine>(world, std::move(options), store);
  TRY(engine->open(spool_key));
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace enclave::pipeline
