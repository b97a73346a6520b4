# The headers nearly all unit tests include, read once for all of them, and no optimizer: they compile in half the time, and are quick
# enough. Each test still names all it uses; the preset dev, which script/lint configures, builds without.
#
# GCC takes these for a source compiled with the same options and at least the same definitions, so their owner has the fewest. Our
# libraries go without: with them GCC 12 at -O3 warns of what is none inside the standard library, and sanitized decode workers broke off.
set(alcove_test_options -O0)
file(CONFIGURE OUTPUT headers.cpp CONTENT "")
add_executable(alcove_test_headers EXCLUDE_FROM_ALL ${CMAKE_CURRENT_BINARY_DIR}/headers.cpp)
target_link_libraries(alcove_test_headers PRIVATE alcove::fmt alcove::json GTest::gtest_main)
target_compile_options(alcove_test_headers PRIVATE ${alcove_test_options})
target_precompile_headers(alcove_test_headers PRIVATE <algorithm> <array> <chrono> <expected> <filesystem> <fstream> <functional> <map>
  <memory> <mutex> <optional> <span> <string> <thread> <vector> <fmt/format.h> <gtest/gtest.h> <nlohmann/json.hpp>)
