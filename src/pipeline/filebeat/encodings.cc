#include "pipeline/filebeat/encodings.h"

#include <algorithm>
#include <array>

namespace enclave::pipeline::filebeat {
namespace {

struct Named {
  std::string_view name, iconv;
};

// Where the standard gives an old label to a superset, as with latin1, so does this table.
constexpr Named kAll[] = {{"plain", "UTF-8"},
                          {"nop", "UTF-8"},
                          {"utf-8", "UTF-8"},
                          {"utf8", "UTF-8"},
                          {"unicode-1-1-utf-8", "UTF-8"},
                          {"utf-16be-bom", "utf-16be-bom"},
                          {"utf-16be", "utf-16be"},
                          {"utf-16le", "utf-16le"},
                          {"utf-16le-bom", "utf-16le-bom"},
                          {"utf-16-bom", "utf-16-bom"},
                          {"utf-16", "utf-16le"},
                          {"big5", "BIG5-HKSCS"},
                          {"gb18030", "GB18030"},
                          {"gbk", "GBK"},
                          {"gb2312", "GBK"},
                          {"hz-gb-2312", "HZ-GB-2312"},
                          {"euc-kr", "UHC"},
                          {"euc-jp", "EUC-JP"},
                          {"iso-2022-jp", "ISO-2022-JP"},
                          {"shift-jis", "CP932"},
                          {"shift_jis", "CP932"},
                          {"sjis", "CP932"},
                          {"ascii", "CP1252"},
                          {"us-ascii", "CP1252"},
                          {"latin1", "CP1252"},
                          {"iso-8859-1", "CP1252"},
                          {"iso-8859-2", "ISO-8859-2"},
                          {"iso-8859-5", "ISO-8859-5"},
                          {"iso-8859-9", "CP1254"},
                          {"iso-8859-15", "ISO-8859-15"},
                          {"latin2", "ISO-8859-2"},
                          {"latin5", "CP1254"},
                          {"iso8859-1", "ISO-8859-1"},
                          {"iso8859-2", "ISO-8859-2"},
                          {"iso8859-3", "ISO-8859-3"},
                          {"iso8859-4", "ISO-8859-4"},
                          {"iso8859-5", "ISO-8859-5"},
                          {"iso8859-6", "ISO-8859-6"},
                          {"iso8859-6e", "ISO-8859-6"},
                          {"iso8859-6i", "ISO-8859-6"},
                          {"iso8859-7", "ISO-8859-7"},
                          {"iso8859-8", "ISO-8859-8"},
                          {"iso8859-8e", "ISO-8859-8"},
                          {"iso8859-8i", "ISO-8859-8"},
                          {"iso8859-9", "ISO-8859-9"},
                          {"iso8859-10", "ISO-8859-10"},
                          {"iso8859-13", "ISO-8859-13"},
                          {"iso8859-14", "ISO-8859-14"},
                          {"iso8859-15", "ISO-8859-15"},
                          {"iso8859-16", "ISO-8859-16"},
                          {"cp437", "CP437"},
                          {"cp850", "CP850"},
                          {"cp852", "CP852"},
                          {"cp855", "CP855"},
                          {"cp858", "CP858"},
                          {"cp860", "CP860"},
                          {"cp862", "CP862"},
                          {"cp863", "CP863"},
                          {"cp865", "CP865"},
                          {"cp866", "CP866"},
                          {"cp1250", "CP1250"},
                          {"cp1251", "CP1251"},
                          {"cp1252", "CP1252"},
                          {"ebcdic-037", "IBM037"},
                          {"ebcdic-1040", "IBM1140"},
                          {"ebcdic-1047", "IBM1047"},
                          {"koi8r", "KOI8-R"},
                          {"koi8-r", "KOI8-R"},
                          {"koi8u", "KOI8-U"},
                          {"koi8-u", "KOI8-U"},
                          {"macintosh", "MACINTOSH"},
                          {"macintosh-cyrillic", "MAC-CYRILLIC"},
                          {"windows1250", "CP1250"},
                          {"windows1251", "CP1251"},
                          {"windows1252", "CP1252"},
                          {"windows1253", "CP1253"},
                          {"windows1254", "CP1254"},
                          {"windows1255", "CP1255"},
                          {"windows1256", "CP1256"},
                          {"windows1257", "CP1257"},
                          {"windows1258", "CP1258"},
                          {"windows874", "CP874"},
                          {"windows-1250", "CP1250"},
                          {"windows-1251", "CP1251"},
                          {"windows-1252", "CP1252"},
                          {"windows-1253", "CP1253"},
                          {"windows-1254", "CP1254"},
                          {"windows-1255", "CP1255"},
                          {"windows-1256", "CP1256"},
                          {"windows-1257", "CP1257"},
                          {"windows-1258", "CP1258"},
                          {"windows-874", "CP874"}};

constexpr auto kNames = [] {
  std::array<std::string_view, std::size(kAll)> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kAll[i].name;
  return names;
}();

std::string_view known_as(std::string_view encoding) {
  const auto* const found = std::ranges::find(kAll, encoding, &Named::name);
  return found == std::end(kAll) ? std::string_view() : found->iconv;
}

}  // namespace

std::span<const std::string_view> encoding_names() { return kNames; }

std::string_view iconv_name(std::string_view encoding) {
  const std::string_view name = known_as(encoding);
  return name.empty() || name.starts_with("utf-16") ? "UTF-8" : name;
}

bool is_utf16(std::string_view encoding) { return known_as(encoding).starts_with("utf-16"); }

std::string_view utf16_name(std::string_view encoding) { return is_utf16(encoding) ? known_as(encoding) : ""; }

}  // namespace enclave::pipeline::filebeat
