// Credentials out of files: texts, NKey seeds and .creds files. Private to this room; helper
// threads only: it reads. Source: NATS "nkeys" (prefix byte, Ed25519 key, CRC-16/XMODEM, in
// base32).
//
// nats.c 3.4.1 takes NKeys and .creds by the name of a file only, which it would show in its
// errors, and wants the public key beside the seed. So the files are read here and the public key
// is derived from the seed; nats_Sign signs with it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <rts/base/result.hpp>
#include <rts/base/secret.hpp>

namespace rts::nats {

// The content of a regular file of at most 64 KiB, without the line end at its end. The error names
// the setting that holds the path, and neither path nor content:
// "NATS_TOKEN_FILE: cannot be read: Permission denied".
[[nodiscard]] Result<Secret, std::string> read_secret_file(std::string_view setting,
                                                           const Secret& path);

// Who we are, signed by the account, and the key to prove it.
struct UserCredentials {
  Secret jwt;              // empty: the key alone says who we are
  Secret seed;             // "SU…", for nats_Sign
  std::string public_key;  // "U…", by which the broker knows us
};

// Of the seed alone; nothing when the text is not the seed of a user. Blanks around it do not
// matter.
[[nodiscard]] std::optional<UserCredentials> parse_user_seed(std::string_view text);
// What a .creds file holds; nothing when the JWT or the seed is missing.
[[nodiscard]] std::optional<UserCredentials> parse_user_credentials(std::string_view text);

}  // namespace rts::nats
