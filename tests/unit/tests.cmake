# The unit tests: one program a room, and two that read files.
# main.cpp holds Catch's own code, which a precompiled header without it would hide.
set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/unit/main.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON)

signet_unit_test(jose
  FILES algorithm_test.cpp base64url_test.cpp decryption_key_test.cpp jwk_test.cpp key_set_test.cpp ml_dsa_test.cpp rfc_test.cpp signature_test.cpp token_test.cpp
  ROOMS base)
signet_unit_test(base FILES hash128_test.cpp json_test.cpp json_writer_test.cpp text_test.cpp)
signet_unit_test(http
  FILES chunked_test.cpp credential_test.cpp csrf_test.cpp deny_response_test.cpp head_end_test.cpp header_names_test.cpp
        request_head_test.cpp request_meaning_test.cpp response_head_test.cpp target_test.cpp upstream_head_test.cpp
  ROOMS base policy)
signet_unit_test(policy
  FILES admit_test.cpp claim_headers_test.cpp claim_path_test.cpp requirement_test.cpp route_table_test.cpp tenants_test.cpp
  ROOMS base jose)
signet_unit_test(keys
  FILES absent_kids_test.cpp choose_keys_test.cpp freshness_test.cpp kept_keys_test.cpp refresh_machine_test.cpp
        refresh_scripts_test.cpp
  ROOMS base jose)
signet_unit_test(net FILES http_proxy_test.cpp ROOMS base)
signet_unit_test(revocation FILES entry_test.cpp index_test.cpp ledger_test.cpp ROOMS base)
signet_unit_test(config FILES values_test.cpp ROOMS base)
signet_unit_test(gate FILES decide_test.cpp near_miss_test.cpp remembered_test.cpp ROOMS base jose policy http keys revocation)

# Other people's vectors, where ../shared lies beside the repository.
add_executable(unit_vectors unit/vectors/main.cpp unit/vectors/judge.cpp unit/vectors/cookbook_test.cpp
  unit/vectors/json_test.cpp unit/vectors/wycheproof_test.cpp)
target_link_libraries(unit_vectors PRIVATE signet_flags signet_base signet_jose signet_keys Catch2::Catch2)
target_include_directories(unit_vectors PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
get_filename_component(shared_default ${CMAKE_CURRENT_SOURCE_DIR}/../../shared ABSOLUTE)
target_compile_definitions(unit_vectors PRIVATE SIGNET_SHARED_DEFAULT="${shared_default}")
add_test(NAME unit_vectors COMMAND unit_vectors)
set_tests_properties(unit_vectors PROPERTIES LABELS unit TIMEOUT 300 SKIP_RETURN_CODE 77)

# The fuzz targets' seeds, without a fuzzer.
set(fuzz_targets chunked claim_rules claims config_values cookie header json jwe jwk_set request_head response_head target token)
add_executable(unit_fuzz_corpus unit/fuzz_corpus/replay.cpp unit/main.cpp)
foreach(name IN LISTS fuzz_targets)
  add_library(replayed_${name} OBJECT fuzz/fuzz_${name}.cpp)
  target_compile_definitions(replayed_${name} PRIVATE LLVMFuzzerTestOneInput=fuzz_${name})
  target_link_libraries(replayed_${name} PRIVATE signet_flags)
  target_include_directories(replayed_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(unit_fuzz_corpus PRIVATE replayed_${name})
endforeach()
target_link_libraries(unit_fuzz_corpus PRIVATE signet_flags signet_gate signet_http signet_policy signet_jose signet_config Catch2::Catch2)
target_compile_definitions(unit_fuzz_corpus PRIVATE SIGNET_FUZZ_CORPUS="${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus")
add_test(NAME unit_fuzz_corpus COMMAND unit_fuzz_corpus)
set_tests_properties(unit_fuzz_corpus PROPERTIES LABELS unit TIMEOUT 300)
