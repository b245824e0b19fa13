#include "pipeline/grok/pattern_tables.h"

namespace enclave::pipeline::grok {
namespace {

constexpr Pattern kBoth[] = {
    // Java and what runs in it.
    {"JAVACLASS", R"x((?:[a-zA-Z$_][a-zA-Z$_0-9]*\.)*[a-zA-Z$_][a-zA-Z$_0-9]*)x"},
    {"JAVAFILE", R"x([a-zA-Z$_0-9. -]+)x"},
    {"JAVAMETHOD", R"x((?:<(?:cl)?init>|[a-zA-Z$_][a-zA-Z$_0-9]*))x"},
    {"JAVATHREAD", R"x((?:[A-Z]{2}-Processor[0-9]+))x"},
    {"JAVALOGMESSAGE", R"x(.*)x"},
    {"CATALINA7_DATESTAMP", R"x(%{MONTH} %{MONTHDAY}, %{YEAR} %{HOUR}:%{MINUTE}:%{SECOND} (?:AM|PM))x"},
    {"CATALINA8_DATESTAMP", R"x(%{MONTHDAY}-%{MONTH}-%{YEAR} %{HOUR}:%{MINUTE}:%{SECOND})x"},
    {"CATALINA_DATESTAMP", R"x((?:%{CATALINA8_DATESTAMP}|%{CATALINA7_DATESTAMP}))x"},
    {"CATALINALOG", R"x((?:%{CATALINA8_LOG}|%{CATALINA7_LOG}))x"},
    {"TOMCAT_DATESTAMP", R"x((?:%{CATALINA8_DATESTAMP}|%{CATALINA7_DATESTAMP}|20%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{HOU)x"
                         R"x(R}:?%{MINUTE}(?::?%{SECOND}) %{ISO8601_TIMEZONE}))x"},
    {"MAVEN_VERSION", R"x([0-9]+\.[0-9]+\.[0-9]+(?:[.-](?:RELEASE|SNAPSHOT))?)x"},
    // Ruby.
    {"RUBY_LOGLEVEL", R"x((?:DEBUG|FATAL|ERROR|WARN|INFO))x"},
    {"RUUID", R"x([0-9a-fA-F]{32})x"},
    {"RCLASS", R"x([^#]+)x"},
    {"RAILS_TIMESTAMP", R"x(%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{HOUR}:%{MINUTE}:%{SECOND} %{ISO8601_TIMEZONE})x"},
    // Databases.
    {"REDISTIMESTAMP", R"x(%{MONTHDAY} %{MONTH} %{TIME})x"},
    {"MONGO_WORDDASH", R"x(\b[\w-]+\b)x"},
    {"MONGO3_SEVERITY", R"x(\w)x"},
    {"MONGO3_COMPONENT", R"x((?:%{WORD}|-))x"},
    // Others.
    {"MCOLLECTIVEAUDIT", R"x(%{TIMESTAMP_ISO8601:timestamp}:)x"},
    {"BIND9_TIMESTAMP", R"x(%{MONTHDAY}[-]%{MONTH}[-]%{YEAR} %{TIME})x"},
};

constexpr Pattern kLegacy[] = {
    {"JAVASTACKTRACEPART",
     R"x(%{SPACE}at %{JAVACLASS:class}\.%{JAVAMETHOD:method}\(%{JAVAFILE:file}(?::%{INT:line})?\))x"},
    {"CATALINA7_LOG", R"x(%{CATALINA7_DATESTAMP:timestamp} %{JAVACLASS:class}(?: %{JAVAMETHOD:method})?\s*(?:%{LOG)x"
                      R"x(LEVEL:level}:)? %{JAVALOGMESSAGE:logmessage})x"},
    {"CATALINA8_LOG", R"x(%{CATALINA8_DATESTAMP:timestamp} %{LOGLEVEL:level} \[%{DATA:thread}\] %{JAVACLASS:class})x"
                      R"x(\.%{JAVAMETHOD:method} %{JAVALOGMESSAGE:logmessage})x"},
    {"TOMCATLOG", R"x((?:%{CATALINA8_LOG}|%{CATALINA7_LOG}|%{TOMCAT_DATESTAMP:timestamp} \| %{LOGLEVEL:level} )x"
                  R"x(\| %{JAVACLASS:class} - %{JAVALOGMESSAGE:logmessage}))x"},
    {"RUBY_LOGGER", R"x([DFEWI], \[%{TIMESTAMP_ISO8601:timestamp} #%{POSINT:pid}\] +%{RUBY_LOGLEVEL:loglevel} --)x"
                    R"x( +%{DATA:progname}: %{GREEDYDATA:message})x"},
    {"RCONTROLLER", R"x((?:%{RCLASS:controller})#%{WORD:action})x"},
    {"REDISLOG", R"x(\[%{POSINT:pid}\] %{REDISTIMESTAMP:timestamp} \*)x"},
    {"POSTGRESQL", R"x(%{DATESTAMP:timestamp} %{TZ:tz} %{DATA:user_id} %{GREEDYDATA:connection_id} %{POSINT:pid)x"
                   R"x(})x"},
    {"MONGO_LOG", R"x(%{SYSLOGTIMESTAMP:timestamp} \[%{WORD:component}\] %{GREEDYDATA:message})x"},
    {"MONGO3_LOG", R"x(%{TIMESTAMP_ISO8601:timestamp} %{MONGO3_SEVERITY:severity} +(?:-|%{WORD:component}) +(?:)x"
                   R"x(\[%{DATA:context}\])? %{GREEDYDATA:message})x"},
};

constexpr Pattern kEcs[] = {
    {"JAVASTACKTRACEPART",
     R"x(%{SPACE}at %{JAVACLASS:[java][log][origin][class][name]}\.%{JAVAMETHOD:[log][origin][fun)x"
     R"x(ction]}\(%{JAVAFILE:[log][origin][file][name]}(?::%{INT:[log][origin][file][line]:int})?)x"
     R"x(\))x"},
    {"CATALINA7_LOG", R"x(%{CATALINA7_DATESTAMP:timestamp} %{JAVACLASS:[java][log][origin][class][name]}(?: %{JAVA)x"
                      R"x(METHOD:[log][origin][function]})?\s*(?:%{LOGLEVEL:[log][level]}:)? %{JAVALOGMESSAGE:mess)x"
                      R"x(age})x"},
    {"CATALINA8_LOG", R"x(%{CATALINA8_DATESTAMP:timestamp} %{LOGLEVEL:[log][level]} \[%{DATA:[java][log][origin][t)x"
                      R"x(hread][name]}\] %{JAVACLASS:[java][log][origin][class][name]}\.%{JAVAMETHOD:[log][origin)x"
                      R"x(][function]} %{JAVALOGMESSAGE:message})x"},
    {"TOMCATLOG", R"x((?:%{CATALINA8_LOG}|%{CATALINA7_LOG}|%{TOMCAT_DATESTAMP:timestamp} \| %{LOGLEVEL:[log][l)x"
                  R"x(evel]} \| %{JAVACLASS:[java][log][origin][class][name]} - %{JAVALOGMESSAGE:message}))x"},
    {"RUBY_LOGGER", R"x([DFEWI], \[%{TIMESTAMP_ISO8601:timestamp} #%{POSINT:[process][pid]:int}\] +%{RUBY_LOGLEV)x"
                    R"x(EL:[log][level]} -- +%{DATA:[process][name]}: %{GREEDYDATA:message})x"},
    {"RCONTROLLER", R"x((?:%{RCLASS:[rails][controller][class]})#%{WORD:[rails][controller][action]})x"},
    {"REDISLOG", R"x(\[%{POSINT:[process][pid]:int}\] %{REDISTIMESTAMP:timestamp} \*)x"},
    {"POSTGRESQL", R"x(%{DATESTAMP:timestamp} %{TZ:[event][timezone]} %{DATA:[user][name]} %{GREEDYDATA:[postgr)x"
                   R"x(esql][log][connection_id]} %{POSINT:[process][pid]:int})x"},
    {"MONGO_LOG", R"x(%{SYSLOGTIMESTAMP:timestamp} \[%{WORD:[mongodb][component]}\] %{GREEDYDATA:message})x"},
    {"MONGO3_LOG", R"x(%{TIMESTAMP_ISO8601:timestamp} %{MONGO3_SEVERITY:[log][level]} +(?:-|%{WORD:[mongodb][co)x"
                   R"x(mponent]}) +(?:\[%{DATA:[mongodb][context]}\])? %{GREEDYDATA:message})x"},
};

}  // namespace

const PatternFamily family_services = {"services", kBoth, kLegacy, kEcs};

}  // namespace enclave::pipeline::grok
