# Objects for people against the real server; included by CMakeLists.txt, which starts it.
if(TARGET enclave)
  add_test(NAME objects_on_ceph COMMAND ${ceph} run ${place} ${CMAKE_CURRENT_SOURCE_DIR}/objects_test.py
    $<TARGET_FILE:enclave>)
  set_tests_properties(objects_on_ceph PROPERTIES FIXTURES_REQUIRED ceph SKIP_RETURN_CODE 77 TIMEOUT 900
    LABELS "servers;no_tsan")
endif()
