# Senders of Beats against the real program.
if(TARGET enclave)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  add_test(NAME beats COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/beats_test.py $<TARGET_FILE:enclave>)
  set_tests_properties(beats PROPERTIES TIMEOUT 600 LABELS "servers;no_tsan")
endif()
# Our own shipper against a receiver that is not ours.
if(TARGET enclave)
  add_test(NAME shipper COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/shipper_test.py
    $<TARGET_FILE:enclave>)
  set_tests_properties(shipper PROPERTIES TIMEOUT 600 LABELS "servers;no_tsan")
endif()
