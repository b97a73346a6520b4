# Every foreign library as one target alcove::NAME. Each has one home among the folders of src/ (docs/architecture.md);
# only that folder links it. All of them are installed by script/bootstrap.
set(ALCOVE_DEPS "${PROJECT_SOURCE_DIR}/.deps" CACHE PATH "What script/bootstrap unpacked and built")
if(NOT EXISTS "${ALCOVE_DEPS}/stamp/drogon" OR NOT EXISTS "${ALCOVE_DEPS}/stamp/wheels")
  message(FATAL_ERROR "${ALCOVE_DEPS} is missing or incomplete; run script/bootstrap first")
endif()
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# alcove_foreign(NAME TARGET…): alcove::NAME stands for these targets.
function(alcove_foreign name)
  add_library(alcove::${name} INTERFACE IMPORTED)
  target_link_libraries(alcove::${name} INTERFACE ${ARGN})
endfunction()

# alcove_pkgconfig(NAME MODULE…): alcove::NAME from pkg-config modules, found in the system's directories.
function(alcove_pkgconfig name)
  pkg_check_modules(alcove_${name} REQUIRED QUIET IMPORTED_TARGET ${ARGN})
  alcove_foreign(${name} PkgConfig::alcove_${name})
  set(ALCOVE_INSIDE ${ALCOVE_INSIDE} "${name} ${alcove_${name}_VERSION}" PARENT_SCOPE)
endfunction()

# alcove_shared(NAME FILE INCLUDE…): alcove::NAME is this shared library.
function(alcove_shared name file)
  add_library(alcove::${name} SHARED IMPORTED)
  set_target_properties(alcove::${name} PROPERTIES IMPORTED_LOCATION "${file}" INTERFACE_INCLUDE_DIRECTORIES "${ARGN}")
endfunction()

# base
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
alcove_foreign(fmt fmt::fmt)
alcove_foreign(spdlog spdlog::spdlog)
alcove_foreign(json nlohmann_json::nlohmann_json)
alcove_foreign(crypto OpenSSL::Crypto)
alcove_pkgconfig(zip libzip)

# graph: libonnx. Its CMake files name libraries that Debian leaves out, so the target is written here, with the two
# definitions the library was compiled with.
find_package(Protobuf REQUIRED)
find_library(ALCOVE_ONNX_LIBRARY onnx REQUIRED)
find_library(ALCOVE_ONNX_PROTO_LIBRARY onnx_proto REQUIRED)
alcove_foreign(onnx "${ALCOVE_ONNX_LIBRARY}" "${ALCOVE_ONNX_PROTO_LIBRARY}" protobuf::libprotobuf)
target_compile_definitions(alcove::onnx INTERFACE ONNX_NAMESPACE=onnx ONNX_ML=1)

# engine: the wheel's own CMake files ask for every front end and device, of which .deps keeps the CPU's.
file(GLOB alcove_openvino_file "${ALCOVE_DEPS}/openvino/lib/libopenvino.so.*")
alcove_shared(openvino "${alcove_openvino_file}" "${ALCOVE_DEPS}/openvino/include")
# What has to lie in one folder, beside libalcove_engine.so, for OpenVINO to run: the libraries find each other by $ORIGIN.
file(GLOB ALCOVE_OPENVINO_RUNTIME "${ALCOVE_DEPS}/openvino/lib/*.so*")

# engine, the second one: headers alone. The library is opened at run time, from here or from beside the program.
if(EXISTS "${ALCOVE_DEPS}/stamp/onnxruntime-headers")
  alcove_foreign(onnxruntime)
  target_include_directories(alcove::onnxruntime INTERFACE "${ALCOVE_DEPS}/onnxruntime-include")
endif()

# imaging
alcove_pkgconfig(jpeg libjpeg)
alcove_pkgconfig(png libpng)
alcove_pkgconfig(tiff libtiff-4)
alcove_pkgconfig(webp libwebp)
alcove_pkgconfig(heif libheif)
alcove_pkgconfig(seccomp libseccomp)
# PDFium comes without headers and is opened at run time: the file goes beside the binary.
set(ALCOVE_PDFIUM_RUNTIME "${ALCOVE_DEPS}/pdfium/lib/libpdfium.so")

# text
alcove_pkgconfig(utf8proc libutf8proc)

# store
alcove_pkgconfig(sqlite sqlite3)
alcove_pkgconfig(postgres libpq)
alcove_pkgconfig(highway libhwy)
alcove_pkgconfig(re2 re2)

# net
find_package(CURL REQUIRED)
alcove_foreign(curl CURL::libcurl)

# gateway
alcove_pkgconfig(sodium libsodium)

# api: Drogon's configuration extends CMAKE_MODULE_PATH; the function keeps that from the rest.
function(alcove_find_drogon)
  find_package(Drogon 1.9.13 REQUIRED CONFIG PATHS "${ALCOVE_DEPS}/drogon" NO_DEFAULT_PATH)
  set(ALCOVE_INSIDE ${ALCOVE_INSIDE} "Drogon ${Drogon_VERSION}" PARENT_SCOPE)
endfunction()
set(Trantor_DIR "${ALCOVE_DEPS}/drogon/lib/cmake/Trantor")
alcove_find_drogon()
alcove_foreign(drogon Drogon::Drogon)

# app
find_package(CLI11 REQUIRED)
alcove_foreign(cli11 CLI11::CLI11)

# With the pkg-config modules above, for `alcove --version`. OpenVINO tells its own when it is opened.
list(APPEND ALCOVE_INSIDE "OpenSSL ${OPENSSL_VERSION}" "libcurl ${CURL_VERSION_STRING}" "protobuf ${Protobuf_VERSION}" "fmt ${fmt_VERSION}"
  "spdlog ${spdlog_VERSION}")
