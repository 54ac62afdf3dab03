# The warnings every target of ours is built with. RTS_WARNINGS_AS_ERRORS=ON, as in most presets, makes
# them errors with every compiler. The preset `release` sets `tried`: they are errors with the compilers
# listed below only. Users build that preset, too, and a warning that is new in their compiler must not
# stop them; g++ 14, for instance, gives a false warning about array bounds.
add_library(rts_warnings INTERFACE)
target_compile_options(rts_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                              -Wold-style-cast -Wswitch-enum)
set(tried "GNU 12" "Clang 14")  # Debian 12's
string(REGEX MATCH "^[0-9]+" major ${CMAKE_CXX_COMPILER_VERSION})
if(RTS_WARNINGS_AS_ERRORS STREQUAL "tried" AND NOT "${CMAKE_CXX_COMPILER_ID} ${major}" IN_LIST tried)
  message(STATUS "Warnings are no errors: ${CMAKE_CXX_COMPILER_ID} ${major} has not been tried")
elseif(RTS_WARNINGS_AS_ERRORS)
  target_compile_options(rts_warnings INTERFACE -Werror)
endif()
