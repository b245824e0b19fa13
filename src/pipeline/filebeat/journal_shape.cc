#include "pipeline/filebeat/journal_shape.h"

#include <charconv>

#include "pipeline/filebeat/event_keys.h"

namespace enclave::pipeline::filebeat {
namespace {

using event::Kind;
using event::Value;

struct Name {
  std::string_view journal, event;
  bool number = false;
};

constexpr Name kNames[] = {{"COREDUMP_UNIT", "journald.coredump.unit"},
                           {"COREDUMP_USER_UNIT", "journald.coredump.user_unit"},
                           {"OBJECT_AUDIT_LOGINUID", "journald.object.audit.login_uid", true},
                           {"OBJECT_AUDIT_SESSION", "journald.object.audit.session", true},
                           {"OBJECT_CMDLINE", "journald.object.process.command_line"},
                           {"OBJECT_COMM", "journald.object.process.name"},
                           {"OBJECT_EXE", "journald.object.process.executable"},
                           {"OBJECT_GID", "journald.object.gid", true},
                           {"OBJECT_PID", "journald.object.pid", true},
                           {"OBJECT_UID", "journald.object.uid", true},
                           {"_KERNEL_DEVICE", "journald.kernel.device"},
                           {"_KERNEL_SUBSYSTEM", "journald.kernel.subsystem"},
                           {"_SYSTEMD_INVOCATION_ID", "systemd.invocation_id"},
                           {"_UDEV_DEVLINK", "journald.kernel.device_symlinks"},
                           {"_UDEV_DEVNODE", "journald.kernel.device_node_path"},
                           {"_UDEV_SYSNAME", "journald.kernel.device_name"},
                           {"_AUDIT_LOGINUID", "process.audit.login_uid", true},
                           {"_AUDIT_SESSION", "process.audit.session"},
                           {"_BOOT_ID", "journald.host.boot_id"},
                           {"_CAP_EFFECTIVE", "process.capabilites"},
                           {"_CMDLINE", "process.command_line"},
                           {"_CODE_FILE", "journald.code.file"},
                           {"CODE_FILE", "journald.code.file"},
                           {"CODE_FUNC", "journald.code.func"},
                           {"CODE_LINE", "journald.code.line", true},
                           {"_COMM", "process.name"},
                           {"_EXE", "process.executable"},
                           {"_GID", "journald.gid", true},
                           {"_HOSTNAME", "host.hostname"},
                           {"_MACHINE_ID", "host.id"},
                           {"MESSAGE_ID", "message_id"},
                           {"_PID", "journald.pid", true},
                           {"PRIORITY", "syslog.priority", true},
                           {"SYSLOG_FACILITY", "syslog.facility", true},
                           {"SYSLOG_IDENTIFIER", "syslog.identifier"},
                           {"SYSLOG_PID", "syslog.pid", true},
                           {"_SYSTEMD_CGROUP", "systemd.cgroup"},
                           {"_SYSTEMD_OWNER_UID", "systemd.owner_uid", true},
                           {"_SYSTEMD_SESSION", "systemd.session"},
                           {"_SYSTEMD_SLICE", "systemd.slice"},
                           {"_SYSTEMD_UNIT", "systemd.unit"},
                           {"_SYSTEMD_USER_SLICE", "systemd.user_slice"},
                           {"_SYSTEMD_USER_UNIT", "systemd.user_unit"},
                           {"_TRANSPORT", "systemd.transport"},
                           {"_UID", "journald.uid", true}};

Value as_number(const Value& value) {
  if (!value.is(Kind::text)) return value;
  std::int64_t number = 0;
  const auto text = value.text();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? Value::of(number) : value;
}

void put_other(event::Document& into, std::string_view name, const Value& value) {
  std::string lower = "journald.custom.";
  while (name.starts_with('_')) name.remove_prefix(1);
  for (const char c : name) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  put_key(into.arena(), into.root(), into.arena().store(lower), value);
}

}  // namespace

void shape_journal(const event::Event& from, FilterRun& run, event::Document& into) {
  if (from.fields.empty()) return;
  run.scratch.assign("{").append(from.fields).append("}");
  const auto read = run.json.read(run.scratch, into.arena());
  const event::Value* const journal = read ? read->find("journal") : nullptr;
  if (journal == nullptr || !journal->is(Kind::map)) return;
  for (const event::Member& member : journal->members()) {
    if (member.name == "__REALTIME_TIMESTAMP" || member.name == "_SOURCE_REALTIME_TIMESTAMP") {
      const event::Value time = as_number(member.value);
      if (member.name.starts_with("__") && time.is(Kind::integer)) into.set_wall_ns(time.integer() * 1000);
      continue;
    }
    const Name* known = nullptr;
    for (const auto& name : kNames)
      if (name.journal == member.name) known = &name;
    if (known == nullptr) {
      put_other(into, member.name, member.value);
    } else {
      put_key(into.arena(), into.root(), known->event, known->number ? as_number(member.value) : member.value);
    }
  }
}

}  // namespace enclave::pipeline::filebeat
