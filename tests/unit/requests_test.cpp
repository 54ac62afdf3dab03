// The table of requests that await a reply: each ends exactly once, whatever its handler does.
#include "nats/requests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/base/enum_names.hpp>

namespace rts::nats {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Kind = Reply::Kind;

const Requests::TimePoint kStart{1h};

class RequestsTable : public testing::Test {
 protected:
  // A request that notes how it ended: "a answered".
  std::uint64_t add(const std::string& name, Requests::TimePoint deadline = kStart,
                    const std::string& subject = "subject") {
    return requests.add(subject, deadline, 0ms, [this, name](const Reply& reply) {
      ends.push_back(name + " " + text(reply));
      return AfterReply::done;
    });
  }
  static std::string text(const Reply& reply) {
    std::string text(to_string(reply.kind));
    if (reply.kind == Kind::answered) text.append(" ").append(reply.payload);
    return text;
  }

  Requests requests;
  std::vector<std::string> ends;
};

TEST_F(RequestsTable, HandsAReplyToWhoAwaitsItOnce) {
  const auto a = add("a");
  const auto b = add("b");
  EXPECT_TRUE(requests.reply(b, Kind::answered, "yes"));
  EXPECT_FALSE(requests.reply(b, Kind::answered, "yes"));
  EXPECT_FALSE(requests.reply(b + 1, Kind::answered, "yes"));
  EXPECT_FALSE(requests.reply(0, Kind::answered, "yes"));
  EXPECT_THAT(ends, ElementsAre("b answered yes"));
  EXPECT_EQ(requests.size(), 1U);
  EXPECT_TRUE(requests.reply(a, Kind::no_responders, {}));
  EXPECT_EQ(requests.size(), 0U);
  EXPECT_FALSE(requests.next_deadline().has_value());
}

TEST_F(RequestsTable, NeverUsesANumberAgain) {
  const auto first = add("a");
  requests.forget(first);
  const auto second = add("b");
  EXPECT_NE(first, second);
  EXPECT_NE(first, 0U);
  EXPECT_FALSE(requests.reply(first, Kind::answered, "yes"));
  EXPECT_THAT(ends, IsEmpty());
}

TEST_F(RequestsTable, ForgettingCallsNobody) {
  const auto a = add("a");
  requests.forget(a);
  requests.forget(a);
  EXPECT_EQ(requests.size(), 0U);
  EXPECT_FALSE(requests.next_deadline().has_value());
  requests.expire(kStart + 1h);
  requests.end_all(Kind::connection_lost);
  EXPECT_THAT(ends, IsEmpty());
}

TEST_F(RequestsTable, ExpiresInTheOrderOfTheDeadlinesAndNotBeforeThem) {
  add("late", kStart + 3ms);
  add("early", kStart + 1ms);
  add("middle", kStart + 2ms);
  EXPECT_EQ(requests.next_deadline(), kStart + 1ms);
  requests.expire(kStart);
  EXPECT_THAT(ends, IsEmpty());
  requests.expire(kStart + 2ms);
  EXPECT_THAT(ends, ElementsAre("early timed_out", "middle timed_out"));
  EXPECT_EQ(requests.next_deadline(), kStart + 3ms);
}

TEST_F(RequestsTable, KeepsTwoOfTheSameDeadlineApart) {
  const auto a = add("a");
  add("b");
  requests.reply(a, Kind::answered, "yes");
  requests.expire(kStart);
  EXPECT_THAT(ends, ElementsAre("a answered yes", "b timed_out"));
}

TEST_F(RequestsTable, WhoKeepsWaitingAfterAnAnswerKeepsHisNumberAndHisDeadline) {
  int calls = 0;
  const auto a = requests.add("subject", kStart, 5ms, [&](const Reply& reply) {
    ends.push_back(text(reply));
    return ++calls < 3 ? AfterReply::keep_waiting : AfterReply::done;
  });
  EXPECT_TRUE(requests.reply(a, Kind::answered, "yes"));
  EXPECT_TRUE(requests.reply(a, Kind::no_responders, {}));
  EXPECT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests.next_deadline(), kStart + 5ms);
  requests.expire(kStart + 5ms);
  EXPECT_THAT(ends, ElementsAre("answered yes", "no_responders", "timed_out"));
  EXPECT_EQ(requests.size(), 0U);
}

TEST_F(RequestsTable, WhoKeepsWaitingAfterATimeOutWaitsAsLongAgainUnderHisNumber) {
  std::vector<std::uint64_t> numbers;
  const auto a = requests.add("subject", kStart, 5ms, [&](const Reply& reply) {
    ends.push_back(text(reply));
    numbers.push_back(reply.number);
    return reply.kind == Kind::timed_out ? AfterReply::keep_waiting : AfterReply::done;
  });
  requests.expire(kStart + 7ms);
  EXPECT_EQ(requests.next_deadline(), kStart + 12ms);
  requests.expire(kStart + 12ms);
  EXPECT_TRUE(requests.reply(a, Kind::answered, "late"));
  EXPECT_THAT(ends, ElementsAre("timed_out", "timed_out", "answered late"));
  EXPECT_THAT(numbers, ElementsAre(a, a, a));
  EXPECT_FALSE(requests.next_deadline().has_value());
}

