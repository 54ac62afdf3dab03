// Version and commit of this build; both come from git at build time (cmake/Version.cmake).
#pragma once

namespace rts {

extern const char* const kVersion;  // "1.2.3", "1.2.3-4-gabc", or "0.0.0+g<commit>" without a tag
extern const char* const kCommit;   // 40 hex digits, or "unknown"

// Compiler and build type: "gcc 12.2.0 RelWithDebInfo".
extern const char* const kBuild;

}  // namespace rts
