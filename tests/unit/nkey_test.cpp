// NKeys and .creds files, against keys of the test's own making; nats.c signs with their seeds.
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>
#include <nats/nats.h>

#include "nats/credentials.hpp"
#include "support/nats_identity.hpp"

namespace rts::nats {
namespace {

using test::NatsKey;
using test::NatsOperator;

// From the NATS documentation on NKeys.
constexpr const char* kKnownSeed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
constexpr const char* kKnownPublic = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

std::string signature_by_nats_c(const std::string& seed, const char* text) {
  EXPECT_EQ(nats_Open(-1), NATS_OK);
  unsigned char* signature = nullptr;
  int size = 0;
  EXPECT_EQ(nats_Sign(seed.c_str(), text, &signature, &size), NATS_OK);
  std::string bytes(reinterpret_cast<const char*>(signature), static_cast<std::size_t>(size));
  std::free(signature);
  nats_Close();
  return bytes;
}

TEST(UserSeed, HasThePublicKeyThatIsDocumentedForIt) {
  const auto key = parse_user_seed(kKnownSeed);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->public_key, kKnownPublic);
}

TEST(UserSeed, IsWhatNatsCSignsWith) {
  for (int i = 0; i < 20; ++i) {
    const NatsKey made('U');
    const auto key = parse_user_seed(made.seed());
    ASSERT_TRUE(key) << made.seed();
    EXPECT_EQ(key->public_key, made.public_key());
    EXPECT_EQ(signature_by_nats_c(key->seed.reveal(), "a nonce"), made.sign("a nonce"));
  }
}

TEST(UserSeed, IsReadWithBlanksAroundIt) {
  const auto key = parse_user_seed(std::string(" \n") + kKnownSeed + "\r\n");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->seed.reveal(), kKnownSeed);
}

TEST(UserSeed, IsAUsersAndNothingElse) {
  const NatsKey user('U');
  const std::string seed = user.seed();
  for (const std::string& text :
       {std::string(), std::string("SU"), user.public_key(), NatsKey('A').seed(),
        NatsKey('O').seed(), seed.substr(1), seed + "A", seed.substr(0, seed.size() - 1),
        std::string(58, 'A'), std::string(58, '1'), "s" + seed.substr(1)}) {
    EXPECT_FALSE(parse_user_seed(text)) << text;
  }
}

TEST(UserSeed, IsNoneWhenOneLetterIsWrong) {
  const std::string seed = NatsKey('U').seed();
  for (std::size_t i = 0; i + 1 < seed.size(); ++i) {
    std::string wrong = seed;
    wrong[i] = wrong[i] == 'B' ? 'C' : 'B';
    EXPECT_FALSE(parse_user_seed(wrong)) << i;
  }
}

TEST(UserCredentials, AreTheJwtAndTheKey) {
  const NatsKey user('U');
  const std::string text = NatsOperator().creds(user);
  const auto creds = parse_user_credentials(text);
  ASSERT_TRUE(creds);
  EXPECT_EQ(creds->public_key, user.public_key());
  EXPECT_NE(text.find("\n" + creds->jwt.reveal() + "\n"), std::string::npos);
  EXPECT_EQ(creds->jwt.reveal().substr(0, 3), "eyJ");
}

TEST(UserCredentials, AreNoneWhenSomethingIsMissing) {
  const std::string text = NatsOperator().creds(NatsKey('U'));
  const std::size_t seed = text.find("-----BEGIN USER NKEY SEED");
  std::string quoted = text;
  quoted.insert(text.find("eyJ"), "\"");
  for (const std::string& bad :
       {std::string(), text.substr(0, seed), text.substr(seed), NatsKey('U').seed(), quoted,
        text.substr(0, text.find("eyJ")), std::string("-----BEGIN NATS USER JWT-----")}) {
    EXPECT_FALSE(parse_user_credentials(bad)) << bad;
  }
  EXPECT_FALSE(parse_user_credentials(NatsOperator().creds(NatsKey('A')))) << "no user's key";
}

}  // namespace
}  // namespace rts::nats
