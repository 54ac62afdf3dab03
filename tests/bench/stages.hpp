// The engine taken apart: what each stage does with frames of one kind and nothing else, so that
// its time, its instructions and its allocations can be taken one by one.
//
//   decode    wire::FrameReader, text to fields        of every frame
//   admit     Intake, the rules of the feed            of every frame
//   strategy  the strategy and what it remembers       of every frame
//   gate      Gate: limits, id and size                of a signal that passes
//   encode    append_json                              of an order
//   step      Engine::step, which is the first three for a frame that is no order
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rts::test {

class Stage {
 public:
  Stage() = default;
  virtual ~Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  Stage(Stage&&) = delete;
  Stage& operator=(Stage&&) = delete;

  // As it is before the first frame; not to be measured.
  virtual void prepare() {}
  // Takes each frame once; the result is there so that the work is not optimised away.
  virtual std::size_t run() = 0;
  [[nodiscard]] virtual std::size_t frames() const = 0;
};

inline constexpr std::array<std::string_view, 6> kStages{"step",     "decode", "admit",
                                                         "strategy", "gate",   "encode"};

// What a stage wants: the first to warm up with, the others to be measured with.
inline constexpr std::size_t kStageFrames = 2'300;

// Of kStageFrames frames of BenchFrames. Throws std::invalid_argument for an unknown stage.
[[nodiscard]] std::unique_ptr<Stage> make_stage(std::string_view stage,
                                                const std::vector<std::string>& frames);

}  // namespace rts::test
