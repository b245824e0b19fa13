#include <gtest/gtest.h>

#include <random>

#include "pipeline/logstash/parser.h"
#include "pipeline/logstash/printer.h"

namespace enclave::pipeline::logstash {
namespace {

/// Trees of every kind of node, from a seed.
class RandomTree {
 public:
  explicit RandomTree(std::uint64_t seed) : random_(seed) {}

  Configuration configuration() {
    Configuration out;
    out.files = {"random.conf"};
    out.inputs = items(2);
    out.filters = items(3);
    out.outputs = items(2);
    return out;
  }

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

  std::string pick(std::initializer_list<const char*> words) { return words.begin()[below(words.size())]; }

  String text() {
    String out;
    out.quote = below(2) == 0 ? Quote::single_quote : Quote::double_quote;
    out.text = pick({"", "a", "two words", "%{[a][b]}", "a # b", "{ } [ ] =>", "\\d+\\.", "\xc3\xa9\xe2\x82\xac",
                     "line\nline", "${V:x}"});
    if (below(4) == 0) out.text += out.quote == Quote::double_quote ? "it's \\\" here" : "a \"b\" \\' c";
    out.value = out.text;
    return out;
  }
  Number number() {
    if (below(2) == 0) return {"-12", std::int64_t{-12}};
    return {"1.5", 1.5};
  }

  Value value(int depth) {
    Value out;
    switch (below(depth > 0 ? 6 : 3)) {
      case 0:
        out.data = text();
        break;
      case 1:
        out.data = Bareword{pick({"true", "plain", "a_1"})};
        break;
      case 2:
        out.data = number();
        break;
      case 3: {
        Array array;
        for (std::size_t i = below(4); i > 0; --i) array.items.push_back(value(depth - 1));
        out.data = std::move(array);
        break;
      }
      case 4: {
        Hash hash;
        for (std::size_t i = below(4); i > 0; --i) {
          HashEntry entry;
          entry.key.data = Bareword{"key_" + std::to_string(i)};
          if (below(2) == 0) entry.key.data = String{"[k][" + std::to_string(i) + "]", {}, Quote::double_quote};
          entry.value = value(depth - 1);
          hash.entries.push_back(std::move(entry));
        }
        out.data = std::move(hash);
        break;
      }
      default:
        out.data = std::make_unique<Plugin>(plugin(depth - 1));
    }
    return out;
  }

  Plugin plugin(int depth) {
    Plugin out;
    out.name = pick({"mutate", "grok", "a-b", "my plugin", "if_x", "input"});
    for (std::size_t i = below(3); i > 0; --i) {
      Attribute attribute;
      attribute.name = pick({"match", "a-b", "add field", "7", "it's", "say \"it\""});
      attribute.value = value(depth);
      out.attributes.push_back(std::move(attribute));
    }
    return out;
  }

  Rvalue rvalue() {
    Rvalue out;
    switch (below(4)) {
      case 0:
        out.data = Selector{pick({"[a]", "[a][b]", "[@metadata][x y]"})};
        break;
      case 1:
        out.data = text();
        break;
      case 2:
        out.data = number();
        break;
      default: {
        Array array;
        array.items.resize(2);
        for (auto& item : array.items) item.data = text();
        out.data = std::move(array);
      }
    }
    return out;
  }

  std::unique_ptr<Expression> expression(int depth) {
    auto out = std::make_unique<Expression>();
    switch (below(depth > 0 ? 6 : 4)) {
      case 0:
        out->data = Truth{{pick({"[a]", "[a][b]"})}};
        break;
      case 1:
        out->data = Comparison{static_cast<CompareOperator>(below(6)), rvalue(), rvalue()};
        break;
      case 2:
        out->data = Membership{below(2) == 0, rvalue(), rvalue()};
        break;
      case 3: {
        Match match;
        match.negated = below(2) == 0;
        match.subject.data = Selector{"[message]"};
        match.pattern.data = Regexp{pick({"a", "\\/var\\/log", "^\\[\"x\"", ""})};
        out->data = std::move(match);
        break;
      }
      case 4:
        out->data = Not{expression(depth - 1)};
        break;
      default:
        out->data = Logic{static_cast<LogicOperator>(below(4)), expression(depth - 1), expression(depth - 1)};
    }
    return out;
  }

