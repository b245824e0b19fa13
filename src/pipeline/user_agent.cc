#include "pipeline/user_agent.h"

#include <algorithm>
#include <span>

namespace enclave::pipeline {
namespace {

using Version = UserAgent::Version;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool has(std::string_view text, std::string_view token) { return text.find(token) != std::string_view::npos; }

/// "17_1.2" at the begin of `text`: up to four numbers.
Version version_at(std::string_view text) {
  Version version;
  for (std::string* part : {&version.major, &version.minor, &version.patch, &version.build}) {
    std::size_t size = 0;
    while (size < text.size() && size < 20 && is_digit(text[size])) ++size;
    if (size == 0) break;
    *part = text.substr(0, size);
    text.remove_prefix(size);
    if (text.size() < 2 || (text[0] != '.' && text[0] != '_') || !is_digit(text[1])) break;
    text.remove_prefix(1);
  }
  return version;
}

/// What stands behind `token`, with one character between that no number has.
Version version_behind(std::string_view text, std::string_view token) {
  const std::size_t at = text.find(token);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + token.size());
  if (!text.empty() && (text[0] == '/' || text[0] == ' ' || text[0] == '-' || text[0] == ':')) text.remove_prefix(1);
  if (!text.empty() && text[0] == 'v') text.remove_prefix(1);
  return version_at(text);
}

struct Known {
  std::string_view token, name;
  std::string_view version = {};  ///< the token that its version follows, where it is another one
};

// What searches, previews or watches: it says so itself, mostly within the guise of a browser.
constexpr Known kBots[] = {
    {"Googlebot-Image", "Googlebot-Image"},
    {"Googlebot", "Googlebot"},
    {"AdsBot-Google", "AdsBot-Google"},
    {"Mediapartners-Google", "Mediapartners-Google"},
    {"bingbot", "bingbot"},
    {"BingPreview", "BingPreview"},
    {"YandexBot", "YandexBot"},
    {"DuckDuckBot", "DuckDuckBot"},
    {"Baiduspider", "Baiduspider"},
    {"AhrefsBot", "AhrefsBot"},
    {"SemrushBot", "SemrushBot"},
    {"MJ12bot", "MJ12bot"},
    {"DotBot", "DotBot"},
    {"PetalBot", "PetalBot"},
    {"Applebot", "Applebot"},
    {"GPTBot", "GPTBot"},
    {"ChatGPT-User", "ChatGPT-User"},
    {"ClaudeBot", "ClaudeBot"},
    {"CCBot", "CCBot"},
    {"Bytespider", "Bytespider"},
    {"Amazonbot", "Amazonbot"},
    {"facebookexternalhit", "FacebookBot", "facebookexternalhit"},
    {"Twitterbot", "Twitterbot"},
    {"LinkedInBot", "LinkedInBot"},
    {"Slackbot", "Slackbot"},
    {"Discordbot", "Discordbot"},
    {"TelegramBot", "TelegramBot"},
    {"WhatsApp", "WhatsApp"},
    {"UptimeRobot", "UptimeRobot"},
    {"Pingdom.com_bot", "PingdomBot", "version_"},
    {"ELB-HealthChecker", "ELB-HealthChecker"},
    {"GoogleHC", "GoogleHC"},
    {"kube-probe", "kube-probe"},
    {"Blackbox Exporter", "Blackbox Exporter"},
    {"check_http", "check_http"},
    {"CensysInspect", "CensysInspect"},
    {"Nmap Scripting Engine", "Nmap Scripting Engine"},
    {"zgrab", "zgrab"},
    {"masscan", "masscan"},
};

// Programs that are no browsers: they begin with their name.
constexpr Known kTools[] = {
    {"curl", "curl"},
    {"Wget", "Wget"},
    {"python-requests", "Python Requests"},
    {"python-urllib3", "Python urllib3"},
    {"Python-urllib", "Python-urllib"},
    {"python-httpx", "python-httpx"},
    {"Go-http-client", "Go-http-client"},
    {"okhttp", "okhttp"},
    {"Java", "Java"},
    {"Apache-HttpClient", "Apache-HttpClient"},
    {"PostmanRuntime", "PostmanRuntime"},
    {"libwww-perl", "libwww-perl"},
    {"axios", "axios"},
    {"node-fetch", "node-fetch"},
    {"HTTPie", "HTTPie"},
    {"aws-cli", "aws-cli"},
    {"Boto3", "Boto3"},
    {"Botocore", "Botocore"},
    {"aws-sdk-", "aws-sdk", "/"},
    {"rclone", "rclone"},
    {"openstacksdk", "openstacksdk"},
    {"python-openstackclient", "python-openstackclient"},
    {"Prometheus", "Prometheus"},
    {"Grafana", "Grafana"},
    {"Filebeat", "Filebeat"},
    {"Elastic-", "Elastic", "/"},
    {"git", "git"},
    {"docker", "docker"},
    {"containerd", "containerd"},
    {"Debian APT-HTTP", "Debian APT-HTTP", "("},
};

// Browsers, those first that claim to be others. What is put for "Mobile" comes with the caller.
constexpr Known kBrowsers[] = {
    {"EdgA/", "Edge Mobile"},
    {"EdgiOS/", "Edge Mobile"},
    {"Edg/", "Edge"},
    {"Edge/", "Edge"},
    {"Opera Mini/", "Opera Mini"},
    {"OPiOS/", "Opera Mini"},
    {"OPR/", "Opera"},
    {"SamsungBrowser/", "Samsung Internet"},
    {"YaBrowser/", "Yandex Browser"},
    {"Vivaldi/", "Vivaldi"},
    {"UCBrowser/", "UC Browser"},
    {"FxiOS/", "Firefox iOS"},
    {"SeaMonkey/", "SeaMonkey"},
    {"Firefox/", "Firefox"},
    {"CriOS/", "Chrome Mobile iOS"},
    {"HeadlessChrome/", "HeadlessChrome"},
    {"Chromium/", "Chromium"},
    {"Chrome/", "Chrome"},
};

const Known* first_of(std::span<const Known> rules, std::string_view text) {
  const auto found = std::ranges::find_if(rules, [&](const Known& rule) { return has(text, rule.token); });
  return found == rules.end() ? nullptr : &*found;
}

void read_browser(std::string_view text, UserAgent& agent) {
  const bool mobile = has(text, "Mobile") || has(text, "Android");
  if (const Known* const known = first_of(kBrowsers, text)) {
    agent.name = known->name;
    agent.version = version_behind(text, known->token);
    if (agent.name == "Firefox" && mobile) agent.name = "Firefox Mobile";
    if (agent.name == "Opera" && mobile) agent.name = "Opera Mobile";
    if (agent.name == "Chrome" && has(text, "Mobile"))
      agent.name = has(text, "; wv)") ? "Chrome Mobile WebView" : "Chrome Mobile";
  } else if (has(text, "Opera")) {
    agent.name = "Opera";
    agent.version = version_behind(text, has(text, "Version/") ? "Version" : "Opera");
  } else if (has(text, "MSIE ")) {
    agent.name = has(text, "IEMobile") ? "IE Mobile" : "IE";
    agent.version = version_behind(text, "MSIE");
  } else if (has(text, "Trident/")) {
    agent.name = "IE";
    agent.version = version_behind(text, "rv:");
  } else if (has(text, "AppleWebKit")) {
    const bool ios = has(text, "iPhone") || has(text, "iPad") || has(text, "iPod");
    if (has(text, "Version/")) {
      agent.name = has(text, "Android") ? "Android" : ios ? "Mobile Safari" : "Safari";
      agent.version = version_behind(text, "Version");
    } else if (ios) {
      agent.name = "Mobile Safari UI/WKWebView";
      agent.version = version_behind(text, " OS");
    }
  }
}

/// Windows by the number of its kernel.
void read_windows(std::string_view text, UserAgent& agent) {
  constexpr std::pair<std::string_view, std::string_view> kKernels[] = {{"10.0", "10"}, {"6.3", "8.1"},   {"6.2", "8"},
                                                                        {"6.1", "7"},   {"6.0", "Vista"}, {"5.2", "XP"},
                                                                        {"5.1", "XP"},  {"5.0", "2000"}};
  agent.os = "Windows";
  for (const auto& [kernel, name] : kKernels) {
    if (!has(text, "Windows NT " + std::string(kernel))) continue;
    agent.os_version.major = name.substr(0, name.find('.'));
    if (has(name, ".")) agent.os_version.minor = name.substr(name.find('.') + 1);
    return;
  }
}

void read_system(std::string_view text, UserAgent& agent) {
  const auto is = [&](std::string_view name, std::string_view token) {
    agent.os = name;
    agent.os_version = version_behind(text, token);
  };
  if (has(text, "Windows Phone")) return is("Windows Phone", has(text, "Phone OS") ? "Phone OS" : "Windows Phone");
  if (has(text, "Windows")) return read_windows(text, agent);
  if (has(text, "iPhone") || has(text, "iPad") || has(text, "iPod")) return is("iOS", "OS ");
  if (has(text, "Android")) return is("Android", "Android");
  if (has(text, "CrOS")) {
    const std::size_t at = text.find(' ', text.find("CrOS") + 5);
    agent.os = "Chrome OS";
    if (at != std::string_view::npos) agent.os_version = version_at(text.substr(at + 1));
    return;
  }
  if (has(text, "Mac OS X")) return is("Mac OS X", "Mac OS X");
  for (const std::string_view name :
       {"Ubuntu", "Fedora", "Debian", "Red Hat", "CentOS", "FreeBSD", "OpenBSD", "NetBSD", "SunOS"})
    if (has(text, name)) return is(name, name);
  if (has(text, "Linux") || has(text, "linux")) is("Linux", "Linux");
  if (has(text, "Darwin/")) is("Darwin", "Darwin");
}

/// The model as Android's browsers write it: "Android 14; SM-S911B Build/…", "Android 10; K)".
std::string android_model(std::string_view text) {
  const std::size_t system = text.find("Android");
  const std::size_t begin = text.find("; ", system);
  if (begin == std::string_view::npos) return "Other";
  std::string_view model = text.substr(begin + 2, text.find(')', begin) - begin - 2);
  model = model.substr(0, std::min(model.find(" Build"), model.find(';')));
  if (model.empty() || model.size() > 64 || model.starts_with("rv:") || model == "wv") return "Other";
  return model == "K" ? "Generic Smartphone" : std::string(model);
}

std::string device_of(std::string_view text, std::string_view os) {
  for (const std::string_view name : {"iPhone", "iPad", "iPod"})
    if (has(text, name)) return std::string(name);
  if (os == "Android") return has(text, "; Mobile;") ? "Generic Smartphone" : android_model(text);
  return os == "Mac OS X" ? "Mac" : "Other";
}

}  // namespace

UserAgent read_user_agent(std::string_view text) {
  UserAgent agent;
  read_system(text, agent);
  if (const Known* const bot = first_of(kBots, text)) {
    agent.name = bot->name;
    agent.version = version_behind(text, bot->version.empty() ? bot->token : bot->version);
    agent.device = "Spider";
    return agent;
  }
  agent.device = device_of(text, agent.os);
  for (const Known& tool : kTools) {
    if (!text.starts_with(tool.token)) continue;
    // A name that only begins so is another program's.
    const char next = text.size() > tool.token.size() ? text[tool.token.size()] : '/';
    const bool ends = tool.token.ends_with('-') || std::string_view("/ -+;(").find(next) != std::string_view::npos;
    if (!ends) continue;
    agent.name = tool.name;
    agent.version = version_behind(text, tool.version.empty() ? tool.token : tool.version);
    return agent;
  }
  read_browser(text, agent);
  return agent;
}

}  // namespace enclave::pipeline
