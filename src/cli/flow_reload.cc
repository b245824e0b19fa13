#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/flow_runner.h"
#include "io/thread_name.h"

/// The reloading of flows: files that changed → what that changes → flows that end, begin, or are replaced.
namespace enclave::cli {
namespace {

using pipeline::LogstashPlan;
using Level = RotatingLog::Level;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kReviveNs = 10 * kSecond;
constexpr auto kNap = std::chrono::milliseconds(20);
constexpr auto kWritten = std::chrono::milliseconds(200);
constexpr int kReadings = 10;
constexpr std::size_t kNamed = 5;

bool contains(const std::vector<std::string>& ids, const std::string& id) {
  return std::ranges::find(ids, id) != ids.end();
}

}  // namespace

std::vector<std::string> FlowRunner::recipes_of(const Planned& planned) const {
  std::vector<std::string> recipes;
  for (const auto& source : planned.flow.sources)
    if (!source.recipe.empty()) recipes.push_back(source.recipe);
  if (planned.wants_inputs && opening_.config != nullptr)
    for (const auto& input : opening_.config->inputs)
      if (input.enabled) recipes.push_back(recipe_of_input(input.id));
  return recipes;
}

void FlowRunner::reload() {
  {
    const std::lock_guard lock(watch_mutex_);
    asked_ = true;
  }
  woken_.notify_all();
}

void FlowRunner::watch() {
  io::name_this_thread("reload");
  Nanoseconds nap = look(false);
  std::unique_lock lock(watch_mutex_);
  while (!over_) {
    woken_.wait_for(lock, nap, [this] { return over_ || asked_; });
    if (over_) return;
    const bool asked = std::exchange(asked_, false);
    lock.unlock();
    nap = look(asked);
    lock.lock();
  }
}

bool FlowRunner::automatic(const Part& part) const { return part.request.reload || part.files->reload().automatic; }

Stamps FlowRunner::watched(const Part& part, const FlowFiles& files) const {
  Stamps stamps = files.stamps();
  const std::string& below = files.reload().only_below;
  if (!part.request.reload && !below.empty())
    std::erase_if(
        stamps, [&](const auto& each) { return !each.first.starts_with(below) || each.first == part.request.path(); });
  return stamps;
}

/// How long there is nothing to look at, unless somebody asks.
Nanoseconds FlowRunner::look(bool asked) {
  std::int64_t next = shell_.world.clock.boot_ns() + 3600 * kSecond;
  for (std::size_t i = 0; i < parts_.size() && !stopping_; ++i) {
    Part& part = parts_[i];
    if (asked) {
      read_anew(i, true);
    } else if (automatic(part) && shell_.world.clock.boot_ns() >= part.look_boot_ns) {
      look_at(i);
    }
    if (automatic(part)) next = std::min(next, part.look_boot_ns);
  }
  const std::int64_t now = shell_.world.clock.boot_ns();
  if (revive()) next = std::min(next, now + kReviveNs);
  return Nanoseconds(std::max<std::int64_t>(next - now, kSecond / 100));
}

void FlowRunner::look_at(std::size_t index) {
  Part& part = parts_[index];
  const auto found = part.wait.look(look_again(shell_.world.files, part.wait.as_read()));
  if (found == QuietWait::Found::quiet) read_anew(index, false);
  std::int64_t every = std::max<std::int64_t>(part.files->reload().every.count(), kSecond / 10);
  if (found == QuietWait::Found::changing) every = std::min(every, kSecond);
  part.look_boot_ns = shell_.world.clock.boot_ns() + every;
}

void FlowRunner::read_anew(std::size_t index, bool asked) {
  Part& part = parts_[index];
  for (int reading = 1; !stopping_; ++reading) {
    Diagnostics diagnostics;
    auto files = std::make_shared<FlowFiles>(shell_);
    auto planned = files->plan(part.request, host_, diagnostics);
    part.wait.read(watched(part, *files));
    // Read while they were written: neither a mistake in them nor its absence says anything.
    if (!same_files(look_again(shell_.world.files, files->stamps()), files->stamps())) {
      if (!asked) return;
      if (reading == kReadings) return refuse(index, fmt::format("{}: it is still being written", part.request.path()));
      std::this_thread::sleep_for(kWritten);
      continue;
    }
    if (const std::string why = why_not(index, planned, diagnostics); !why.empty()) return refuse(index, why);
    note(diagnostics);
    return apply(index, files, std::move(planned), asked);
  }
}

/// Empty: it can be done.
std::string FlowRunner::why_not(std::size_t index, const std::vector<Planned>& planned,
                                const Diagnostics& diagnostics) const {
  const std::string& path = parts_[index].request.path();
  if (diagnostics.has_errors()) return fmt::format("{} cannot be used:\n{}", path, diagnostics.text());
  if (planned.empty()) return fmt::format("{}: no pipeline is left", path);
  bool wanted = false, wants = false;
  for (const auto& one : flows_) wanted = wanted || (one->part == index && one->wants_inputs);
  for (const auto& each : planned) {
    const std::string& id = each.flow.id;
    wants = wants || each.wants_inputs;
    if (each.archive != LogstashPlan::kNoArchive && opening_.engine == nullptr)
      return fmt::format(
          "the pipeline {} writes to the archive, and there is no enclave.yaml that says where it is; "
          "make one with: enclave init, and start again",
          id);
    if (std::ranges::any_of(flows_, [&](const auto& one) { return one->id == id && one->part != index; }))
      return fmt::format("{}: another pipeline that runs has the id {}", path, id);
  }
  if (wants != wanted)
    return fmt::format("{}: a pipeline {} the inputs of enclave.yaml, which needs a restart", path,
                       wants ? "now takes" : "no longer takes");
  return {};
}

void FlowRunner::refuse(std::size_t index, const std::string& why) {
  tell(Level::error, fmt::format("The new configuration is refused, the old one goes on: {}", why));
  const std::lock_guard lock(mutex_);
  for (auto& one : flows_) {
    if (one->part != index) continue;
    ++one->refused;
    if (!one->down) one->trouble = fmt::format("the new configuration is refused, the old one goes on: {}", why);
  }
}

/// What files say now can be used.
void FlowRunner::resolve(std::size_t index) {
  bool any = false;
  {
    const std::lock_guard lock(mutex_);
    for (auto& one : flows_)
      if (one->part == index && !one->down) any = !std::exchange(one->trouble, {}).empty() || any;
  }
  if (any) tell(Level::info, fmt::format("No longer refused: {}", parts_[index].request.path()));
}

FlowRunner::Running* FlowRunner::find(const std::string& id) {
  for (auto& one : flows_)
    if (one->id == id) return one.get();
  return nullptr;
}

void FlowRunner::apply(std::size_t index, const std::shared_ptr<FlowFiles>& files, std::vector<Planned> planned,
                       bool asked) {
  std::vector<KnownFlow> running, wanted;
  for (const auto& one : flows_)
    if (one->part == index) running.push_back({one->id, one->basis, one->reloadable});
  for (const auto& each : planned) wanted.push_back({each.flow.id, each.basis, each.reloadable});
  const FlowChanges changes = changes_between(running, wanted);
  resolve(index);
  parts_[index].files = files;
  tell_changes(changes, planned);
  if (changes.none()) {
    if (asked && changes.held.empty()) tell(Level::info, fmt::format("{}: unchanged", parts_[index].request.path()));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    ++left_;  // that all flows end for a moment is not the end
  }
  retire(changes, planned);
  for (auto& each : planned) {
    const std::string id = each.flow.id;
    const bool is_new = contains(changes.begin, id);
    if (!is_new && !contains(changes.replace, id)) continue;
    if (is_new) {
      auto one = std::make_unique<Running>();
      one->id = id;
      one->part = index;
      const std::lock_guard lock(mutex_);
      flows_.push_back(std::move(one));
    }
    bring_up(*find(id), std::move(each), files, is_new);
  }
  if (stopping_) close_handoffs(false);
  leave();
}

void FlowRunner::tell_changes(const FlowChanges& changes, const std::vector<Planned>& planned) {
  for (const auto& id : changes.held)
    tell(Level::warning, fmt::format("The pipeline {} has changed, and goes on as it is until a restart, because "
                                     "pipeline.reloadable is false",
                                     id));
  for (const auto& id : changes.end) tell(Level::info, fmt::format("The pipeline {} ends: it is no longer there", id));
  for (const auto& each : planned) {
    if (contains(changes.begin, each.flow.id)) tell(Level::info, fmt::format("New pipeline: {}", each.flow.id));
    if (!contains(changes.replace, each.flow.id)) continue;
    tell(Level::info, fmt::format("Reloading the pipeline {}; changed: {}", each.flow.id,
                                  fmt::join(differences(find(each.flow.id)->basis, each.basis, kNamed), ", ")));
  }
}

/// All at once: what one frees, such as a port, another may take.
void FlowRunner::retire(const FlowChanges& changes, const std::vector<Planned>& planned) {
  std::vector<Running*> ending;
  {
    const std::lock_guard lock(mutex_);
    for (auto& one : flows_) {
      const bool replaced = contains(changes.replace, one->id);
      if (!replaced && !contains(changes.end, one->id)) continue;
      ending.push_back(one.get());
      if (one->flow == nullptr) continue;
      one->handing_over = true;
      if (replaced) {
        const auto& next = *std::ranges::find(planned, one->id, [](const Planned& each) { return each.flow.id; });
        one->flow->hand_over(recipes_of(next));
      } else {
        one->flow->stop();
      }
    }
  }
  for (Running* one : ending) {
    if (one->thread.joinable()) one->thread.join();
    if (!one->handing_over || !one->end) continue;
    if (!*one->end)
      tell(Level::error, fmt::format("The pipeline {} ended with an error: {}", one->id, one->end->error().text()));
    else if (**one->end == pipeline::FlowEnd::rest_left)
      tell(Level::warning, fmt::format("The outputs of the pipeline {} are away: what they did not get is read again, "
                                       "where it can be",
                                       one->id));
  }
  std::size_t down = 0;
  {
    const std::lock_guard lock(mutex_);
    for (Running* one : ending)
      if (std::exchange(one->down, false)) ++down;
    std::erase_if(flows_, [&](const auto& one) { return contains(changes.end, one->id); });
  }
  for (; down > 0; --down) leave();
}

/// The engine's positions are where the next flow goes on, so it must have committed what it was given. Where it
/// cannot, because the spool is full, nothing could be read either. False: it is time to stop.
bool FlowRunner::wait_for_archive(const std::string& id) {
  const pipeline::ArchiveHandoff* handoff = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto known = handoffs_.find(id);
    if (known == handoffs_.end()) return true;
    handoff = known->second.get();
  }
  const std::int64_t told_boot_ns = shell_.world.clock.boot_ns() + 10 * kSecond;
  bool told = false;
  while (!handoff->idle()) {
    if (stopping_) return false;
    if (!told && shell_.world.clock.boot_ns() > told_boot_ns) {
      told = true;
      tell(Level::warning, fmt::format("The pipeline {} waits for the archive, which takes nothing", id));
    }
    std::this_thread::sleep_for(kNap);
  }
  return !stopping_;
}

