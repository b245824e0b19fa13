#pragma once

#include "cli/verb.h"

/// Texts made from the verbs' tables, at most 80 columns wide.
namespace enclave::cli {

inline constexpr std::size_t kColumns = 80;

/// Words of `text` in lines of at most `columns`, each behind `indent` spaces; empty lines part paragraphs.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns = kColumns);
/// `term` at column 3, `text` from `gap` on, wrapped.
std::string definition(std::string_view term, std::string_view text, std::size_t gap);

std::string help_of_all();
std::string help_of(const Verb& verb);
/// "enclave verify [OPTION]… [TARGET]"
std::string usage_of(const Verb& verb);
/// "-c, --config FILE"
std::string term_of(const OptionSpec& option);

}  // namespace enclave::cli
