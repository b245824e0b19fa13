#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <thread>

#include "io/posix.h"
#include "pipeline/filebeat/flow_plan.h"
#include "pipeline/output_bench.h"

namespace enclave::pipeline::filebeat {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class FilebeatOutputs : public ::testing::Test, protected OutputBench {
 protected:
  /// FOLDER in the text is this test's own.
  void start(std::string yaml, int generation) {
    for (std::size_t at = 0; (at = yaml.find("FOLDER", at)) != std::string::npos;) yaml.replace(at, 6, folder);
    Diagnostics diagnostics;
    config = parse_filebeat(yaml, "f.yml", {generation, {}}, diagnostics);
    output = make_output(config, filter_world, diagnostics);
    said = diagnostics.text();
    ASSERT_NE(output, nullptr) << said;
    ASSERT_TRUE(open());
    packer = output->packer();
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder + "/out")) found.push_back(entry.path().filename());
    std::ranges::sort(found);
    return found;
  }
  std::string contents(const std::string& name) const {
    std::ifstream in(folder + "/out/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::string event_of(char letter, std::size_t bytes) {
    return R"({"message":")" + std::string(bytes, letter) + "\"}";
  }

  Config config;
};

constexpr char kSmall[] =
    "output.file: {path: FOLDER/out, filename: fb, rotate_every_kb: 1, number_of_files: 2, permissions: 0640, "
    "codec.format.string: '%{[message]}'}\n";

