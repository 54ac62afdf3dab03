# Version and commit come from git alone, at build time. Run as a script by the rts_version target, it
# rewrites OUTPUT only when they changed; without OUTPUT it prints them, for whoever packs the build.
#   cmake -DSOURCE=<dir> [-DOUTPUT=<file> -DBUILD=<words>] -P Version.cmake
# Where the build is taken away from its git, as in an image, RTS_VERSION and RTS_COMMIT in the
# environment carry what this script has printed outside.
execute_process(
  COMMAND git describe --tags --match "v[0-9]*" --dirty
  WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE version ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
execute_process(
  COMMAND git rev-parse HEAD
  WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT "$ENV{RTS_COMMIT}" STREQUAL "")
  set(commit "$ENV{RTS_COMMIT}")
elseif(NOT commit MATCHES "^[0-9a-f]+$")
  set(commit "unknown")
endif()
if(NOT "$ENV{RTS_VERSION}" STREQUAL "")
  set(version "$ENV{RTS_VERSION}")
elseif(version)
  string(REGEX REPLACE "^v" "" version "${version}")
elseif(commit STREQUAL "unknown")
  set(version "0.0.0")
else()
  string(SUBSTRING "${commit}" 0 12 short)
  set(version "0.0.0+g${short}")
endif()
if(NOT OUTPUT)
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${version} ${commit}")
  return()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[
#include <rts/base/version.hpp>

namespace rts {
const char* const kVersion = "@version@";
const char* const kCommit = "@commit@";
const char* const kBuild = "@BUILD@";
}  // namespace rts
]] @ONLY)
