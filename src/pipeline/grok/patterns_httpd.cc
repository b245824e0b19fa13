#include "pipeline/grok/pattern_tables.h"

namespace enclave::pipeline::grok {
namespace {

constexpr Pattern kBoth[] = {
    {"HTTPDUSER", R"x((?:%{EMAILADDRESS}|%{USER}))x"},
    {"HTTPDERROR_DATE", R"x(%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{YEAR})x"},
    {"HTTPD_ERRORLOG", R"x((?:%{HTTPD20_ERRORLOG}|%{HTTPD24_ERRORLOG}))x"},
    {"COMMONAPACHELOG", R"x(%{HTTPD_COMMONLOG})x"},
    {"COMBINEDAPACHELOG", R"x(%{HTTPD_COMBINEDLOG})x"},
};

constexpr Pattern kLegacy[] = {
    {"HTTPD_COMMONLOG", R"x(%{IPORHOST:clientip} %{HTTPDUSER:ident} %{HTTPDUSER:auth} \[%{HTTPDATE:timestamp}\] "(?:)x"
                        R"x(%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})" (?)x"
                        R"x(:-|%{NUMBER:response}) (?:-|%{NUMBER:bytes}))x"},
    {"HTTPD_COMBINEDLOG", R"x(%{HTTPD_COMMONLOG} %{QS:referrer} %{QS:agent})x"},
    {"HTTPD20_ERRORLOG", R"x(\[%{HTTPDERROR_DATE:timestamp}\] \[%{LOGLEVEL:loglevel}\] (?:\[client %{IPORHOST:clienti)x"
                         R"x(p}\] )?%{GREEDYDATA:errormsg})x"},
    {"HTTPD24_ERRORLOG", R"x(\[%{HTTPDERROR_DATE:timestamp}\] \[(?:%{WORD:module})?:%{LOGLEVEL:loglevel}\] \[pid %{PO)x"
                         R"x(SINT:pid}(?::tid %{INT:tid})?\](?: \(%{POSINT:proxy_errorcode}\)%{DATA:proxy_message}:)?)x"
                         R"x((?: \[client %{IPORHOST:clientip}(?::%{POSINT:clientport})?\])?(?: %{DATA:errorcode}:)? )x"
                         R"x(%{GREEDYDATA:message})x"},
};

constexpr Pattern kEcs[] = {
    {"HTTPD_COMMONLOG", R"x(%{IPORHOST:[source][address]} (?:-|%{HTTPDUSER:[apache][access][user][identity]}) (?:-|%)x"
                        R"x({HTTPDUSER:[user][name]}) \[%{HTTPDATE:timestamp}\] "(?:%{WORD:[http][request][method]} )x"
                        R"x(%{NOTSPACE:[url][original]}(?: HTTP/%{NUMBER:[http][version]})?|%{DATA})" (?:-|%{INT:[ht)x"
                        R"x(tp][response][status_code]:int}) (?:-|%{INT:[http][response][body][bytes]:int}))x"},
    {"HTTPD_COMBINEDLOG",
     R"x(%{HTTPD_COMMONLOG} "(?:-|%{DATA:[http][request][referrer]})" "(?:-|%{DATA:[user_agent][o)x"
     R"x(riginal]})")x"},
    {"HTTPD20_ERRORLOG", R"x(\[%{HTTPDERROR_DATE:timestamp}\] \[%{LOGLEVEL:[log][level]}\] (?:\[client %{IPORHOST:[so)x"
                         R"x(urce][address]}\] )?%{GREEDYDATA:message})x"},
    {"HTTPD24_ERRORLOG", R"x(\[%{HTTPDERROR_DATE:timestamp}\] \[(?:%{WORD:[apache][error][module]})?:%{LOGLEVEL:[log])x"
                         R"x([level]}\] \[pid %{POSINT:[process][pid]:int}(?::tid %{INT:[process][thread][id]:int})?\)x"
                         R"x(](?: \(%{POSINT:[apache][error][proxy][error][code]}\)%{DATA:[apache][error][proxy][erro)x"
                         R"x(r][message]}:)?(?: \[client %{IPORHOST:[source][address]}(?::%{POSINT:[source][port]:int)x"
                         R"x(})?\])?(?: %{DATA:[error][code]}:)? %{GREEDYDATA:message})x"},
};

}  // namespace

const PatternFamily family_httpd = {"httpd", kBoth, kLegacy, kEcs};

}  // namespace enclave::pipeline::grok
