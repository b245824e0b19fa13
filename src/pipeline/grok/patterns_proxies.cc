#include "pipeline/grok/pattern_tables.h"

/// Proxies, caches and firewalls: HAProxy, Squid, Amazon's logs of S3 and ELB, Redis' monitor, Cisco's head.
namespace enclave::pipeline::grok {
namespace {

constexpr Pattern kBoth[] = {
    {"HAPROXYTIME", R"x((?<![0-9])%{HOUR}:%{MINUTE}:%{SECOND}(?![0-9]))x"},
    {"HAPROXYDATE", R"x(%{MONTHDAY}/%{MONTH}/%{YEAR}:%{HAPROXYTIME})x"},
    {"ELB_URIPATHPARAM", R"x(%{URIPATH:path}(?:%{URIPARAM:params})?)x"},
    {"ELB_URI", R"x(%{URIPROTO:proto}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST:urihost})?(?:%{ELB_URIPATHP)x"
                R"x(ARAM})?)x"},
    {"ELB_REQUEST_LINE", R"x((?:%{WORD:verb} %{ELB_URI:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest)x"
                         R"x(}))x"},
    {"ELB_ACCESS_LOG", R"x(%{TIMESTAMP_ISO8601:timestamp} %{NOTSPACE:elb} %{IP:clientip}:%{INT:clientport:int} )x"
                       R"x((?:-|%{IP:backendip}:%{INT:backendport:int}) %{NUMBER:request_processing_time:float})x"
                       R"x( %{NUMBER:backend_processing_time:float} %{NUMBER:response_processing_time:float} %{)x"
                       R"x(INT:response:int} %{INT:backend_response:int} %{INT:received_bytes:int} %{INT:bytes:)x"
                       R"x(int} "%{ELB_REQUEST_LINE}")x"},
    {"CISCOTIMESTAMP", R"x(%{MONTH} +%{MONTHDAY}(?: %{YEAR})? %{TIME})x"},
    {"CISCOTAG", R"x([A-Z0-9]+-%{INT}-[A-Z0-9_]+)x"},
};

constexpr Pattern kLegacy[] = {
    {"HAPROXYCAPTUREDREQUESTHEADERS", R"x(%{DATA:captured_request_headers})x"},
    {"HAPROXYCAPTUREDRESPONSEHEADERS", R"x(%{DATA:captured_response_headers})x"},
    {"HAPROXYHTTPREQUESTLINE",
     R"x((?:<BADREQ>|%{WORD:http_verb} (?:%{URIPROTO:http_proto}://)?(?:%{USER:http_user}(?::)x"
     R"x([^@ ]*)?@)?(?:%{URIHOST:http_host})?(?:%{URIPATHPARAM:http_request})?(?: HTTP/%{NUMB)x"
     R"x(ER:http_version})?))x"},
    {"HAPROXYHTTPBASE", R"x(%{IP:client_ip}:%{INT:client_port} \[%{HAPROXYDATE:accept_date}\] %{NOTSPACE:fronten)x"
                        R"x(d_name} %{NOTSPACE:backend_name}/%{NOTSPACE:server_name} %{INT:time_request}/%{INT:t)x"
                        R"x(ime_queue}/%{INT:time_backend_connect}/%{INT:time_backend_response}/%{NOTSPACE:time_)x"
                        R"x(duration} %{INT:http_status_code} %{NOTSPACE:bytes_read} %{DATA:captured_request_coo)x"
                        R"x(kie} %{DATA:captured_response_cookie} %{NOTSPACE:termination_state} %{INT:actconn}/%)x"
                        R"x({INT:feconn}/%{INT:beconn}/%{INT:srvconn}/%{NOTSPACE:retries} %{INT:srv_queue}/%{INT)x"
                        R"x(:backend_queue}(?: +\{%{HAPROXYCAPTUREDREQUESTHEADERS}\})?(?: +\{%{HAPROXYCAPTUREDRE)x"
                        R"x(SPONSEHEADERS}\})?(?: +"%{HAPROXYHTTPREQUESTLINE}"?)?)x"},
    {"HAPROXYHTTP", R"x((?:%{SYSLOGTIMESTAMP:syslog_timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) %{IPORHOS)x"
                    R"x(T:syslog_server} %{SYSLOGPROG}: %{HAPROXYHTTPBASE})x"},
    {"HAPROXYTCP", R"x((?:%{SYSLOGTIMESTAMP:syslog_timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) %{IPORHOS)x"
                   R"x(T:syslog_server} %{SYSLOGPROG}: %{IP:client_ip}:%{INT:client_port} \[%{HAPROXYDATE:a)x"
                   R"x(ccept_date}\] %{NOTSPACE:frontend_name} %{NOTSPACE:backend_name}/%{NOTSPACE:server_n)x"
                   R"x(ame} %{INT:time_queue}/%{INT:time_backend_connect}/%{NOTSPACE:time_duration} %{NOTSP)x"
                   R"x(ACE:bytes_read} %{NOTSPACE:termination_state} %{INT:actconn}/%{INT:feconn}/%{INT:bec)x"
                   R"x(onn}/%{INT:srvconn}/%{NOTSPACE:retries} %{INT:srv_queue}/%{INT:backend_queue})x"},
    {"S3_REQUEST_LINE", R"x((?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawreques)x"
                        R"x(t}))x"},
    {"S3_ACCESS_LOG", R"x(%{WORD:owner} %{NOTSPACE:bucket} \[%{HTTPDATE:timestamp}\] %{IP:clientip} %{NOTSPACE)x"
                      R"x(:requester} %{NOTSPACE:request_id} %{NOTSPACE:operation} %{NOTSPACE:key} (?:-|"%{S3_)x"
                      R"x(REQUEST_LINE}") (?:-|%{INT:response:int}) (?:-|%{NOTSPACE:error_code}) (?:-|%{INT:by)x"
                      R"x(tes:int}) (?:-|%{INT:object_size:int}) (?:-|%{INT:request_time_ms:int}) (?:-|%{INT:t)x"
                      R"x(urnaround_time_ms:int}) (?:-|%{QS:referrer}) (?:-|"?%{QS:agent}"?) (?:-|%{NOTSPACE:v)x"
                      R"x(ersion_id}))x"},
    {"SQUID3_STATUS", R"x(%{NUMBER:status_code})x"},
    {"SQUID3", R"x(%{NUMBER:timestamp}\s+%{NUMBER:duration}\s%{IP:client_address}\s%{WORD:cache_result})x"
               R"x(/%{SQUID3_STATUS}\s%{INT:bytes}\s%{WORD:request_method}\s%{NOTSPACE:url}\s(?:%{NOTSP)x"
               R"x(ACE:user}|-)\s%{WORD:hierarchy_code}/(?:-|%{IPORHOST:server})\s(?:%{NOTSPACE:content)x"
               R"x(_type}|-))x"},
    {"REDISMONLOG", R"x(%{NUMBER:timestamp} \[%{INT:database} %{IP:client}:%{POSINT:port}\] "%{WORD:command})x"
                    R"x("\s?%{GREEDYDATA:params})x"},
    {"CISCO_TAGGED_SYSLOG", R"x(^<%{POSINT:syslog_pri}>%{CISCOTIMESTAMP:timestamp}(?: %{SYSLOGHOST:sysloghost})? ?: )x"
                            R"x(%%{CISCOTAG:ciscotag}:)x"},
};

constexpr Pattern kEcs[] = {
    {"HAPROXYCAPTUREDREQUESTHEADERS", R"x(%{DATA:[haproxy][http][request][captured_headers]})x"},
    {"HAPROXYCAPTUREDRESPONSEHEADERS", R"x(%{DATA:[haproxy][http][response][captured_headers]})x"},
    {"HAPROXYURI", R"x((?:%{URIPROTO:[url][scheme]}://)?(?:%{USER:[url][username]}(?::[^@ ]*)?@)?(?:%{IPORH)x"
                   R"x(OST:[url][domain]}(?::%{POSINT:[url][port]:int})?)?(?:%{URIPATH:[url][path]})?(?:\?%)x"
                   R"x({URIQUERY:[url][query]})?)x"},
    {"HAPROXYHTTPREQUESTLINE",
     R"x((?:<BADREQ>|%{WORD:[http][request][method]} %{HAPROXYURI:[url][original]}(?: HTTP/%{)x"
     R"x(NUMBER:[http][version]})?))x"},
    {"HAPROXYHTTPBASE", R"x(%{IP:[source][address]}:%{INT:[source][port]:int} \[%{HAPROXYDATE:[haproxy][request_)x"
                        R"x(date]}\] %{NOTSPACE:[haproxy][frontend_name]} %{NOTSPACE:[haproxy][backend_name]}/(?)x"
                        R"x(:<NOSRV>|%{NOTSPACE:[haproxy][server_name]}) (?:-1|%{INT:[haproxy][http][request][ti)x"
                        R"x(me_wait_ms]:int})/(?:-1|%{INT:[haproxy][total_waiting_time_ms]:int})/(?:-1|%{INT:[ha)x"
                        R"x(proxy][connection_wait_time_ms]:int})/(?:-1|%{INT:[haproxy][http][request][time_wait)x"
                        R"x(_without_data_ms]:int})/%{NOTSPACE:[haproxy][total_time_ms]} %{INT:[http][response][)x"
                        R"x(status_code]:int} %{NOTSPACE:[source][bytes]:int} (?:-|%{DATA:[haproxy][http][reques)x"
                        R"x(t][captured_cookie]}) (?:-|%{DATA:[haproxy][http][response][captured_cookie]}) %{NOT)x"
                        R"x(SPACE:[haproxy][termination_state]} %{INT:[haproxy][connections][active]:int}/%{INT:)x"
                        R"x([haproxy][connections][frontend]:int}/%{INT:[haproxy][connections][backend]:int}/%{I)x"
                        R"x(NT:[haproxy][connections][server]:int}/%{NOTSPACE:[haproxy][connections][retries]:in)x"
                        R"x(t} %{INT:[haproxy][server_queue]:int}/%{INT:[haproxy][backend_queue]:int}(?: +\{%{HA)x"
                        R"x(PROXYCAPTUREDREQUESTHEADERS}\})?(?: +\{%{HAPROXYCAPTUREDRESPONSEHEADERS}\})?(?: +"%{)x"
                        R"x(HAPROXYHTTPREQUESTLINE}"?)?)x"},
    {"HAPROXYHTTP", R"x((?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp}) %{IPORHOST:[host][ho)x"
                    R"x(stname]} %{SYSLOGPROG}: %{HAPROXYHTTPBASE})x"},
    {"HAPROXYTCP", R"x((?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp}) %{IPORHOST:[host][ho)x"
                   R"x(stname]} %{SYSLOGPROG}: %{IP:[source][address]}:%{INT:[source][port]:int} \[%{HAPROX)x"
                   R"x(YDATE:[haproxy][request_date]}\] %{NOTSPACE:[haproxy][frontend_name]} %{NOTSPACE:[ha)x"
                   R"x(proxy][backend_name]}/(?:<NOSRV>|%{NOTSPACE:[haproxy][server_name]}) (?:-1|%{INT:[ha)x"
                   R"x(proxy][total_waiting_time_ms]:int})/(?:-1|%{INT:[haproxy][connection_wait_time_ms]:i)x"
                   R"x(nt})/%{NOTSPACE:[haproxy][total_time_ms]} %{NOTSPACE:[source][bytes]:int} %{NOTSPACE)x"
                   R"x(:[haproxy][termination_state]} %{INT:[haproxy][connections][active]:int}/%{INT:[hapr)x"
                   R"x(oxy][connections][frontend]:int}/%{INT:[haproxy][connections][backend]:int}/%{INT:[h)x"
                   R"x(aproxy][connections][server]:int}/%{NOTSPACE:[haproxy][connections][retries]:int} %{)x"
                   R"x(INT:[haproxy][server_queue]:int}/%{INT:[haproxy][backend_queue]:int})x"},
    {"S3_REQUEST_LINE", R"x(%{WORD:[http][request][method]} %{NOTSPACE:[url][original]}(?: HTTP/%{NUMBER:[http][)x"
                        R"x(version]})?)x"},
    {"S3_ACCESS_LOG", R"x(%{WORD:[aws][s3access][bucket_owner]} %{NOTSPACE:[aws][s3access][bucket]} \[%{HTTPDA)x"
                      R"x(TE:timestamp}\] %{IP:[client][ip]} (?:-|%{NOTSPACE:[client][user][id]}) %{NOTSPACE:[)x"
                      R"x(aws][s3access][request_id]} %{NOTSPACE:[aws][s3access][operation]} (?:-|%{NOTSPACE:[)x"
                      R"x(aws][s3access][key]}) (?:-|"%{S3_REQUEST_LINE:[aws][s3access][request_uri]}") (?:-|%)x"
                      R"x({INT:[http][response][status_code]:int}) (?:-|%{NOTSPACE:[aws][s3access][error_code])x"
                      R"x(}) (?:-|%{INT:[aws][s3access][bytes_sent]:int}) (?:-|%{INT:[aws][s3access][object_si)x"
                      R"x(ze]:int}) (?:-|%{INT:[event][duration]:int}) (?:-|%{INT:[aws][s3access][turn_around_)x"
                      R"x(time]:int}) "(?:-|%{DATA:[http][request][referrer]})" "(?:-|%{DATA:[user_agent][orig)x"
                      R"x(inal]})" (?:-|%{NOTSPACE:[aws][s3access][version_id]})(?: (?:-|%{NOTSPACE:[aws][s3ac)x"
                      R"x(cess][host_id]}) (?:-|%{NOTSPACE:[aws][s3access][signature_version]}) (?:-|%{NOTSPAC)x"
                      R"x(E:[aws][s3access][cipher_suite]}) (?:-|%{NOTSPACE:[aws][s3access][authentication_typ)x"
                      R"x(e]}) (?:-|%{NOTSPACE:[aws][s3access][host_header]}) (?:-|%{NOTSPACE:[aws][s3access][)x"
                      R"x(tls_version]}))?)x"},
    {"SQUID3_STATUS", R"x((?:%{POSINT:[http][response][status_code]:int}|0+))x"},
    {"SQUID3", R"x(%{NUMBER:timestamp}\s+%{NUMBER:[squid][request][duration]:int}\s%{IP:[source][ip]}\s)x"
               R"x(%{WORD:[event][action]}/%{SQUID3_STATUS}\s%{INT:[http][response][bytes]:int}\s%{WORD)x"
               R"x(:[http][request][method]}\s%{NOTSPACE:[url][original]}\s(?:-|%{NOTSPACE:[user][name])x"
               R"x(})\s%{WORD:[squid][hierarchy_code]}/(?:-|%{IPORHOST:[destination][address]})\s(?:-|%)x"
               R"x({NOTSPACE:[http][response][mime_type]}))x"},
    {"REDISMONLOG", R"x(%{NUMBER:timestamp} \[%{INT:[redis][database][id]} %{IP:[client][ip]}:%{POSINT:[clie)x"
                    R"x(nt][port]:int}\] "%{WORD:[redis][command][name]}"\s?%{GREEDYDATA:[redis][command][ar)x"
                    R"x(gs]})x"},
    {"CISCO_TAGGED_SYSLOG", R"x(^<%{POSINT:[log][syslog][priority]:int}>%{CISCOTIMESTAMP:timestamp}(?: %{SYSLOGHOST:)x"
                            R"x([host][hostname]})? ?: %%{CISCOTAG:[cisco][asa][tag]}:)x"},
};

}  // namespace

const PatternFamily family_proxies = {"proxies", kBoth, kLegacy, kEcs};

}  // namespace enclave::pipeline::grok
