# Hardening for what is shipped; sanitizers and coverage for what is tested. They exclude each
# other: _FORTIFY_SOURCE hides from ASan what it should see.
include(CheckCXXCompilerFlag)

add_library(rts_instrumentation INTERFACE)
target_compile_definitions(rts_instrumentation INTERFACE _GLIBCXX_ASSERTIONS)
# Formulas are evaluated in the order they are written: a fused multiply-add, which g++ makes of
# a * b + c where the processor has one, would give other orders on arm64 than on amd64.
target_compile_options(rts_instrumentation INTERFACE -ffp-contract=off)

if(RTS_SANITIZE)
  target_compile_definitions(rts_instrumentation INTERFACE RTS_SANITIZED)
  target_compile_options(
    rts_instrumentation INTERFACE -fsanitize=${RTS_SANITIZE} -fno-sanitize-recover=all
                                  -fno-omit-frame-pointer -O1)
  target_link_options(rts_instrumentation INTERFACE -fsanitize=${RTS_SANITIZE})
  if(RTS_SANITIZE MATCHES "undefined")
    # The check of virtual tables opens a pipe to see whether memory can be read: where a test lets
    # the descriptors run out, it reports what is not there.
    target_compile_options(rts_instrumentation INTERFACE -fno-sanitize=vptr)
  endif()
  if(RTS_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ warns that TSan does not model the fences in Asio's headers.
    target_compile_options(rts_instrumentation INTERFACE -Wno-tsan)
  endif()
  if(RTS_LIBFUZZER)
    # All that is reached has to be instrumented, or the fuzzer is blind there. A fuzzer is worth as
    # much as it is fast; assertions stay, for the build type is Debug.
    target_compile_options(rts_instrumentation INTERFACE -fsanitize=fuzzer-no-link -O2)
  endif()
elseif(RTS_COVERAGE)
  # Counters that threads share are added to at once, or one of them may come out as -2, which no
  # report can be made of.
  target_compile_options(rts_instrumentation INTERFACE --coverage -fprofile-update=atomic -O0)
  target_link_options(rts_instrumentation INTERFACE --coverage)
else()
  # What protects jumps has a name for each processor, and clang warns of the other one's.
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    set(protect_jumps -mbranch-protection=standard)
  else()
    set(protect_jumps -fcf-protection=full)
  endif()
  set(hardening -fstack-protector-strong -fstack-clash-protection ${protect_jumps}
                -ftrivial-auto-var-init=zero -fPIE)
  foreach(flag IN LISTS hardening)
    string(MAKE_C_IDENTIFIER "RTS_HAS${flag}" known)
    check_cxx_compiler_flag(${flag} ${known})
    if(${known})
      target_compile_options(rts_instrumentation INTERFACE ${flag})
    endif()
  endforeach()
  target_compile_options(
    rts_instrumentation
    INTERFACE $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>)
  target_link_options(rts_instrumentation INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
