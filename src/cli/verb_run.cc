#include "base/files.h"
#include "cli/check_files.h"
#include "cli/config_file.h"
#include "cli/metrics_server.h"
#include "cli/session.h"
#include "cli/verbs.h"

namespace enclave::cli {
namespace {

int run(const Arguments& arguments, Shell& shell) {
  if (arguments.has("explain-line") && !arguments.has("logstash") && !arguments.has("filebeat")) {
    shell.err << "enclave run: --explain-line needs --logstash or --filebeat, whose filters to explain\n";
    return kUsage;
  }
  if (arguments.has("explain-line")) return explain_line(arguments, shell);
  if (arguments.has("reload") && arguments.has("once")) {
    shell.err << "enclave run: --reload and --once exclude each other\n";
    return kUsage;
  }
  SessionOptions options{arguments.has("once"), arguments.has("json"), {}, arguments.value("metrics")};
  if (const auto good = check_metrics_option(options.metrics); !good) return fail(shell, "run", good.error());
  if (arguments.has("logstash")) options.flows.logstash = absolute_path(shell, arguments.value("logstash"));
  if (arguments.has("filebeat")) options.flows.filebeat = absolute_path(shell, arguments.value("filebeat"));
  options.flows.reload = arguments.has("reload");
  options.flows.compat = arguments.value("compat");
  const auto path = config_path(arguments, shell);
  if (!path) return fail(shell, "run", path.error());
  // Whoever only wants Filebeat's and Logstash's jobs done needs no enclave.yaml.
  if (options.flows.any() && !arguments.has("config") && !shell.world.files.info(*path).has_value()) {
    const auto status = run_flows(flow_state(arguments, *path), options, shell);
    return status ? *status : fail(shell, "run", status.error());
  }
  const auto config = load(arguments, shell);
  if (!config) return fail(shell, "run", config.error());
  const auto status = run_session(*config, options, shell);
  return status ? *status : fail(shell, "run", status.error());
}

constexpr OptionSpec kOptions[] = {
    kConfigOption,
    kDirOption,
    {0, "once", "", "Read every input to its end, seal, send, and stop.", false, Completes::nothing, {}},
    kLogstashOption,
    kFilebeatOption,
    kCompatOption,
    {0,
     "reload",
     "",
     "Read the files of --logstash, --filebeat and logging: pipeline: again when one of them changes.",
     false,
     Completes::nothing,
     {}},
    kMetricsOption,
    {0, "explain-line", "TEXT",
     "Show what each filter of --logstash or processor of --filebeat does to this line, and stop."}};
constexpr StatusSpec kStatuses[] = {
    {kGood, "stopped when told to, or all is read, sealed and sent"},
    {kFailed, "it could not start, or with --once not all could be sent: the rest waits on this disk"}};
constexpr Example kExamples[] = {{"enclave run", "Until SIGTERM or Ctrl-C."},
                                 {"enclave run --once --json", "For a cron job; prints what status.json holds."},
                                 {"enclave run --logstash pipeline.conf --explain-line 'text'",
                                  "What each filter did to the line, and how far a grok pattern got."}};

}  // namespace

const Verb verb_run{
    .name = "run",
    .summary = "read the logs, seal them and send them, until told to stop",
    .description =
        "Reads the inputs of enclave.yaml, keeps what it read on this disk until it is sealed, seals it in encrypted "
        "objects under a tamper-evident log, and sends them to the log bucket. A store that is away loses nothing: "
        "what "
        "is sealed waits. SIGINT and SIGTERM end it cleanly; a second one ends it at once, and loses nothing "
        "either.\n\n"
        "--logstash runs Logstash's pipelines and --filebeat what filebeat.yml says, as they are: inputs, filters and "
        "outputs. A pipeline without inputs gets those of enclave.yaml; one without outputs, and the output archive, "
        "go to the log bucket. Without an enclave.yaml they run alone. logging: pipeline: in enclave.yaml names a "
        "Logstash configuration of which only the filters are used.\n\n"
        "SIGHUP reads these files again, and so does a change of one of them with --reload, with "
        "config.reload.automatic: true in logstash.yml, and for the files of filebeat.config.inputs with "
        "reload.enabled: true. A configuration with mistakes is refused and the old one goes on. Only pipelines that "
        "changed are replaced. enclave.yaml itself is read at the start only.\n\n"
        "At the first start it makes the log identity, unless recipients are configured, and says where it lies.",
    .options = kOptions,
    .operands = {},
    .statuses = kStatuses,
    .examples = kExamples,
    .run = run};

}  // namespace enclave::cli
