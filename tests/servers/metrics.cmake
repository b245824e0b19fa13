# Whoever scrapes a running enclave, and dead letters on their way back.
if(TARGET enclave)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  add_test(NAME metrics COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/metrics_test.py $<TARGET_FILE:enclave>)
  set_tests_properties(metrics PROPERTIES TIMEOUT 600 LABELS "servers;no_tsan")
endif()