TEST_F(FilebeatOutputs, AFileIsRotatedByItsSizeBetweenEventsAndOldOnesGo) {
  start(kSmall, 7);
  ASSERT_TRUE(send({event_of('a', 600), event_of('b', 600), event_of('c', 300), event_of('d', 3000)}));
  ASSERT_TRUE(send({event_of('e', 10)}));
  EXPECT_EQ(settled(), 2U);
  EXPECT_THAT(names(), ElementsAre("fb", "fb.1", "fb.2"));
  EXPECT_EQ(contents("fb"), std::string(10, 'e') + "\n");
  EXPECT_EQ(contents("fb.1"), std::string(3000, 'd') + "\n");
  EXPECT_EQ(contents("fb.2"), std::string(600, 'b') + "\n" + std::string(300, 'c') + "\n");
  struct stat info {};
  ASSERT_EQ(::stat((folder + "/out/fb").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0137U, 0U);
}

TEST_F(FilebeatOutputs, FilesOfGenerationEightHaveADateAndANumber) {
  start("output.file: {path: FOLDER/out, filename: fb, rotate_every_kb: 1, number_of_files: 3}\n", 8);
  for (const char letter : {'a', 'b', 'c', 'd', 'e', 'f'}) ASSERT_TRUE(send({event_of(letter, 900)}));
  EXPECT_EQ(settled(), 6U);
  const auto all = names();
  ASSERT_THAT(all, SizeIs(4));
  for (const auto& name : all) EXPECT_THAT(name, ::testing::MatchesRegex("fb-[0-9]{8}-[2-5]\\.ndjson"));
  EXPECT_THAT(contents(all.back()), StartsWith(R"({"message":"fff)"));
}

TEST_F(FilebeatOutputs, AStartBeginsANewFileOnlyWhereThatIsWantedAndNothingIsLost) {
  const std::string stays =
      std::string(kSmall).replace(std::string(kSmall).find("permissions: 0640"), 17, "rotate_on_startup: false");
  start(kSmall, 7);
  ASSERT_TRUE(send({event_of('a', 5)}));
  EXPECT_EQ(settled(), 1U);
  start(kSmall, 7);
  EXPECT_THAT(names(), ElementsAre("fb"));  // nothing was written yet
  ASSERT_TRUE(send({event_of('b', 5)}));
  EXPECT_THAT(names(), ElementsAre("fb", "fb.1"));
  start(stays, 7);
  ASSERT_TRUE(send({event_of('c', 5)}));
  EXPECT_EQ(contents("fb"), "bbbbb\nccccc\n");
  EXPECT_EQ(contents("fb.1"), "aaaaa\n");
  // As a crash leaves it.
  std::ofstream(folder + "/out/fb", std::ios::app) << "to";
  start(stays, 7);
  ASSERT_TRUE(send({event_of('d', 5)}));
  EXPECT_EQ(contents("fb"), "bbbbb\nccccc\nto\nddddd\n");
}

TEST_F(FilebeatOutputs, ARenamedFileIsLeftAloneAndMadeAgain) {
  start(kSmall, 7);
  ASSERT_TRUE(send({event_of('a', 5)}));
  fs::rename(folder + "/out/fb", folder + "/out/moved");
  ASSERT_TRUE(send({event_of('b', 5)}));
  EXPECT_EQ(settled(), 2U);
  EXPECT_EQ(contents("moved"), "aaaaa\n");
  EXPECT_EQ(contents("fb"), "bbbbb\n");
}

TEST_F(FilebeatOutputs, EventsInFilesHaveTheirMetadata) {
  start("output.file: {path: FOLDER/out}\n", 7);
  ASSERT_TRUE(send({R"({"message":"x","@metadata":{"beat":"filebeat"}})"}));
  EXPECT_EQ(contents("filebeat"), "{\"message\":\"x\",\"@metadata\":{\"beat\":\"filebeat\"}}\n");
}

/// A server that this test plays: it takes one request and says that all went well.
class Cluster {
 public:
  Cluster() : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listening_.get(), 1), 0);
    EXPECT_EQ(::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Cluster() { join(); }
  std::string port() const { return std::to_string(port_); }
  /// As it came: the line, the headers, the body.
  const std::string& request() {
    join();
    return request_;
  }

 private:
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  void serve() {
    const io::Descriptor peer(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    char piece[4096];
    while (!whole()) {
      const ssize_t got = ::recv(peer.get(), piece, sizeof piece, 0);
      if (got <= 0) return;
      request_.append(piece, static_cast<std::size_t>(got));
    }
    const std::string body = R"({"errors":false,"items":[{"create":{"status":201}}]})";
    const std::string answer =
        fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", body.size(), body);
    (void)::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
  }
  bool whole() const {
    const std::size_t end = request_.find("\r\n\r\n"), at = request_.find("Content-Length: ");
    return end != std::string::npos && at < end && request_.size() >= end + 4 + std::stoul(request_.substr(at + 16));
  }
  io::Descriptor listening_;
  std::uint16_t port_ = 0;
  std::thread thread_;
  std::string request_;
};

TEST_F(FilebeatOutputs, ElasticsearchGetsPathParametersHeadersAndTheIndex) {
  Cluster cluster;
  start("output.elasticsearch: {hosts: ['127.0.0.1:" + cluster.port() +
            "'], path: /es, username: u, password: 'p\"1', compression_level: 0, parameters: {a b: c&d, n: 5}, "
            "headers: {X-Tenant: 'blue \"1\"'}, pipeline: in, index: 'web-%{[agent.version]}-%{+yyyy.MM.dd}'}\n",
        7);
  ASSERT_TRUE(send({R"({"@timestamp":"2026-03-04T05:06:07Z","message":"x","agent":{"version":"7.1"}})"}));
  const std::string& request = cluster.request();
  EXPECT_THAT(request, StartsWith("POST /es/_bulk?"));
  for (const auto* part :
       {"&a%20b=c%26d&n=5 HTTP/1.1\r\n", "\r\nX-Tenant: blue \"1\"\r\n", "\r\nAuthorization: Basic dTpwIjE=\r\n",
        "\r\n\r\n{\"create\":{\"_index\":\"web-7.1-2026.03.04\",\"pipeline\":\"in\"}}\n{\"@timestamp\""})
    EXPECT_THAT(request, HasSubstr(part));
  EXPECT_THAT(letters.letters, IsEmpty());
}

TEST_F(FilebeatOutputs, AnEventWithoutAnyIndexIsKeptAmongTheDeadLetters) {
  Cluster cluster;
  start("output.elasticsearch: {hosts: ['127.0.0.1:" + cluster.port() +
            "'], compression_level: 0, index: 'x-%{[a.b]}'}\n",
        8);
  ASSERT_TRUE(send({R"({"message":"lost"})", R"({"message":"there","a":{"b":"Y"}})"}));
  EXPECT_THAT(cluster.request(), HasSubstr("\r\n\r\n{\"create\":{\"_index\":\"x-y\"}}\n"));
  ASSERT_THAT(letters.letters, SizeIs(1));
  EXPECT_THAT(letters.letters[0], HasSubstr("nothing of output.elasticsearch gives an index for it"));
}

}  // namespace
}  // namespace enclave::pipeline::filebeat
