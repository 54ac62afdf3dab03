# The package's version: what git says, as Debian writes versions. "1.2.3-4-gabc" is four commits
# after 1.2.3, hence later than it, and not the fourth packaging of it.
execute_process(
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${CPACK_SOURCE_DIR_OF_GIT}
          -P ${CPACK_SOURCE_DIR_OF_GIT}/cmake/Version.cmake
  OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE " .*" "" said "${said}")
string(REPLACE "-" "+" CPACK_PACKAGE_VERSION "${said}")
