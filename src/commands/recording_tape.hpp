// The way of a recording's lines from the loop's thread to the disk: they are collected here and
// written on a thread of their own, so that a disk that stands still holds up nothing but them.
// Nothing is shared: batches are handed over, and what came of them is posted back.
//
// Thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <rts/base/time.hpp>

#include "commands/recording_writer.hpp"

namespace rts::commands {

class RecordingTape {
 public:
  // So much may wait for the disk. At 20 MB/s, a busy feed of all symbols, it is three seconds; at
  // that of a few symbols minutes.
  static constexpr std::size_t kMaxWaitingBytes = std::size_t{64} << 20U;
  // Of what is written at once, so that a file does not get much larger than it is meant to.
  static constexpr std::size_t kBatchBytes = std::size_t{256} << 10U;

  // As the writer has it, after what was written last.
  struct Written {
    std::string path;
    std::uint64_t files = 0, bytes = 0;
    bool failed = false;
    std::string problem{};
  };

  // Opens the first file; throws CommandError. `on_written` runs on the loop, which outlives this.
  RecordingTape(boost::asio::io_context& loop, const RecordingPlan& plan, Outputs outputs,
                std::function<void()> on_written);

  // Where a line that was received at this time is to be appended; then appended() is to be called.
  // Null: too much waits for the disk.
  [[nodiscard]] std::string* room(UnixNs at);
  void appended(std::size_t bytes);
  // A line that is added whether there is room or not: there have to be few of them.
  void add(UnixNs at, std::string_view line);
  // With which a file begins whose first line comes after this.
  void set_head(std::string head);

  // Soon all so far is readable.
  void flush();
  // Writes all that waits, and ends the file; `done` runs on the loop. Once, and nothing after it.
  void finish(std::function<void()> done);

  [[nodiscard]] const Written& written() const noexcept { return written_; }

 private:
  struct Batch {
    UnixNs at;  // of its first line
    std::shared_ptr<const std::string> head;
    std::string lines;
  };

  std::string& lines_at(UnixNs at);
  void hand_over();
  void take_back(std::size_t bytes, Written written);

  boost::asio::io_context& loop_;
  const Rotation rotation_;
  RecordingWriter writer_;  // of the other thread, from the first batch on
  std::function<void()> on_written_;
  std::deque<Batch> batches_;
  std::shared_ptr<const std::string> head_ = std::make_shared<std::string>();
  std::size_t waiting_bytes_ = 0;
  bool is_writing_ = false, is_flush_due_ = false, is_ending_ = false;
  std::function<void()> done_;  // it is to end
  Written written_;
  boost::asio::thread_pool thread_{1};  // the last: it ends before what it uses
};

}  // namespace rts::commands
