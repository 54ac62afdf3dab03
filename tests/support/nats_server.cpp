#include "support/nats_server.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/deadline.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartLimit = 10s;
constexpr int kPortsTried = 5;

std::filesystem::path make_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "rts-nats-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), "mkdtemp");
  }
  return name;
}

}  // namespace

std::string nats_server_program() {
  const char* program = std::getenv("RTS_NATS_SERVER");
  return program != nullptr ? program : "nats-server";
}

int nats_server_minor_version() {
  Process program({nats_server_program(), "--version"}, {.env = {}, .capture_stdout = true});
  if (!program.wait(kStartLimit)) throw std::runtime_error("nats-server does not say its version");
  const std::string version = program.out();  // "nats-server: v2.9.10"
  const std::size_t dot = version.find('.');
  if (dot == std::string::npos) throw std::runtime_error("no version: " + version);
  return std::atoi(version.c_str() + dot + 1);
}

NatsServer::NatsServer(std::string extra_config, Listen listen)
    : extra_config_(std::move(extra_config)), listen_(listen), directory_(make_directory()) {
  for (int i = 0; i < kPortsTried; ++i) {
    port_ = free_port();
    if (start()) return;
  }
  throw std::runtime_error("nats-server does not start:\n" + log());
}

NatsServer::~NatsServer() {
  process_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string NatsServer::url() const { return "nats://127.0.0.1:" + std::to_string(port_); }

std::string NatsServer::url(const std::string& userinfo) const {
  return "nats://" + userinfo + "@127.0.0.1:" + std::to_string(port_);
}

pid_t NatsServer::pid() const { return process_ ? process_->pid() : -1; }

void NatsServer::kill() {
  if (!process_) return;
  process_->signal(SIGKILL);
  if (!process_->wait(kStartLimit)) throw std::runtime_error("nats-server survives SIGKILL");
}

void NatsServer::stop() {
  if (!process_) return;
  process_->signal(SIGTERM);
  if (!process_->wait(kStartLimit))
    throw std::runtime_error("nats-server does not stop:\n" + log());
}

bool NatsServer::wait_gone(std::chrono::milliseconds limit) {
  return !process_ || process_->wait(limit).has_value();
}

void NatsServer::restart() {
  if (!start()) throw std::runtime_error("nats-server does not restart:\n" + log());
}

void NatsServer::suspend() { process_->suspend(); }
void NatsServer::resume() { process_->resume(); }

void NatsServer::reload(std::string extra_config) {
  extra_config_ = std::move(extra_config);
  write_config();
  if (!process_ || !process_->running()) return;
  const std::size_t seen = log().size();
  process_->signal(SIGHUP);
  const auto obeyed = [&] {
    return log().find("Reloaded server configuration", seen) != std::string::npos;
  };
  if (!eventually(obeyed, 10s)) throw std::runtime_error("nats-server does not reload:\n" + log());
}

std::string NatsServer::log() const { return process_ ? process_->err() : std::string(); }

void NatsServer::write_config() const {
  std::ofstream file(directory_ / "server.conf");
  file << "store_dir: \"" << (directory_ / "store").string() << "\"\n" << extra_config_ << "\n";
  if (!file.flush()) throw std::runtime_error("cannot write the configuration of nats-server");
}

// False when it ended at once, most likely because the port was taken meanwhile.
bool NatsServer::start() {
  write_config();
  process_.reset();
  process_.emplace(
      std::vector<std::string>{nats_server_program(), "-c", (directory_ / "server.conf").string(),
                               "-a", listen_ == Listen::everywhere ? "0.0.0.0" : "127.0.0.1", "-p",
                               std::to_string(port_)},
      ProcessOptions{.env = {}, .capture_stderr = true});
  const Deadline deadline(kStartLimit);
  (void)eventually([this] { return answers() || !process_->running(); }, deadline.remaining());
  return process_->running() && !deadline.expired();
}

// A server that is ready greets with INFO.
bool NatsServer::answers() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const timeval limit{.tv_sec = 1, .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = ::htons(port_);
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  std::array<char, 4> greeting{};
  const bool ready =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::recv(fd, greeting.data(), greeting.size(), MSG_WAITALL) == 4 &&
      std::string_view(greeting.data(), greeting.size()) == "INFO";
  ::close(fd);
  return ready;
}

}  // namespace rts::test
