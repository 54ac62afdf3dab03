#include "commands/recording_tape.hpp"

#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>

namespace rts::commands {
namespace {

UnixNs now() {
  return std::chrono::floor<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

RecordingTape::Written written_of(const RecordingWriter& writer) {
  return {writer.path(), writer.files(), writer.bytes(), writer.failed(), writer.problem()};
}

}  // namespace

RecordingTape::RecordingTape(boost::asio::io_context& loop, const RecordingPlan& plan,
                             Outputs outputs, std::function<void()> on_written)
    : loop_(loop),
      rotation_(plan.rotation),
      writer_(plan, std::move(outputs), now()),
      on_written_(std::move(on_written)),
      written_(written_of(writer_)) {}

std::string* RecordingTape::room(UnixNs at) {
  return waiting_bytes_ < kMaxWaitingBytes ? &lines_at(at) : nullptr;
}

void RecordingTape::appended(std::size_t bytes) {
  waiting_bytes_ += bytes;
  if (!is_writing_) hand_over();
}

void RecordingTape::add(UnixNs at, std::string_view line) {
  lines_at(at) += line;
  appended(line.size());
}

void RecordingTape::set_head(std::string head) {
  head_ = std::make_shared<const std::string>(std::move(head));
}

void RecordingTape::flush() {
  is_flush_due_ = true;
  if (!is_writing_) hand_over();
}

void RecordingTape::finish(std::function<void()> done) {
  done_ = std::move(done);
  if (!is_writing_) hand_over();
}

// Lines of one batch go into one file, with one head.
std::string& RecordingTape::lines_at(UnixNs at) {
  const bool fits = !batches_.empty() && batches_.back().head == head_ &&
                    batches_.back().lines.size() < kBatchBytes &&
                    rotation_.period_of(batches_.back().at) == rotation_.period_of(at);
  if (!fits) batches_.push_back({at, head_, {}});
  return batches_.back().lines;
}

void RecordingTape::hand_over() {
  is_writing_ = true;
  is_ending_ = done_ != nullptr;
  boost::asio::post(thread_, [this, batches = std::exchange(batches_, {}), is_end = is_ending_,
                              is_flush = std::exchange(is_flush_due_, false)] {
    std::size_t bytes = 0;
    for (const auto& [at, head, lines] : batches) {
      writer_.write(at, *head, lines);
      bytes += lines.size();
    }
    if (is_end) {
      writer_.finish();
    } else if (is_flush) {
      writer_.flush(now());
    }
    boost::asio::post(loop_,
                      [this, bytes, written = written_of(writer_)] { take_back(bytes, written); });
  });
}

void RecordingTape::take_back(std::size_t bytes, Written written) {
  is_writing_ = false;
  waiting_bytes_ -= bytes;
  written_ = std::move(written);
  if (is_ending_) return done_();
  if (done_ || is_flush_due_ || !batches_.empty()) hand_over();
  on_written_();
}

}  // namespace rts::commands
