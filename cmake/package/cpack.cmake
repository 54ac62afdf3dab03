# The package's version: what git says, as Debian writes versions. "1.2.3-4-gabc" is four commits
# after 1.2.3, hence later than it, and not the fourth packaging of it. Without a tag a hash would
# decide which version is newer: the count of commits goes before it.
execute_process(
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${CPACK_SOURCE_DIR_OF_GIT}
          -P ${CPACK_SOURCE_DIR_OF_GIT}/cmake/Version.cmake
  OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE " .*" "" said "${said}")
string(REPLACE "-" "+" CPACK_PACKAGE_VERSION "${said}")
if(CPACK_PACKAGE_VERSION MATCHES "^0\\.0\\.0\\+(g[0-9a-f]+)$")
  set(hash ${CMAKE_MATCH_1})
  execute_process(
    COMMAND git rev-list --count HEAD
    WORKING_DIRECTORY ${CPACK_SOURCE_DIR_OF_GIT}
    OUTPUT_VARIABLE count ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(count)
    set(CPACK_PACKAGE_VERSION "0.0.0+${count}.${hash}")
  endif()
endif()
