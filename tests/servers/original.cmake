# The files of the original project, unchanged.
if(TARGET enclave)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  add_test(NAME original_chain COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/original_test.py
    $<TARGET_FILE:enclave> ${PROJECT_SOURCE_DIR})
  set_tests_properties(original_chain PROPERTIES TIMEOUT 300 LABELS "servers;no_tsan")
endif()