// A lost connection and a denial cannot be waited out.
TEST_F(RequestsTable, NobodyKeepsWaitingAfterTheEnd) {
  const auto stubborn = [&](const Reply& reply) {
    ends.push_back(text(reply));
    return AfterReply::keep_waiting;
  };
  requests.add("subject", kStart, 0ms, stubborn);
  requests.end_all(Kind::connection_lost);
  requests.add("subject", kStart, 0ms, stubborn);
  requests.deny("subject");
  EXPECT_THAT(ends, ElementsAre("connection_lost", "denied"));
  EXPECT_EQ(requests.size(), 0U);
  EXPECT_FALSE(requests.next_deadline().has_value());
}

TEST_F(RequestsTable, DeniesThoseOfOneSubject) {
  add("a", kStart, "orders");
  add("b", kStart, "orders.other");
  add("c", kStart, "orders");
  requests.deny("orders");
  requests.deny("order");
  EXPECT_THAT(ends, UnorderedElementsAre("a denied", "c denied"));
  EXPECT_EQ(requests.size(), 1U);
}

// What the broker has taken before it lost us the permission is not what it refuses.
TEST_F(RequestsTable, DoesNotDenyWhatHasArrived) {
  requests.arrived(add("a", kStart, "orders"));
  add("b", kStart, "orders");
  requests.deny("orders");
  EXPECT_THAT(ends, ElementsAre("b denied"));
}

// The broker names the subject, not the message.
TEST_F(RequestsTable, OfSeveralThatMayBeMeantNoDenialIsCertain) {
  std::vector<bool> certain;
  const auto note = [&](const Reply& reply) {
    certain.push_back(reply.certain);
    return AfterReply::done;
  };
  requests.add("orders", kStart, 0ms, note);
  requests.deny("orders");
  requests.add("orders", kStart, 0ms, note);
  requests.add("orders", kStart, 0ms, note);
  requests.deny("orders");
  EXPECT_THAT(certain, ElementsAre(true, false, false));
}

TEST_F(RequestsTable, ARenewedOneWaitsItsWholeTimeAgain) {
  const auto a = requests.add("subject", kStart, 5ms, [&](const Reply& reply) {
    ends.push_back(text(reply));
    return AfterReply::done;
  });
  requests.renew(a, kStart + 4ms);
  requests.renew(a + 1, kStart);
  requests.expire(kStart + 8ms);
  EXPECT_THAT(ends, IsEmpty());
  requests.expire(kStart + 9ms);
  EXPECT_THAT(ends, ElementsAre("timed_out"));
}

TEST_F(RequestsTable, ATimeOutSaysWhetherTheRequestHadArrived) {
  std::vector<bool> arrived;
  const auto note = [&](const Reply& reply) {
    arrived.push_back(reply.arrived);
    return AfterReply::done;
  };
  requests.add("subject", kStart, 0ms, note);
  requests.arrived(requests.add("subject", kStart, 0ms, note));
  requests.arrived(99);
  requests.expire(kStart);
  EXPECT_THAT(arrived, ElementsAre(false, true));
}

TEST_F(RequestsTable, EndsAllOnce) {
  add("a");
  add("b");
  requests.end_all(Kind::connection_lost);
  requests.end_all(Kind::connection_lost);
  requests.expire(kStart + 1h);
  EXPECT_THAT(ends, UnorderedElementsAre("a connection_lost", "b connection_lost"));
}

// Whatever ends a request, its handler may make another, which that ending does not touch.
TEST_F(RequestsTable, AHandlerMayMakeNewRequests) {
  const auto renewing = [&](Requests::TimePoint deadline) {
    return requests.add("subject", deadline, 0ms, [&](const Reply& reply) {
      ends.push_back(text(reply));
      add("new", kStart + 1h);
      return AfterReply::done;
    });
  };
  const auto expect_only_new = [&](const std::string& ended) {
    EXPECT_THAT(ends, ElementsAre(ended));
    EXPECT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests.next_deadline(), kStart + 1h);
    requests.end_all(Kind::connection_lost);
    ends.clear();
  };
  requests.reply(renewing(kStart), Kind::answered, "yes");
  expect_only_new("answered yes");
  renewing(kStart);
  requests.expire(kStart);
  expect_only_new("timed_out");
  renewing(kStart);
  requests.deny("subject");
  expect_only_new("denied");
  renewing(kStart);
  requests.end_all(Kind::connection_lost);
  expect_only_new("connection_lost");
}

TEST_F(RequestsTable, AHandlerMayForgetAnotherThatIsAboutToEnd) {
  std::uint64_t other = 0;
  requests.add("subject", kStart, 0ms, [&](const Reply& reply) {
    ends.push_back(text(reply));
    requests.forget(other);
    return AfterReply::done;
  });
  other = add("other");
  requests.deny("subject");
  EXPECT_THAT(ends, ElementsAre("denied"));
  EXPECT_EQ(requests.size(), 0U);
}

}  // namespace
}  // namespace rts::nats
