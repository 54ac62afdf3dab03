// /decisions as text: what a stranger has sent reaches no terminal as it is.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/engine/engine.hpp>

#include "service/status.hpp"
#include "support/endings.hpp"
#include "support/engine_run.hpp"
#include "support/frames.hpp"

namespace rts::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Decisions, AsTextAreFitForATerminal) {
  const config::Configuration configuration = configured({});
  EngineParameters parameters = usual_parameters();
  parameters.symbols.clear();
  Engine engine(parameters);
  service::Counts counts(engine.symbols());
  // CSI, as one character
  const Step step = engine.step(trade({.symbol = "A\xC2\x9BUSDT"}).json(), std::nullopt);
  counts.add(step, UnixNs(), service::SteadyTime());
  const service::State state{.configuration = configuration, .counts = counts};

  const http::Response said = decisions_response(state, "format=text");
  EXPECT_EQ(said.status, 200U);
  EXPECT_EQ(said.content_type, "text/plain; charset=utf-8");
  EXPECT_THAT(said.body, AllOf(HasSubstr(" A\\xc2\\x9bUSDT trade_momentum warming_up: "),
                               Not(HasSubstr("\x9B"))));

  const http::Response refused = decisions_response(state, "format=text&symbol=%1B%9B");
  EXPECT_EQ(refused.status, 400U);
  EXPECT_EQ(refused.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(refused.body, "symbol: '\\x1b\\x9b' is not accepted; accepted: the name of a symbol\n");
}

}  // namespace
}  // namespace rts::test
