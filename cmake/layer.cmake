# tidepool_add_layer(NAME [FOLDER folder] SOURCES … HEADERS … LINK … PRIVATE_LINK …): one static library per layer.
#
# HEADERS are relative to include/tidepool/NAME, or to the folder there, and are the only ones that other layers see; a private header stays
# beside its source. LINK names what the public headers need, PRIVATE_LINK what only the sources need.
function(tidepool_add_layer name)
  cmake_parse_arguments(LAYER "" "FOLDER" "SOURCES;HEADERS;LINK;PRIVATE_LINK" ${ARGN})
  if(NOT LAYER_FOLDER)
    set(LAYER_FOLDER ${name})
  endif()
  list(TRANSFORM LAYER_HEADERS PREPEND ${PROJECT_SOURCE_DIR}/include/tidepool/${LAYER_FOLDER}/)
  add_library(tidepool_${name} STATIC ${LAYER_SOURCES})
  target_sources(tidepool_${name} PUBLIC
    FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${LAYER_HEADERS})
  target_include_directories(tidepool_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(tidepool_${name} PUBLIC ${LAYER_LINK} PRIVATE tidepool_warnings ${LAYER_PRIVATE_LINK})
  # Proves each public header self-contained: cmake --build … --target all_verify_interface_header_sets
  set_target_properties(tidepool_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()

# tidepool_add_test(NAME LABEL SOURCES … LINK …): one GoogleTest program, found as one ctest entry a suite file.
function(tidepool_add_test name label)
  cmake_parse_arguments(TEST "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_LINK} tidepool_warnings GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 900)
endfunction()

# tidepool_add_constant_hash_test(NAME [SUITE…]): the program NAME once more, from the same objects, as NAME_constant_hash: linked so
# that all session states have the same hash. It may choose a backend; what comes out must not depend on it. The suite
# StateHash, about the hash itself, is left out, and the SUITEs to which states are nothing.
function(tidepool_add_constant_hash_test name)
  if(TIDEPOOL_SANITIZE OR TIDEPOOL_COVERAGE)
    return()
  endif()
  set(other ${name}_constant_hash)
  list(TRANSFORM ARGN APPEND ".*" OUTPUT_VARIABLE others)
  list(JOIN others ":" left_out)
  # The archive's own state_hash.cc is not linked, since this object has all its symbols.
  add_executable(${other} $<TARGET_OBJECTS:${name}> $<TARGET_OBJECTS:tidepool_constant_state_hash>)
  get_target_property(libraries ${name} LINK_LIBRARIES)
  target_link_libraries(${other} PRIVATE ${libraries})
  get_test_property(${name} LABELS label)
  add_test(NAME ${other} COMMAND ${other} --gtest_filter=-StateHash.*:${left_out})
  set_tests_properties(${other} PROPERTIES LABELS ${label} TIMEOUT 900)
endfunction()

# tidepool_add_fuzzer(NAME SOURCES … LINK … CORPUS dir): a libFuzzer target; ctest runs it for a moment over its corpus.
# For coverage, without libFuzzer, a program that runs the files it is given (scripts/coverage --fuzz).
function(tidepool_add_fuzzer name)
  cmake_parse_arguments(FUZZ "" "CORPUS" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${FUZZ_SOURCES})
  target_link_libraries(${name} PRIVATE ${FUZZ_LINK} tidepool_warnings)
  if(NOT TIDEPOOL_FUZZ)
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc)
    return()
  endif()
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set(found ${CMAKE_CURRENT_BINARY_DIR}/${name}.found)
  file(MAKE_DIRECTORY ${found})
  add_test(NAME ${name} COMMAND ${name} -max_total_time=5 -max_len=65536 -timeout=10 -entropic=0 -print_funcs=0
    ${found} ${FUZZ_CORPUS})
  set_tests_properties(${name} PROPERTIES LABELS fuzz-smoke TIMEOUT 120)
endfunction()
