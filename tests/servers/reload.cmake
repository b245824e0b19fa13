# People's files that change under the real program.
if(TARGET enclave)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  add_test(NAME reload COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/reload_test.py $<TARGET_FILE:enclave>)
  set_tests_properties(reload PROPERTIES TIMEOUT 900 LABELS "servers;no_tsan")
endif()