void FlowRunner::bring_up(Running& one, Planned planned, const std::shared_ptr<FlowFiles>& files, bool is_new) {
  if (!wait_for_archive(one.id)) return;
  const bool wants_inputs = planned.wants_inputs, reloadable = planned.reloadable;
  Basis basis = std::move(planned.basis);
  auto flow = open_flow(planned, files, one.estate.get());
  const std::string why = flow ? std::string() : flow.error().text();
  if (flow || is_new) {
    const std::lock_guard lock(mutex_);
    one.wants_inputs = wants_inputs;
    one.reloadable = reloadable;
    one.files = files;
    one.basis = std::move(basis);
  }
  if (flow) return (void)install(one, std::move(*flow), is_new ? Came::anew : Came::reloaded, {});
  if (!is_new) {
    if (auto again = one.files->plan_again(one.id)) {
      auto old = open_flow(*again, one.files, one.estate.get());
      if (old) {
        const std::string trouble = fmt::format("the new configuration does not run, the old one goes on: {}", why);
        tell(Level::error, fmt::format("Trouble ({}): {}", one.id, trouble));
        return (void)install(one, std::move(*old), Came::back, trouble);
      }
    }
  }
  give_up(one, why);
}

/// False: it was told to stop meanwhile.
bool FlowRunner::install(Running& one, std::unique_ptr<pipeline::Flow> flow, Came how, std::string trouble) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return false;
  if (how == Came::reloaded) ++one.reloads;
  if (how == Came::back) ++one.refused;
  one.trouble = std::move(trouble);
  one.flow = std::move(flow);
  ++left_;
  begin(one);
  return true;
}

/// It is tried again now and then.
void FlowRunner::give_up(Running& one, const std::string& why) {
  const std::lock_guard lock(mutex_);
  ++one.refused;
  one.trouble = fmt::format("the pipeline does not run, and is tried again every 10 s: {}", why);
  tell(Level::error, fmt::format("Trouble ({}): {}", one.id, one.trouble));
  if (stopping_) return;
  one.down = true;
  ++left_;
}

/// Whether some are still down.
bool FlowRunner::revive() {
  bool left = false;
  for (auto& one : flows_) {
    if (!one->down || stopping_) continue;
    auto again = one->files->plan_again(one->id);
    auto flow = again ? open_flow(*again, one->files, one->estate.get())
                      : Error{Fault::invalid, "its files cannot be read again"};
    if (!flow || !install(*one, std::move(*flow), Came::anew, {})) {
      left = true;
      continue;
    }
    tell(Level::info, fmt::format("No longer so ({}): the pipeline runs", one->id));
    leave();
  }
  if (stopping_) close_handoffs(false);
  return left;
}

}  // namespace enclave::cli
