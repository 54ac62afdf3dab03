// The made-up market, as far as a service has to be able to tell it from a real one.
#include "simulation/market.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace rts::simulation {
namespace {

TEST(Market, SaysInEveryEnvelopeThatItIsASimulation) {
  Market market({*Symbol::from("BTCUSDT"), *Symbol::from("XRPUSDT")}, 1);
  UnixMs now{std::chrono::seconds(1'721'347'200)};
  std::size_t envelopes = 0;
  for (int i = 0; i < 5'000; ++i, now += std::chrono::milliseconds(5)) {
    const std::string frame(market.next_frame(now));
    // Some are cut in the middle, and acknowledgements have no envelope.
    if (!frame.starts_with(R"({"stream":)") || !frame.ends_with("}")) continue;
    if (frame.find(R"("timestamp":)") == std::string::npos) continue;
    ++envelopes;
    EXPECT_NE(frame.find(R"("source":"simulation")"), std::string::npos) << frame;
    EXPECT_EQ(frame.find("binance-websocket"), std::string::npos) << frame;
  }
  EXPECT_GT(envelopes, 4'900U);
}

}  // namespace
}  // namespace rts::simulation
