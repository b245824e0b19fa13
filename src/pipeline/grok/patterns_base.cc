#include "pipeline/grok/pattern_tables.h"

namespace enclave::pipeline::grok {
namespace {

constexpr Pattern kBoth[] = {
    // Names and numbers.
    {"USERNAME", R"x([a-zA-Z0-9._-]+)x"},
    {"USER", R"x(%{USERNAME})x"},
    {"EMAILLOCALPART", R"x([a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,64}(?:\.[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,62}){0,63})x"},
    {"EMAILADDRESS", R"x(%{EMAILLOCALPART}@%{HOSTNAME})x"},
    {"INT", R"x([+-]?[0-9]+)x"},
    {"BASE10NUM", R"x((?<![0-9.+-])[+-]?(?>[0-9]+(?:\.[0-9]+)?|\.[0-9]+))x"},
    {"NUMBER", R"x(%{BASE10NUM})x"},
    {"BASE16NUM", R"x((?<![0-9A-Fa-f])[+-]?(?:0x)?[0-9A-Fa-f]+)x"},
    {"BASE16FLOAT", R"x(\b(?<![0-9A-Fa-f.])[+-]?(?:0x)?(?:[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?|\.[0-9A-Fa-f]+)\b)x"},
    {"POSINT", R"x(\b[1-9][0-9]*\b)x"},
    {"NONNEGINT", R"x(\b[0-9]+\b)x"},
    {"WORD", R"x(\b\w+\b)x"},
    {"NOTSPACE", R"x(\S+)x"},
    {"SPACE", R"x(\s*)x"},
    {"DATA", R"x(.*?)x"},
    {"GREEDYDATA", R"x(.*)x"},
    {"QUOTEDSTRING", R"x((?<!\\)(?>"(?>[^"\\]+|\\.)*"|'(?>[^'\\]+|\\.)*'|`(?>[^`\\]+|\\.)*`))x"},
    {"QS", R"x(%{QUOTEDSTRING})x"},
    {"UUID", R"x([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})x"},
    {"URN", R"x(urn:[0-9A-Za-z][0-9A-Za-z-]{0,31}:(?:%[0-9a-fA-F]{2}|[0-9A-Za-z()+,.:=@;$_!*'/?#-])+)x"},
    // Networks. An address of version 6 as RFC 3986 has it, the fuller forms first; the look ahead spares most texts
    // that.
    {"CISCOMAC", R"x((?:[A-Fa-f0-9]{4}\.){2}[A-Fa-f0-9]{4})x"},
    {"WINDOWSMAC", R"x((?:[A-Fa-f0-9]{2}-){5}[A-Fa-f0-9]{2})x"},
    {"COMMONMAC", R"x((?:[A-Fa-f0-9]{2}:){5}[A-Fa-f0-9]{2})x"},
    {"MAC", R"x((?:%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC}))x"},
    {"IPV4", R"x((?<![0-9])(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|0?[0-9]{1,2})(?:\.(?:25[0-5]|2[0-4][0-9]|1[0-)x"
             R"x(9]{2}|0?[0-9]{1,2})){3}(?![0-9]))x"},
    {"IPV6", R"x((?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:])(?>(?:[0-9A-Fa-f]{1,4}:){6}(?:[0-9A-Fa-f]{1,4}:[0-9A-Fa)x"
             R"x(-f]{1,4}|%{IPV4})|::(?:[0-9A-Fa-f]{1,4}:){5}(?:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}|%{IPV4})x"
             R"x()|(?:[0-9A-Fa-f]{1,4})?::(?:[0-9A-Fa-f]{1,4}:){4}(?:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}|%{)x"
             R"x(IPV4})|(?:(?:[0-9A-Fa-f]{1,4}:){0,1}[0-9A-Fa-f]{1,4})?::(?:[0-9A-Fa-f]{1,4}:){3}(?:[0-9A)x"
             R"x(-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}|%{IPV4})|(?:(?:[0-9A-Fa-f]{1,4}:){0,2}[0-9A-Fa-f]{1,4})?::()x"
             R"x(?:[0-9A-Fa-f]{1,4}:){2}(?:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}|%{IPV4})|(?:(?:[0-9A-Fa-f]{1)x"
             R"x(,4}:){0,3}[0-9A-Fa-f]{1,4})?::(?:[0-9A-Fa-f]{1,4}:){1}(?:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,)x"
             R"x(4}|%{IPV4})|(?:(?:[0-9A-Fa-f]{1,4}:){0,4}[0-9A-Fa-f]{1,4})?::(?:[0-9A-Fa-f]{1,4}:[0-9A-F)x"
             R"x(a-f]{1,4}|%{IPV4})|(?:(?:[0-9A-Fa-f]{1,4}:){0,5}[0-9A-Fa-f]{1,4})?::[0-9A-Fa-f]{1,4}|(?:)x"
             R"x((?:[0-9A-Fa-f]{1,4}:){0,6}[0-9A-Fa-f]{1,4})?::)(?:%[0-9A-Za-z_.~-]+)?)x"},
    {"IP", R"x((?:%{IPV4}|%{IPV6}))x"},
    {"HOSTNAME", R"x(\b[0-9A-Za-z][0-9A-Za-z-]{0,62}(?:\.[0-9A-Za-z][0-9A-Za-z-]{0,62})*(?:\.?|\b))x"},
    {"IPORHOST", R"x((?:%{IP}|%{HOSTNAME}))x"},
    {"HOSTPORT", R"x(%{IPORHOST}:%{POSINT})x"},
    // Paths and addresses of the web.
    {"PATH", R"x((?:%{UNIXPATH}|%{WINPATH}))x"},
    {"UNIXPATH", R"x((?:/[\w%!$@:.,+~-]*)+)x"},
    {"TTY", R"x(/dev/(?:pts|tty[pq]?)\w*/?[0-9]+)x"},
    {"WINPATH", R"x((?>[A-Za-z]+:|\\)(?:\\[^\\?*]*)+)x"},
    {"URIPROTO", R"x([A-Za-z][A-Za-z0-9+.-]+)x"},
    {"URIPATH", R"x((?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_-]*)+)x"},
    {"URIQUERY", R"x([A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?<>\[\]-]*)x"},
    {"URIPARAM", R"x(\?%{URIQUERY})x"},
    {"URIPATHPARAM", R"x(%{URIPATH}(?:%{URIPARAM})?)x"},
    {"URI", R"x(%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?)x"},
    // Dates and times. Months also as German logs have them.
    {"MONTH", R"x(\b(?:[Jj]an(?:uary|uar)?|[Ff]eb(?:ruary|ruar)?|[Mm](?:a|ä)?r(?:ch|z)?|[Aa]pr(?:il)?|[Mm])x"
              R"x(a(?:y|i)|[Jj]un(?:e|i)?|[Jj]ul(?:y|i)?|[Aa]ug(?:ust)?|[Ss]ep(?:tember|t)?|[Oo](?:c|k)t(?)x"
              R"x(:ober)?|[Nn]ov(?:ember)?|[Dd]e(?:c|z)(?:ember)?)\b)x"},
    {"MONTHNUM", R"x((?:1[0-2]|0?[1-9]))x"},
    {"MONTHNUM2", R"x((?:1[0-2]|0[1-9]))x"},
    {"MONTHDAY", R"x((?:0[1-9]|[12][0-9]|3[01]|[1-9]))x"},
    {"DAY", R"x((?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?)x"
            R"x(:day)?))x"},
    {"YEAR", R"x((?>[0-9]{2}){1,2})x"},
    {"HOUR", R"x((?:2[0-3]|[01]?[0-9]))x"},
    {"MINUTE", R"x([0-5][0-9])x"},
    {"SECOND", R"x((?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?)x"},
    {"TIME", R"x((?<![0-9])%{HOUR}:%{MINUTE}(?::%{SECOND})(?![0-9]))x"},
    {"DATE_US", R"x(%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR})x"},
    {"DATE_EU", R"x(%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR})x"},
    {"ISO8601_TIMEZONE", R"x((?:Z|[+-]%{HOUR}(?::?%{MINUTE})?))x"},
    {"ISO8601_HOUR", R"x((?:2[0-4]|[01][0-9]))x"},
    {"ISO8601_SECOND", R"x(%{SECOND})x"},
    {"TIMESTAMP_ISO8601",
     R"x(%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?%{ISO8601_TIMEZONE})x"
     R"x(?)x"},
    {"DATE", R"x((?:%{DATE_US}|%{DATE_EU}))x"},
    {"DATESTAMP", R"x(%{DATE}[- ]%{TIME})x"},
    {"TZ", R"x((?:[APMCE][SD]T|UTC))x"},
    {"DATESTAMP_RFC822", R"x(%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ})x"},
    {"DATESTAMP_RFC2822", R"x(%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE})x"},
    {"DATESTAMP_OTHER", R"x(%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR})x"},
    {"DATESTAMP_EVENTLOG", R"x(%{YEAR}%{MONTHNUM2}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND})x"},
    {"HTTPDATE", R"x(%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT})x"},
    // What most system logs begin with.
    {"SYSLOGTIMESTAMP", R"x(%{MONTH} +%{MONTHDAY} %{TIME})x"},
    {"PROG", R"x([\x21-\x5a\x5c\x5e-\x7e]+)x"},
    {"SYSLOGHOST", R"x(%{IPORHOST})x"},
    {"LOGLEVEL", R"x((?:[Aa]lert|ALERT|[Tt]race|TRACE|[Dd]ebug|DEBUG|[Nn]otice|NOTICE|[Ii]nfo(?:rmation)?|INF)x"
                 R"x(O(?:RMATION)?|[Ww]arn(?:ing)?|WARN(?:ING)?|[Ee]rr(?:or)?|ERR(?:OR)?|[Cc]rit(?:ical)?|CRI)x"
                 R"x(T(?:ICAL)?|[Ff]atal|FATAL|[Ss]evere|SEVERE|EMERG(?:ENCY)?|[Ee]merg(?:ency)?))x"},
};

constexpr Pattern kLegacy[] = {
    {"URIHOST", R"x(%{IPORHOST}(?::%{POSINT:port})?)x"},
    {"SYSLOGPROG", R"x(%{PROG:program}(?:\[%{POSINT:pid}\])?)x"},
    {"SYSLOGFACILITY", R"x(<%{NONNEGINT:facility}.%{NONNEGINT:priority}>)x"},
    {"SYSLOGBASE", R"x(%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource} %{SYSLOGPROG)x"
                   R"x(}:)x"},
};

constexpr Pattern kEcs[] = {
    {"URIHOST", R"x(%{IPORHOST}(?::%{POSINT})?)x"},
    {"SYSLOGPROG", R"x(%{PROG:[process][name]}(?:\[%{POSINT:[process][pid]:int}\])?)x"},
    {"SYSLOGFACILITY", R"x(<%{NONNEGINT:[log][syslog][facility][code]:int}.%{NONNEGINT:[log][syslog][priority]:int})x"
                       R"x(>)x"},
    {"SYSLOGBASE", R"x(%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:[host][hostname]} %{SYS)x"
                   R"x(LOGPROG}:)x"},
};

}  // namespace

const PatternFamily family_base = {"grok-patterns", kBoth, kLegacy, kEcs};

}  // namespace enclave::pipeline::grok
