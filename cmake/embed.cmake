# alcove_embed(OUTPUT SPACE FOLDER FILE…): writes OUTPUT, a source that puts files of FOLDER into the program and lists them as
# alcove::SPACE::embedded_files() (api/assets.h). The assembler reads the files, so no tool beyond the compiler is needed, and a changed
# file is seen as a changed source.
function(alcove_embed output space folder)
  set(blocks "")
  set(declarations "")
  set(rows "")
  set(files "")
  set(index 0)
  foreach(file ${ARGN})
    string(APPEND blocks
      "asm(\".section .rodata\\n.balign 16\\nalcove_file_${index}:\\n.incbin \\\"${folder}/${file}\\\"\\n\"\n"
      "    \"alcove_file_${index}_end:\\n.byte 0\\n.previous\\n\");\n")
    string(APPEND declarations
      "extern const unsigned char file_${index}[] asm(\"alcove_file_${index}\");\n"
      "extern const unsigned char file_${index}_end[] asm(\"alcove_file_${index}_end\");\n")
    string(APPEND rows "    {\"/${file}\", file_${index}, file_${index}_end},\n")
    list(APPEND files "${folder}/${file}")
    math(EXPR index "${index} + 1")
  endforeach()
  file(CONFIGURE OUTPUT "${output}" CONTENT [[// Written by cmake/embed.cmake.
#include "api/assets.h"

@blocks@
extern "C" {
@declarations@}

namespace alcove::@space@ {

std::span<const api::EmbeddedFile> embedded_files() {
  static const api::EmbeddedFile files[] = {
@rows@  };
  return files;
}

}  // namespace alcove::@space@
]] @ONLY)
  set_source_files_properties("${output}" PROPERTIES OBJECT_DEPENDS "${files}")
endfunction()
