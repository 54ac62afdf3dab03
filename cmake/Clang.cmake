# The clang that the presets `clang` and `fuzz` build with: 14 where it is, as on Debian 12, else the
# release's own.
find_program(RTS_CLANG NAMES clang++-14 clang++ REQUIRED)
set(CMAKE_CXX_COMPILER ${RTS_CLANG})
