# Version and commit come from git alone, at build time: run as a script by the rts_version target,
# it rewrites OUTPUT only when they changed.
#   cmake -DSOURCE=<dir> -DOUTPUT=<file> -DBUILD=<words> -P Version.cmake
execute_process(
  COMMAND git describe --tags --match "v[0-9]*" --dirty
  WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE version ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
execute_process(
  COMMAND git rev-parse HEAD
  WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT commit MATCHES "^[0-9a-f]+$")
  set(commit "unknown")
endif()
if(version)
  string(REGEX REPLACE "^v" "" version "${version}")
elseif(commit STREQUAL "unknown")
  set(version "0.0.0")
else()
  string(SUBSTRING "${commit}" 0 12 short)
  set(version "0.0.0+g${short}")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[
#include "app/version.hpp"

namespace rts::app {
const char* const kVersion = "@version@";
const char* const kCommit = "@commit@";
const char* const kBuild = "@BUILD@";
}  // namespace rts::app
]] @ONLY)
