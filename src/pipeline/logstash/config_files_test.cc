#include "pipeline/logstash/config_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/system.h"
#include "pipeline/logstash/field_reference.h"
#include "pipeline/logstash/lint.h"
#include "pipeline/logstash/printer.h"

namespace enclave::pipeline::logstash {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LogstashFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "logstash-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(const std::string& name, const std::string& text) { std::ofstream(root_ + "/" + name) << text; }

  std::vector<std::string> names(const std::string& path) {
    const auto found = config_files_of(io::real_files(), path);
    if (!found) return {found.error().text()};
    std::vector<std::string> out;
    for (const auto& one : *found) out.push_back(std::filesystem::path(one).filename());
    return out;
  }

  std::string root_;
};

TEST_F(LogstashFiles, OfAFolderAreReadInTheOrderOfTheirNames) {
  write("20-filter.conf", "filter { uuid {} }");
  write("10-input.conf", "input { stdin {} }\nfilter { drop {} }");
  write("10-input.conf~", "not read {");
  write(".hidden.conf", "not read {");
  std::filesystem::create_directory(root_ + "/folder.conf");
  EXPECT_THAT(names(root_), ElementsAre("10-input.conf", "20-filter.conf"));
  EXPECT_THAT(names(root_ + "/*.conf"), ElementsAre("10-input.conf", "20-filter.conf"));
  EXPECT_THAT(names(root_ + "/2*.conf"), ElementsAre("20-filter.conf"));
  EXPECT_THAT(names(root_ + "/10-input.conf"), ElementsAre("10-input.conf"));

  PipelineSettings settings;
  settings.config_path = root_;
  Diagnostics diagnostics;
  const Configuration tree = load_pipeline(io::real_files(), settings, {}, diagnostics);
  EXPECT_EQ(diagnostics.text(), "");
  EXPECT_EQ(to_text(tree), "input {\n  stdin {}\n}\nfilter {\n  drop {}\n  uuid {}\n}\n");
}

TEST_F(LogstashFiles, MistakesNameTheFileTheyStandIn) {
  write("1.conf", "input { stdin {} }");
  write("2.conf", "\nfilter { mutate { add_tag = 1 } }");
  PipelineSettings settings;
  settings.config_path = root_;
  Diagnostics diagnostics;
  (void)load_pipeline(io::real_files(), settings, {}, diagnostics);
  EXPECT_THAT(diagnostics.text(), HasSubstr("2.conf:2:27: "));
}

TEST_F(LogstashFiles, ThatAreNotThereAreAMistake) {
  EXPECT_THAT(names(root_ + "/missing.conf"), ElementsAre(HasSubstr("missing.conf")));
  EXPECT_THAT(names(root_ + "/*.conf"), ElementsAre(HasSubstr("no configuration file is there")));
  EXPECT_THAT(names(root_), ElementsAre(HasSubstr("no configuration file is there")));
}

TEST(LogstashVariables, AreReplacedInValuesAndNeverPrinted) {
  PipelineSettings settings;
  settings.config_string =
      "output { http { url => \"https://${HOST}/\" headers => { \"${HOST}\" => \"${HOST}\" } } if [a] == \"${HOST}\" { "
      "null {} } x1 { a => \"${NOWHERE}\" } }";
  const Variables variables = {[](std::string_view name) -> std::optional<std::string> {
                                 if (name == "HOST") return "secret.example";
                                 return std::nullopt;
                               },
                               nullptr};
  Diagnostics diagnostics;
  const Configuration tree = load_pipeline(io::real_files(), settings, variables, diagnostics);
  EXPECT_EQ(diagnostics.errors(), 1U);
  EXPECT_THAT(diagnostics.text(), HasSubstr("pipeline main:1:125: ${NOWHERE} stands neither"));
  const auto& plugin = std::get<Plugin>(tree.outputs.at(0));
  EXPECT_EQ(*text_of(find(plugin, "url")->value), "https://secret.example/");
  const auto& entry = std::get<Hash>(find(plugin, "headers")->value.data).entries.at(0);
  EXPECT_EQ(*text_of(entry.key), "${HOST}");
  EXPECT_EQ(*text_of(entry.value), "secret.example");
  const auto& comparison = std::get<Comparison>(std::get<Branch>(tree.outputs.at(1)).arms.at(0).condition->data);
  EXPECT_EQ(std::get<String>(comparison.right.data).value, "secret.example");
  EXPECT_EQ(to_text(tree).find("secret.example"), std::string::npos);
  EXPECT_EQ(to_json(tree).find("secret.example"), std::string::npos);
}

TEST(LogstashVariables, AValueThatGrowsWithoutEndIsRefused) {
  const Variables variables = {[](std::string_view) { return std::string(1 << 19, 'x'); }, nullptr};
  const auto text = substitute("${a}${a}${a}", variables);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().fault(), Fault::limit);
}

TEST(LogstashEscapes, AreReplacedOnlyWhereTheSettingSaysSo) {
  const std::string text = R"(filter { x1 { a => "\n\r\t\\\"\'\d" } })";
  for (const bool escapes : {false, true}) {
    Configuration tree;
    Diagnostics diagnostics;
    parse_config(text, "x.conf", {.support_escapes = escapes}, tree, diagnostics);
    EXPECT_EQ(diagnostics.text(), "");
    EXPECT_EQ(*text_of(std::get<Plugin>(tree.filters.at(0)).attributes.at(0).value),
              escapes ? "\n\r\t\\\"'\\d" : R"(\n\r\t\\\"\'\d)");
  }
}

TEST(FieldReferences, OfTheLegacyFormAreOneNameWhereTheyAreNotWellFormed) {
  const auto legacy = FieldReference::parse("a[b]", FieldReference::Mode::legacy);
  ASSERT_TRUE(legacy);
  EXPECT_THAT(legacy->segments(), ElementsAre(FieldReference::Segment{"a[b]", 0, false}));
  EXPECT_EQ(FieldReference::parse("[a][b]", FieldReference::Mode::legacy)->text(), "[a][b]");
}

TEST(FieldReferences, HoldBracketsByTheChosenEscapes) {
  using Escapes = FieldReference::Escapes;
  const auto name = [](std::string_view text, Escapes escapes) {
    return FieldReference::parse(text, FieldReference::Mode::strict, escapes)->segments().front().name;
  };
  EXPECT_EQ(name("[a%5Bb%5D]", Escapes::percent), "a[b]");
  EXPECT_EQ(name("[a%5Bb%5D]", Escapes::none), "a%5Bb%5D");
  EXPECT_EQ(name("[a&#91;b&#93;]", Escapes::ampersand), "a[b]");
}

TEST(LogstashJson, ShowsTheTreeWithItsPlaces) {
  Configuration tree;
  Diagnostics diagnostics;
  parse_config(
      "filter { if [a] == 1 and \"x\" in [t] { mutate { add_field => { \"k\" => [1.5, v1] } } } else { drop {} } }",
      "x.conf", {}, tree, diagnostics);
  EXPECT_EQ(
      to_json(tree),
      R"({"inputs":[],"filters":[{"branch":[{"if":["and",["==",{"field":"[a]"},1],["in","x",{"field":"[t]"}]],)"
      R"("then":[{"plugin":"mutate","at":"x.conf:1:39","settings":[{"name":"add_field","value":{"k":[1.5,"v1"]}}]}]},)"
      R"({"then":[{"plugin":"drop","at":"x.conf:1:93","settings":[]}]}]}],"outputs":[]})");
}

}  // namespace
}  // namespace enclave::pipeline::logstash
