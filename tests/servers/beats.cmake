# Senders of Beats against the real program.
if(TARGET enclave)
  add_test(NAME beats COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/beats_test.py $<TARGET_FILE:enclave>)
  set_tests_properties(beats PROPERTIES TIMEOUT 600 LABELS "servers;no_tsan")
endif()
