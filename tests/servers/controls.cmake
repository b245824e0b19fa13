# Controls against real servers; included by CMakeLists.txt, which starts them.

# controls_test(NAME FOLDERS folder... LIBRARIES lib...): controls_NAME_test.cc against Ceph, and against Swift when it
# is there and SWIFT is given.
function(controls_test NAME)
  cmake_parse_arguments(ARG "SWIFT" "TIMEOUT" "USES" ${ARGN})
  set(target controls_${NAME}_test)
  add_executable(${target} ${CMAKE_CURRENT_SOURCE_DIR}/controls_${NAME}_test.cc)
  enclave_existing(ARG_USES ${ARG_USES})
  target_link_libraries(${target} PRIVATE ${ARG_USES} GTest::gmock_main)
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_compile_definitions(${target} PRIVATE ENCLAVE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME ${target} COMMAND ${ceph} run ${place} env S3_SERVER=ceph $<TARGET_FILE:${target}>)
  set_tests_properties(${target} PROPERTIES FIXTURES_REQUIRED ceph SKIP_RETURN_CODE 77 TIMEOUT 600
    LABELS "servers;no_tsan")
endfunction()

if(TARGET enclave_cloud)
  controls_test(capabilities USES cloud)
endif()
if(TARGET enclave_control)
  controls_test(storage USES control pipeline cloud io)
endif()
