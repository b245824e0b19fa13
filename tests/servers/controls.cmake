# Controls against real servers; included by CMakeLists.txt, which starts them.

# controls_test(NAME [SWIFT] USES folder...): controls_NAME_test.cc against Ceph and, with SWIFT, against Swift.
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
  if(ARG_SWIFT)
    add_test(NAME ${target}_swift COMMAND ${swift} run ${swift_place} env S3_SERVER=swift $<TARGET_FILE:${target}>)
    set_tests_properties(${target}_swift PROPERTIES FIXTURES_REQUIRED swift SKIP_RETURN_CODE 77 TIMEOUT 300
      LABELS "servers;no_tsan")
  endif()
endfunction()

if(TARGET enclave_cloud)
  controls_test(capabilities SWIFT USES cloud)
endif()
if(TARGET enclave_control)
  controls_test(storage USES control pipeline cloud io)
endif()
if(TARGET enclave)
  add_test(NAME controls_session COMMAND ${ceph} run ${place} ${CMAKE_CURRENT_SOURCE_DIR}/controls_session.py
    $<TARGET_FILE:enclave>)
  set_tests_properties(controls_session PROPERTIES FIXTURES_REQUIRED ceph SKIP_RETURN_CODE 77 TIMEOUT 900
    LABELS "servers;no_tsan")
  add_test(NAME controls_on_swift COMMAND ${swift} run ${swift_place} ${CMAKE_CURRENT_SOURCE_DIR}/controls_swift.py
    $<TARGET_FILE:enclave>)
  set_tests_properties(controls_on_swift PROPERTIES FIXTURES_REQUIRED swift SKIP_RETURN_CODE 77 TIMEOUT 300
    LABELS "servers;no_tsan")
endif()
