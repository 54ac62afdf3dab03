// Who answers in the place of the order log's stream, as a test says: brokers of every version,
// elections, disks that are full, silence. What it has stored it serves as JetStream's API does,
// and tells on the subject where a stream republishes. At a broker without JetStream of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/peer.hpp"

namespace rts::test {

class ScriptedLog {
 public:
  // What is answered at once to an attempt to store an order: attempt 1, 2 …; nothing: silence. On
  // another thread; may store.
  using Script = std::function<std::vector<std::string>(ScriptedLog& log, std::size_t attempt,
                                                        const Received& order)>;

  // Listens when this returns, and again when a broker that was gone is back.
  ScriptedLog(const std::string& url, Script script);
  ~ScriptedLog();
  ScriptedLog(const ScriptedLog&) = delete;
  ScriptedLog& operator=(const ScriptedLog&) = delete;
  ScriptedLog(ScriptedLog&&) = delete;
  ScriptedLog& operator=(ScriptedLog&&) = delete;

  // Whether anybody takes orders: else the broker says "no responders". The API stays.
  void listen(bool does);

  // A new entry; returns its sequence. By the process that sent it, or by another.
  std::uint64_t store(const Received& order);
  std::uint64_t store_by_other(const Received& order);
  // Of another process: what is no copy of an order.
  std::uint64_t store_text(const std::string& payload);

  // A new entry under a subject of its own, as of a bucket; nobody is told.
  void store_untold(const std::string& subject, const std::string& payload);
  // How often somebody has asked what the stream holds.
  [[nodiscard]] std::size_t looks() const;

  [[nodiscard]] std::vector<Received> attempts() const;
  [[nodiscard]] bool wait_for(std::size_t attempts, std::chrono::milliseconds limit) const;
  // A late answer; the broker has it when this returns.
  void answer(const Received& attempt, const std::string& text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What brokers answer.
[[nodiscard]] std::string stored_ack(std::uint64_t sequence);     // all
[[nodiscard]] std::string duplicate_ack(std::uint64_t sequence);  // of a known id; of 0: 2.10
[[nodiscard]] std::string stream_error(int code, int error_code, const std::string& description);

}  // namespace rts::test
