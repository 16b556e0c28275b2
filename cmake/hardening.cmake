# What makes a fault in memory harder to use, in the builds that people run. Sanitizers find more, and do not go with it.
if(TIDEPOOL_SANITIZE OR TIDEPOOL_COVERAGE OR TIDEPOOL_FUZZ)
  return()
endif()

include(CheckCXXCompilerFlag)

# Not CMAKE_POSITION_INDEPENDENT_CODE: that compiles libraries with -fPIC, which keeps functions from being inlined.
add_compile_options(-fPIE -fstack-protector-strong -fstack-clash-protection)
# x86 only. Linux has shadow stacks for programs (return), and nothing that checks the marks of indirect branches, which cost
# an instruction a call.
check_cxx_compiler_flag(-fcf-protection=return TIDEPOOL_HAS_CF_PROTECTION)
if(TIDEPOOL_HAS_CF_PROTECTION)
  add_compile_options(-fcf-protection=return)
  add_link_options(-Wl,-z,shstk)
endif()
# All addresses are looked up at the start, and their table is read-only from then on.
add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)

# It checks at run time only what an optimizing compiler knows the size of. Level 3 came with gcc 12.
set(level 2)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
  set(level 3)
endif()
add_compile_options("$<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=${level}>")
