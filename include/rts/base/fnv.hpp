// FNV-1a, 64 bits: a hash that is the same on every machine and in every version, for tables and to
// see that a text has changed. Not cryptographic. Source: draft-eastlake-fnv. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace rts {

// Of a text, with `ignored` bits of each byte counted as set: 'a' ^ 'A' makes the case not matter.
[[nodiscard]] constexpr std::uint64_t fnv1a(std::string_view text,
                                            unsigned char ignored = 0) noexcept {
  std::uint64_t hash = 0xCBF2'9CE4'8422'2325;
  for (const char c : text) {
    hash = (hash ^ (static_cast<unsigned char>(c) | ignored)) * 0x100'0000'01B3;
  }
  return hash;
}

static_assert(fnv1a("a") == 0xAF63'DC4C'8601'EC8C);

}  // namespace rts
