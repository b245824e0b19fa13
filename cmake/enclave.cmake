# One static library per folder of src/. Each folder has an include root of its own, which holds nothing but a link to
# that folder; a target sees the roots of the folders that it declares, so an undeclared include does not compile.
set(ENCLAVE_ROOTS ${CMAKE_BINARY_DIR}/roots)

function(enclave_root NAME SOURCE_DIR)
  file(MAKE_DIRECTORY ${ENCLAVE_ROOTS}/${NAME})
  if(NOT EXISTS ${ENCLAVE_ROOTS}/${NAME}/${NAME})
    file(CREATE_LINK ${SOURCE_DIR} ${ENCLAVE_ROOTS}/${NAME}/${NAME} SYMBOLIC)
  endif()
endfunction()

# A folder that has no source yet has no library.
function(enclave_existing OUT)
  set(found "")
  foreach(name ${ARGN})
    if(TARGET enclave_${name})
      list(APPEND found enclave_${name})
    endif()
  endforeach()
  set(${OUT} "${found}" PARENT_SCOPE)
endfunction()

# enclave_folder(NAME USES folder... LIBRARIES lib...): src/NAME, without its tests.
function(enclave_folder NAME)
  cmake_parse_arguments(ARG "" "" "USES;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${NAME}/*.cc)
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$|/main[a-z_]*\\.cc$")
  enclave_root(${NAME} ${CMAKE_CURRENT_SOURCE_DIR}/${NAME})
  if(NOT sources)
    return()
  endif()
  add_library(enclave_${NAME} STATIC ${sources})
  target_include_directories(enclave_${NAME} PUBLIC ${ENCLAVE_ROOTS}/${NAME})
  enclave_existing(ARG_USES ${ARG_USES})
  target_link_libraries(enclave_${NAME} PUBLIC ${ARG_USES} ${ARG_LIBRARIES})
  if(ENCLAVE_TESTS)
    file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${NAME}/*_test.cc)
    if(tests)
      enclave_test(${NAME}_test SOURCES ${tests} USES ${NAME})
    endif()
  endif()
endfunction()

# enclave_test(NAME SOURCES file... USES folder... [LABELS label...] [TIMEOUT seconds])
function(enclave_test NAME)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;USES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${NAME} ${ARG_SOURCES})
  enclave_existing(ARG_USES ${ARG_USES})
  target_link_libraries(${NAME} PRIVATE ${ARG_USES} ${ARG_LIBRARIES} GTest::gmock_main)
  target_compile_definitions(${NAME} PRIVATE ENCLAVE_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
    ENCLAVE_BINARY_DIR="${PROJECT_BINARY_DIR}")
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_test(NAME ${NAME} COMMAND ${NAME})
  set_tests_properties(${NAME} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()

# enclave_plugins(TARGET FOLDERS KIND HEADER FUNCTION NAMESPACE PREFIX): one file, one plugin. Every NAME.cc of the
# folders defines `const KIND PREFIX_NAME`; the generated list FUNCTION() is the only place that knows them all. Names
# that end in _test or begin with _ are no plugins.
function(enclave_plugins TARGET FOLDERS TYPE HEADER FUNCTION NAMESPACE PREFIX)
  set(plugins "")
  foreach(folder ${FOLDERS})
    file(GLOB found CONFIGURE_DEPENDS ${folder}/*.cc)
    list(APPEND plugins ${found})
  endforeach()
  list(FILTER plugins EXCLUDE REGEX "_test\\.cc$|/_[^/]*$")
  list(SORT plugins)
  set(declarations "")
  set(entries "")
  foreach(path ${plugins})
    get_filename_component(name ${path} NAME_WE)
    string(APPEND declarations "extern const ${TYPE} ${PREFIX}_${name};\n")
    string(APPEND entries "      &${PREFIX}_${name},\n")
  endforeach()
  set(body "  static constexpr const ${TYPE}* kAll[] = {\n${entries}  };\n  return kAll;")
  if(NOT plugins)
    set(body "  return {};") # an array of nothing is ill-formed
  endif()
  set(out ${CMAKE_BINARY_DIR}/generated/${FUNCTION}.cc)
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT "// Made by CMake from the files of a folder.
#include \"${HEADER}\"

namespace enclave::${NAMESPACE} {
${declarations}
std::span<const ${TYPE}* const> ${FUNCTION}() {
${body}
}
}  // namespace enclave::${NAMESPACE}
")
  target_sources(${TARGET} PRIVATE ${out})
endfunction()
