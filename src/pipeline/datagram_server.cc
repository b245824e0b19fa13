#include "pipeline/datagram_server.h"

#include <algorithm>

namespace enclave::pipeline {
namespace {
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kFieldsMax = 128;
}  // namespace

Result<std::unique_ptr<DatagramServer>> DatagramServer::open(const DatagramOptions& options, World world, InputLog& log,
                                                             std::shared_ptr<PeerSources> sources) {
  auto socket = TRY(io::DatagramSocket::open(options.host, options.port, options.receive_buffer_bytes));
  std::unique_ptr<DatagramServer> made(new DatagramServer(options, world, log, std::move(sources), std::move(socket)));
  return made;
}

std::int64_t DatagramServer::next_poll_boot_ns() const { return world_.clock.boot_ns() + kSecond; }

Result<Input::Polled> DatagramServer::poll(event::Batch& batch, std::size_t budget) {
  Polled polled = Polled::more;
  while (batch.bytes() < budget) {
    const auto memory = batch.allocate(options_.message_bytes_max);
    const auto got = socket_.receive(memory);
    const std::size_t kept = got && *got ? std::min((*got)->bytes, memory.size()) : 0;
    batch.shrink_last(memory.size() - kept);
    if (!got) return got.error();
    if (!*got) {
      polled = Polled::idle;
      break;
    }
    const io::DatagramPeer& sender = (*got)->sender;
    if (last_peer_ == nullptr || sender.address != last_address_) {
      last_address_ = sender.address;
      last_text_ = sender.text();
      last_peer_ = &sources_->of(last_text_);
    }
    const auto fields = batch.allocate(kFieldsMax);
    const auto written = fmt::format_to_n(fields.data(), fields.size(), R"("source":{{"address":"{}","port":{}}})",
                                          last_text_, sender.port);
    batch.shrink_last(fields.size() - written.size);
    PeerSources::Adding adding(batch, *last_peer_);
    event::Event& event = adding.add({memory.data(), kept}, event::Eol::none, {fields.data(), written.size});
    event.cut_bytes = (*got)->bytes - kept;
    if (event.cut_bytes > 0) log_.count("lines_cut", 1);
  }
  look_at_dropped();
  return polled;
}

Result<Input::Polled> DatagramServer::finish(event::Batch& batch, std::size_t budget) {
  const Polled polled = TRY(poll(batch, budget));
  return polled == Polled::more ? polled : Polled::end;
}

void DatagramServer::look_at_dropped() {
  if (socket_.dropped() == dropped_) return;
  log_.count("datagrams_lost", static_cast<std::int64_t>(socket_.dropped() - dropped_));
  dropped_ = socket_.dropped();
  log_.trouble(fmt::format("{} {}", options_.kind, options_.port),
               fmt::format("{} on {} UDP port {}: the kernel dropped {} datagrams so far because nobody read them in "
                           "time; a larger receive_buffer_bytes (and net.core.rmem_max) keeps more",
                           options_.kind, options_.host, options_.port, dropped_));
}

Result<Input::Polled> PairedInput::poll(event::Batch& batch, std::size_t budget) {
  turn_ = !turn_;
  const Polled first = TRY(inputs_[turn_ ? 0 : 1]->poll(batch, budget));
  const Polled second = TRY(inputs_[turn_ ? 1 : 0]->poll(batch, budget));
  if (first == Polled::end && second == Polled::end) return Polled::end;
  return first == Polled::more || second == Polled::more ? Polled::more : Polled::idle;
}

Result<Input::Polled> PairedInput::finish(event::Batch& batch, std::size_t budget) {
  Polled all = Polled::end;
  for (const auto& input : inputs_)
    if (TRY(input->finish(batch, budget)) == Polled::more) all = Polled::more;
  return all;
}

void PairedInput::blocked() {
  for (const auto& input : inputs_) input->blocked();
}

void PairedInput::committed(const event::Batch& batch) {
  for (const auto& input : inputs_) input->committed(batch);
}

std::vector<int> PairedInput::descriptors() const {
  std::vector<int> all;
  for (const auto& input : inputs_)
    for (const int one : input->descriptors()) all.push_back(one);
  return all;
}

std::int64_t PairedInput::next_poll_boot_ns() const {
  return std::min(inputs_[0]->next_poll_boot_ns(), inputs_[1]->next_poll_boot_ns());
}

}  // namespace enclave::pipeline
