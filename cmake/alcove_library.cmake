# One library per folder of src/, and one test program beside it.
#
#   alcove_library(weights SOURCES a.cpp b.cpp TESTS a_test.cpp USES base LINKS PRIVATE alcove::zip)
#
# USES names our own folders, LINKS the foreign targets as target_link_libraries takes them; foreign targets stay PRIVATE,
# because no public header of ours shows a foreign type. The folder's name is its tests' label: ctest -L weights.
function(alcove_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;TESTS;USES;LINKS" ${ARGN})
  set(library alcove_${name})
  add_library(${library} STATIC ${arg_SOURCES})
  target_include_directories(${library} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM arg_USES PREPEND alcove_)
  target_link_libraries(${library} PUBLIC ${arg_USES})
  if(arg_LINKS)
    target_link_libraries(${library} ${arg_LINKS})
  endif()
  if(ALCOVE_TESTS AND arg_TESTS)
    add_executable(${library}_test ${arg_TESTS})
    target_link_libraries(${library}_test PRIVATE ${library} GTest::gtest_main)
    target_compile_definitions(${library}_test PRIVATE ALCOVE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    target_compile_options(${library}_test PRIVATE ${alcove_test_options})
    target_precompile_headers(${library}_test REUSE_FROM alcove_test_headers)
    # Beside libalcove_engine.so, which the programs open at run time.
    set_target_properties(${library}_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
    if(name STREQUAL engine OR "alcove_engine" IN_LIST arg_USES)
      add_dependencies(${library}_test alcove_engine_openvino)
    endif()
    gtest_discover_tests(${library}_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES LABELS ${name})
  endif()
endfunction()
