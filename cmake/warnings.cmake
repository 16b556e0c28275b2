# One interface target that every target of ours links: warnings, and errors from them in development builds.
add_library(tidepool_warnings INTERFACE)
target_compile_options(tidepool_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wformat=2
  $<$<BOOL:${TIDEPOOL_WERROR}>:-Werror>)
