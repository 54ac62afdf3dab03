# The warnings every target of ours is built with; errors in the presets (RTS_WARNINGS_AS_ERRORS).
add_library(rts_warnings INTERFACE)
target_compile_options(rts_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                              -Wold-style-cast -Wswitch-enum)
if(RTS_WARNINGS_AS_ERRORS)
  target_compile_options(rts_warnings INTERFACE -Werror)
endif()
