#include "pipeline/grok/pattern_tables.h"

namespace enclave::pipeline::grok {
namespace {

constexpr Pattern kBoth[] = {
    {"SYSLOG5424PRINTASCII", R"x([!-~]+)x"},
    {"CRON_ACTION", R"x([A-Z ]+)x"},
    {"SYSLOG5424SD", R"x((?:\[[^\s=\]"]+(?: [^\s=\]"]+="(?:[^"\\]|\\.)*")*\])+)x"},
};

constexpr Pattern kLegacy[] = {
    {"SYSLOGBASE2", R"x((?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) (?:%{SYSLOGFACILITY})x"
                    R"x( )?%{SYSLOGHOST:logsource}(?: %{SYSLOGPROG}:)?)x"},
    {"SYSLOGPAMSESSION", R"x(%{SYSLOGBASE} (?=%{GREEDYDATA:message})%{WORD:pam_module}\(%{DATA:pam_caller}\): session)x"
                         R"x( %{WORD:pam_session_state} for user %{USERNAME:username}(?:\(uid=[0-9]+\))?(?: by %{GREE)x"
                         R"x(DYDATA:pam_by})?)x"},
    {"CRONLOG", R"x(%{SYSLOGBASE} \(%{USER:user}\) %{CRON_ACTION:action} \(%{DATA:message}\))x"},
    {"SYSLOGLINE", R"x(%{SYSLOGBASE2} %{GREEDYDATA:message})x"},
    {"SYSLOG5424PRI", R"x(<%{NONNEGINT:syslog5424_pri}>)x"},
    {"SYSLOG5424BASE", R"x(%{SYSLOG5424PRI}%{NONNEGINT:syslog5424_ver} +(?:-|%{TIMESTAMP_ISO8601:syslog5424_ts}) +()x"
                       R"x(?:-|%{IPORHOST:syslog5424_host}) +(?:-|%{SYSLOG5424PRINTASCII:syslog5424_app}) +(?:-|%{S)x"
                       R"x(YSLOG5424PRINTASCII:syslog5424_proc}) +(?:-|%{SYSLOG5424PRINTASCII:syslog5424_msgid}) +()x"
                       R"x(?:-|%{SYSLOG5424SD:syslog5424_sd})?)x"},
    {"SYSLOG5424LINE", R"x(%{SYSLOG5424BASE} +%{GREEDYDATA:syslog5424_msg})x"},
};

constexpr Pattern kEcs[] = {
    {"SYSLOGBASE2", R"x((?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp}) (?:%{SYSLOGFACILITY} )?%)x"
                    R"x({SYSLOGHOST:[host][hostname]}(?: %{SYSLOGPROG}:)?)x"},
    {"SYSLOGPAMSESSION",
     R"x(%{SYSLOGBASE} (?=%{GREEDYDATA:message})%{WORD:[system][auth][pam][module]}\(%{DATA:[syst)x"
     R"x(em][auth][pam][origin]}\): session %{WORD:[system][auth][pam][session_state]} for user %)x"
     R"x({USERNAME:[user][name]}(?:\(uid=[0-9]+\))?(?: by %{GREEDYDATA:[system][auth][pam][by]})?)x"},
    {"CRONLOG", R"x(%{SYSLOGBASE} \(%{USER:[user][name]}\) %{CRON_ACTION:[system][cron][action]} \(%{DATA:me)x"
                R"x(ssage}\))x"},
    {"SYSLOGLINE", R"x(%{SYSLOGBASE2} %{GREEDYDATA:message})x"},
    {"SYSLOG5424PRI", R"x(<%{NONNEGINT:[log][syslog][priority]:int}>)x"},
    {"SYSLOG5424BASE", R"x(%{SYSLOG5424PRI}%{NONNEGINT:[system][syslog][version]} +(?:-|%{TIMESTAMP_ISO8601:timesta)x"
                       R"x(mp}) +(?:-|%{IPORHOST:[host][hostname]}) +(?:-|%{SYSLOG5424PRINTASCII:[process][name]}) )x"
                       R"x(+(?:-|%{POSINT:[process][pid]:int}|%{SYSLOG5424PRINTASCII:[process][name]}) +(?:-|%{SYSL)x"
                       R"x(OG5424PRINTASCII:[event][code]}) +(?:-|%{SYSLOG5424SD:[system][syslog][structured_data]})x"
                       R"x()?)x"},
    {"SYSLOG5424LINE", R"x(%{SYSLOG5424BASE} +%{GREEDYDATA:message})x"},
};

}  // namespace

const PatternFamily family_syslog = {"linux-syslog", kBoth, kLegacy, kEcs};

}  // namespace enclave::pipeline::grok
