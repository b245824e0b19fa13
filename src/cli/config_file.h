#pragma once

#include "cli/verb.h"
#include "pipeline/config/config.h"

/// Which enclave.yaml a verb works with.
namespace enclave::cli {

inline constexpr OptionSpec kConfigOption{
    'c', "config", "FILE", "The configuration. Default: /etc/enclave/enclave.yaml.", false, Completes::file, {}};
inline constexpr OptionSpec kDirOption{
    0,     "dir",
    "DIR", "Everything below DIR: the configuration is DIR/enclave.yaml, the state DIR/state.",
    false, Completes::directory,
    {}};

inline constexpr OptionSpec kLogstashOption{
    0,     "logstash",      "PATH", "A Logstash configuration: a file, a folder, a glob, or pipelines.yml.",
    false, Completes::file, {}};

inline constexpr OptionSpec kFilebeatOption{0, "filebeat", "FILE", "A filebeat.yml.", false, Completes::file, {}};
inline constexpr OptionSpec kMetricsOption{
    0,
    "metrics",
    "ADDRESS:PORT",
    "Answer GET /metrics and GET /healthz there, whatever the files say; off: nowhere.",
    false,
    Completes::nothing,
    {}};
inline constexpr std::string_view kGenerations[] = {"6", "7", "8"};
inline constexpr OptionSpec kCompatOption{
    0,           "compat",
    "N",         "The generation of Filebeat whose events are made; else guessed from the keys of its file.",
    false,       Completes::nothing,
    kGenerations};

/// Absolute. Fault::invalid when both --config and --dir are given.
Result<std::string> config_path(const Arguments& arguments, const Shell& shell);

/// The state directory that run and up use with these options, so also of flows that run without an enclave.yaml.
Result<std::string> state_directory(const Arguments& arguments, Shell& shell);
/// That of flows which run without an enclave.yaml; `path`: where it would be.
std::string flow_state(const Arguments& arguments, const std::string& path);

/// `path` seen from the working directory.
std::string absolute_path(const Shell& shell, std::string_view path);

/// Where this user can keep what the state directory does not take; empty: nowhere.
std::string user_state(const Shell& shell);

/// Loads and checks. What is wrong has been written to shell.err when it fails; the Error is the exit status's reason.
Result<pipeline::Config> load(const Arguments& arguments, Shell& shell);

/// "enclave run: text", to shell.err. Gives kUsage for Fault::invalid when the text begins with the name of an option
/// ("--limit: …"), else kFailed.
int fail(Shell& shell, std::string_view verb, const Error& error);

}  // namespace enclave::cli
