// Signs requests for sigv4_botocore.py: one per line of standard input, fields in hex, separated by spaces.
#include <iostream>
#include <sstream>

#include "base/encoding.h"
#include "cloud/sigv4.h"

using namespace enclave;

namespace {

// Alternately names and values.
cloud::Pairs pairs_of(const std::vector<std::string>& fields, std::size_t from, std::size_t count) {
  cloud::Pairs pairs;
  for (std::size_t i = 0; i < count; ++i) pairs.emplace_back(fields.at(from + 2 * i), fields.at(from + 2 * i + 1));
  return pairs;
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::vector<std::string> fields;
    // A field that is empty is "-".
    for (std::string word; words >> word;) fields.push_back(word == "-" ? "" : from_hex(word).value());
    const std::size_t queries = parse_number(fields.at(8)).value(), headers = parse_number(fields.at(9)).value();
    cloud::SigningRequest request{fields[0], cloud::uri_encode(fields[1], true), pairs_of(fields, 10, queries),
                                  pairs_of(fields, 10 + 2 * queries, headers), fields[2]};
    const cloud::SigningScope scope{fields[3], fields[4]};
    const crypto::Secret secret(fields[6]);
    const crypto::Secret token(fields[7]);
    std::cout << cloud::authorization(request, scope, fields[5], secret) << "\n";
    std::erase_if(request.headers, [](const auto& header) { return header.first != "host"; });
    std::cout << cloud::presigned_query(request, scope, fields[5], secret, token, 600) << "\n";
  }
  return 0;
}
