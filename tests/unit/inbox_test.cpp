// What is known of the path to the broker from the heartbeats that are back: since when it is
// unconfirmed, what has to have arrived by when, and of which request the broker speaks.
#include "nats/inbox.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/base/enum_names.hpp>

namespace rts::nats {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const Inbox::TimePoint kStart{1h};
constexpr auto kNever = Inbox::TimePoint::max();

class NatsInbox : public testing::Test {
 protected:
  void send(Inbox::TimePoint now = kStart) {
    subjects.push_back(inbox.next_heartbeat());
    inbox.heartbeat_sent(now);
  }
  void back(std::uint64_t number) { inbox.take("in.hb." + std::to_string(number), ""); }
  // A request that notes how it ended: "a no_responders".
  std::uint64_t request(const std::string& name, Inbox::TimePoint arrive_by = kNever,
                        Inbox::TimePoint now = kStart) {
    const auto number = requests.add("s", kStart, 1s, [this, name](const Reply& reply) {
      ends.push_back(name + " " + std::string(to_string(reply.kind)));
      return AfterReply::done;
    });
    inbox.request_sent(number, now, arrive_by);
    return number;
  }

  Requests requests;
  std::vector<std::string> ends;
  std::vector<std::string> unexpected;
  std::vector<std::string> subjects;
  Inbox inbox{"in", requests, [this](auto subject) { unexpected.emplace_back(subject); }};
};

TEST_F(NatsInbox, HeartbeatsAreCountedFromOne) {
  EXPECT_EQ(inbox.last_sent(), 0U);
  send();
  send();
  EXPECT_THAT(subjects, ElementsAre("in.hb.1", "in.hb.2"));
  EXPECT_EQ(inbox.last_sent(), 2U);
  EXPECT_EQ(inbox.last_returned(), 0U);
}

TEST_F(NatsInbox, IsUnansweredSinceTheOldestHeartbeatThatHasNotComeBack) {
  EXPECT_EQ(inbox.unanswered_for(kStart + 9s), 0s);
  send(kStart);
  send(kStart + 2s);
  EXPECT_EQ(inbox.unanswered_for(kStart + 3s), 3s);
  back(1);
  EXPECT_EQ(inbox.unanswered_for(kStart + 3s), 1s);
  back(2);
  EXPECT_EQ(inbox.unanswered_for(kStart + 9s), 0s);
}

// The broker handles all in order, and a read may show a later one first when some are dropped.
TEST_F(NatsInbox, AHeartbeatThatIsBackStandsForThoseBeforeIt) {
  for (int i = 0; i < 100; ++i) send(kStart + i * 1s);
  EXPECT_EQ(inbox.unanswered_for(kStart + 100s), 100s);
  back(90);
  EXPECT_EQ(inbox.unanswered_for(kStart + 100s), 10s);
  back(80);
  EXPECT_EQ(inbox.last_returned(), 90U);
  EXPECT_EQ(inbox.unanswered(), 10U);
}

TEST_F(NatsInbox, HeartbeatsThatWereNeverSentCountForNothing) {
  send();
  back(7);
  back(0);
  inbox.take("in.hb.x", "");
  EXPECT_EQ(inbox.last_returned(), 0U);
  EXPECT_THAT(unexpected, IsEmpty());
}

// The handshake's answer is the first confirmation.
TEST_F(NatsInbox, IsUnconfirmedSinceTheLastHeartbeatThatCameBackWasSent) {
  send(kStart);
  EXPECT_EQ(inbox.unconfirmed_for(kStart + 1s), 1s);
  send(kStart + 2s);
  EXPECT_EQ(inbox.unconfirmed_for(kStart + 3s), 3s);
  back(1);
  EXPECT_EQ(inbox.unconfirmed_for(kStart + 3s), 3s) << "what was sent after it is not confirmed";
  back(2);
  EXPECT_EQ(inbox.unconfirmed_for(kStart + 4s), 2s) << "never less than its round trip";
  EXPECT_EQ(inbox.unanswered_for(kStart + 9s), 0s);
  EXPECT_EQ(inbox.unconfirmed_for(kStart + 9s), 7s) << "also when none is missing";
}

TEST_F(NatsInbox, ALateHeartbeatConfirmsNoMoreThanWhatStoodBeforeIt) {
  for (int i = 0; i < 100; ++i) send(kStart + i * 1s);
  EXPECT_EQ(inbox.unconfirmed_for(kStart + 100s), 100s);
  back(10);
  EXPECT_EQ(inbox.unconfirmed_for(kStart + 100s), 91s);
  back(99);
  EXPECT_EQ(inbox.unconfirmed_for(kStart + 100s), 2s);
}

TEST_F(NatsInbox, AnArrivalIsAwaitedUntilAHeartbeatBehindItIsBack) {
  EXPECT_EQ(inbox.first_arrival(), kNever);
  request("a", kStart + 5s);
  EXPECT_TRUE(inbox.heartbeat_has_to_follow());
  EXPECT_EQ(inbox.first_arrival(), kStart + 5s) << "also before the heartbeat has left";
  send();
  EXPECT_FALSE(inbox.heartbeat_has_to_follow());
  request("b", kStart + 1s);
  send();
  request("c");
  send();
  request("d", kStart + 3s);
  send();
  EXPECT_EQ(inbox.first_arrival(), kStart + 1s);
  back(0);
  EXPECT_EQ(inbox.unanswered(), 4U);
  back(3);
  EXPECT_EQ(inbox.first_arrival(), kStart + 3s);
  back(4);
  EXPECT_EQ(inbox.first_arrival(), kNever);
  EXPECT_EQ(inbox.unanswered(), 0U);
}

TEST_F(NatsInbox, NoRespondersIsSaidOfTheRequestBeforeTheNextHeartbeatThatComesBack) {
  send();
  request("a");
  send();
  request("b");
  send();
  back(1);
  back(2);
  inbox.take_no_responders();
  EXPECT_THAT(ends, IsEmpty());
  back(3);
  EXPECT_THAT(ends, ElementsAre("b no_responders"));
  EXPECT_EQ(requests.size(), 1U);
}

TEST_F(NatsInbox, NoRespondersThatNoRequestCanHaveCausedIsUnexpected) {
  send();
  inbox.take_no_responders();
  EXPECT_THAT(unexpected, ElementsAre("in"));
  request("a");
  inbox.take_no_responders();
  send();
  back(2);
  EXPECT_THAT(ends, ElementsAre("a no_responders"));
  inbox.take_no_responders();
  EXPECT_THAT(unexpected, ElementsAre("in", "in"));
}

// By way of the order log an order is sent right behind the acknowledgement of its entry.
TEST_F(NatsInbox, NoHeartbeatHasToFollowARequestThatIsAnswered) {
  send();
  back(1);
  const auto number = request("a", kStart + 5s, kStart + 1s);
  inbox.take("in.r." + std::to_string(number), "");
  EXPECT_THAT(ends, ElementsAre("a answered"));
  EXPECT_FALSE(inbox.heartbeat_has_to_follow());
  EXPECT_EQ(inbox.first_arrival(), kNever) << "it has arrived";
  EXPECT_EQ(inbox.unconfirmed_for(kStart + 3s), 2s) << "so the path was sound when it was sent";
  // And what the broker says next is not of it.
  request("b");
  inbox.take_no_responders();
  send();
  back(2);
  EXPECT_THAT(ends, ElementsAre("a answered", "b no_responders"));
}

// Found in review: the late answer to the first says nothing of the second, and that nobody listens
// was taken to be about the request behind it.
TEST_F(NatsInbox, ACopyIsNotKnownToHaveArrivedByAnAnswer) {
  send();
  back(1);
  const auto number = requests.add("s", kStart, 1s, [this](const Reply& reply) {
    ends.push_back(std::string(to_string(reply.kind)));
    return AfterReply::keep_waiting;
  });
  inbox.request_sent(number, kStart, kNever);
  send();
  inbox.request_sent(number, kStart, kStart + 5s);
  inbox.take_no_responders();
  inbox.take("in.r." + std::to_string(number), "");
  EXPECT_TRUE(inbox.heartbeat_has_to_follow());
  EXPECT_EQ(inbox.first_arrival(), kStart + 5s);
  send();
  request("behind it");
  send();
  back(4);
  EXPECT_EQ(ends.front(), "answered");
  EXPECT_THAT(ends, testing::Not(testing::Contains("behind it no_responders")));
}

TEST_F(NatsInbox, ARequestThatHasArrivedIsNotDenied) {
  request("a");
  send();
  back(1);
  request("b");
  send();
  requests.deny("s");
  EXPECT_THAT(ends, ElementsAre("b denied"));
}

}  // namespace
}  // namespace rts::nats
