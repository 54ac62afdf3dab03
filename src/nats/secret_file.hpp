// A secret out of a file. Private to this room; helper threads only: it reads.
#pragma once

#include <string>
#include <string_view>

#include <rts/base/result.hpp>
#include <rts/base/secret.hpp>

namespace rts::nats {

// The content of a regular file of at most 64 KiB, without the line end at its end. The error names
// the setting that holds the path, and neither path nor content:
// "NATS_TOKEN_FILE: cannot be read: Permission denied".
Result<Secret, std::string> read_secret_file(std::string_view setting, const Secret& path);

}  // namespace rts::nats
