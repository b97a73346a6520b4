#pragma once
// Weight files made by hand, for the tests of this folder.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "weights/crc32.h"

namespace alcove::weights::testing {

template <class T>
std::string little_endian(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

// --- pickles, an opcode at a time (protocol 2)

inline std::string text(const std::string& letters) {
  return "X" + little_endian(static_cast<std::uint32_t>(letters.size())) + letters;
}
inline std::string integer(std::int64_t value) {
  return value == static_cast<std::int32_t>(value) ? "J" + little_endian(static_cast<std::int32_t>(value))
                                                   : "\x8a\x08" + little_endian(value);
}
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string tuple(const std::vector<std::string>& items) {
  std::string program = "(";
  for (const auto& item : items) program += item;
  return program + "t";
}
inline std::string integers(const std::vector<std::int64_t>& values) {
  std::vector<std::string> items;
  for (const auto value : values) items.push_back(integer(value));
  return tuple(items);
}
inline std::string call(const std::string& function, const std::vector<std::string>& arguments) {
  return function + tuple(arguments) + "R";
}
inline std::string dict(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string program = "}(";
  for (const auto& [key, value] : entries) program += text(key) + value;
  return program + "u";
}
inline std::string pickle(const std::string& program) { return "\x80\x02" + program + "."; }

// --- torch's use of them

inline std::string storage(const std::string& type, const std::string& key, std::int64_t elements) {
  return tuple({text("storage"), global("torch", type), text(key), text("cpu"), integer(elements)}) + "Q";
}
inline std::string tensor(const std::string& in_storage, std::int64_t first,
                          const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides) {
  return call(global("torch._utils", "_rebuild_tensor_v2"),
              {in_storage, integer(first), integers(shape), integers(strides), "\x89",
               call(global("collections", "OrderedDict"), {})});
}

// --- zip archives

struct Entry {
  std::string name;
  std::string data;
  std::uint16_t method = 0;
};

inline std::string local_header(const Entry& entry) {
  const auto size = static_cast<std::uint32_t>(entry.data.size());
  return "PK\x03\x04" + little_endian<std::uint32_t>(0) + little_endian(entry.method) +
         little_endian<std::uint32_t>(0) + little_endian(crc32(as_bytes(entry.data))) + little_endian(size) +
         little_endian(size) + little_endian(static_cast<std::uint16_t>(entry.name.size())) +
         little_endian<std::uint16_t>(0) + entry.name;
}
inline std::string central_header(const Entry& entry, std::uint32_t offset) {
  const auto size = static_cast<std::uint32_t>(entry.data.size());
  return "PK\x01\x02" + little_endian<std::uint32_t>(0) + little_endian<std::uint16_t>(0) +
         little_endian(entry.method) + little_endian<std::uint32_t>(0) +
         little_endian(crc32(as_bytes(entry.data))) + little_endian(size) + little_endian(size) +
         little_endian(static_cast<std::uint16_t>(entry.name.size())) + little_endian<std::uint16_t>(0) +
         little_endian<std::uint16_t>(0) + little_endian<std::uint64_t>(0) + little_endian(offset) +
         entry.name;
}
inline std::string end_record(std::size_t entries, std::size_t size, std::size_t offset) {
  const auto count = static_cast<std::uint16_t>(entries);
  return "PK\x05\x06" + little_endian<std::uint32_t>(0) + little_endian(count) + little_endian(count) +
         little_endian(static_cast<std::uint32_t>(size)) + little_endian(static_cast<std::uint32_t>(offset)) +
         little_endian<std::uint16_t>(0);
}
inline std::string zip(const std::vector<Entry>& entries) {
  std::string file;
  std::string central;
  for (const auto& entry : entries) {
    central += central_header(entry, static_cast<std::uint32_t>(file.size()));
    file += local_header(entry) + entry.data;
  }
  return file + central + end_record(entries.size(), central.size(), file.size());
}

// An archive of one pickle and storages "0", "1", …
inline std::string torch_file(const std::string& program, const std::vector<std::string>& storages) {
  std::vector<Entry> entries{{"best/data.pkl", pickle(program)}, {"best/byteorder", "little"}};
  for (std::size_t i = 0; i < storages.size(); ++i)
    entries.push_back({"best/data/" + std::to_string(i), storages[i]});
  return zip(entries);
}

inline std::string numbers(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// --- files

inline std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(ALCOVE_SOURCE_DIR) / "tests" / "golden" / name;
}
inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
// A file of this content in the test's own folder.
inline std::filesystem::path file_of(const std::string& content, const std::string& name = "weights.pt") {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const auto folder = std::filesystem::path(::testing::TempDir()) /
                      (std::string("alcove_") + test->test_suite_name() + "_" + test->name());
  std::filesystem::create_directories(folder);
  std::ofstream(folder / name, std::ios::binary) << content;
  return folder / name;
}

}  // namespace alcove::weights::testing