  std::vector<Item> items(int depth) {
    std::vector<Item> out;
    for (std::size_t i = below(4); i > 0; --i) {
      if (depth == 0 || below(3) > 0) {
        out.emplace_back(plugin(2));
        continue;
      }
      Branch branch;
      for (std::size_t arm = 1 + below(3); arm > 0; --arm) {
        branch.arms.emplace_back().condition = expression(4);
        branch.arms.back().items = items(depth - 1);
      }
      if (below(2) == 0) branch.arms.emplace_back().items = items(depth - 1);
      out.emplace_back(std::move(branch));
    }
    return out;
  }

  std::mt19937_64 random_;
};

TEST(LogstashRoundTrip, APrintedTreeIsReadAsTheSameTree) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    const Configuration tree = RandomTree(seed).configuration();
    const std::string text = to_text(tree);
    Configuration again;
    Diagnostics diagnostics;
    parse_config(text, "printed.conf", {}, again, diagnostics);
    ASSERT_EQ(diagnostics.text(), "") << "seed " << seed << "\n" << text;
    ASSERT_EQ(to_json(again, false), to_json(tree, false)) << "seed " << seed << "\n" << text;
  }
}

TEST(LogstashRoundTrip, AnyPrefixOfAConfigurationIsReadToItsEnd) {
  const std::string text = to_text(RandomTree(7).configuration());
  for (std::size_t length = 0; length < text.size(); ++length) {
    Configuration tree;
    Diagnostics diagnostics;
    parse_config(text.substr(0, length), "cut.conf", {}, tree, diagnostics);
    EXPECT_LE(diagnostics.errors(), kMistakesMax + 1);
  }
}

TEST(LogstashLimits, NestingIsBounded) {
  for (const auto& [open, close] : {std::pair("[", "]"), std::pair("{ aa => ", "}")}) {
    std::string text = "filter { mutate { a => ";
    for (int i = 0; i < 100'000; ++i) text += open;
    for (int i = 0; i < 100'000; ++i) text += close;
    Configuration tree;
    Diagnostics diagnostics;
    parse_config(text, "deep.conf", {}, tree, diagnostics);
    EXPECT_NE(diagnostics.text().find("nested more than 200 deep"), std::string::npos) << diagnostics.text();
  }
  std::string text = "filter { if ";
  for (int i = 0; i < 100'000; ++i) text += "!(";
  Configuration tree;
  Diagnostics diagnostics;
  parse_config(text, "deep.conf", {}, tree, diagnostics);
  EXPECT_NE(diagnostics.text().find("nested more than 200 deep"), std::string::npos) << diagnostics.text();
}

TEST(LogstashLimits, AChainOfTooManyOperatorsIsRefused) {
  const auto mistakes = [](int operators) {
    std::string text = "filter { if [a]";
    for (int i = 0; i < operators; ++i) text += " and [a]";
    Configuration tree;
    Diagnostics diagnostics;
    parse_config(text + " { drop {} } }", "long.conf", {}, tree, diagnostics);
    return diagnostics.errors();
  };
  EXPECT_EQ(mistakes(900), 0U);
  EXPECT_EQ(mistakes(200'000), 1U);
}

TEST(LogstashLimits, AFileOfMoreThanSixteenMebibytesIsRefused) {
  Configuration tree;
  Diagnostics diagnostics;
  parse_config(std::string(kConfigBytesMax + 1, ' '), "large.conf", {}, tree, diagnostics);
  EXPECT_EQ(diagnostics.errors(), 1U);
}

TEST(LogstashLimits, ManyMistakesEndTheReading) {
  std::string text = "filter {";
  for (int i = 0; i < 5000; ++i) text += " a { b = 1 }";
  Configuration tree;
  Diagnostics diagnostics;
  parse_config(text, "bad.conf", {}, tree, diagnostics);
  EXPECT_EQ(diagnostics.errors(), kMistakesMax + 1);
}

}  // namespace
}  // namespace enclave::pipeline::logstash
