# Compiler settings shared by every target, and the one way to add a target.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
# Assertions state what must never happen; they stay on in every build type.
foreach(config RELEASE RELWITHDEBINFO MINSIZEREL)
  string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_${config} "${CMAKE_CXX_FLAGS_${config}}")
endforeach()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Sloppiness is what ccache needs to cache compilations that use a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE_PROGRAM})
endif()

add_library(unlearn_options INTERFACE)
target_include_directories(unlearn_options INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_options(unlearn_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual)
if(CCACHE_PROGRAM AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(unlearn_options INTERFACE -fpch-preprocess)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports at -O3 what cannot happen: members of a moved-from std::variant that are never read, and
  # overlapping copies inside std::string (its bugs 105562 and 105651).
  target_compile_options(unlearn_options INTERFACE -Wno-maybe-uninitialized -Wno-restrict)
endif()
if(UNLEARN_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # With more of the program in sight it also reports std::string and std::vector as too small for what they never hold.
  target_compile_options(unlearn_options INTERFACE -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
endif()
if(UNLEARN_WERROR)
  target_compile_options(unlearn_options INTERFACE -Werror)
endif()
if(UNLEARN_SANITIZE)
  add_compile_options(-fsanitize=${UNLEARN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${UNLEARN_SANITIZE})
endif()

# unlearn_library(NAME SOURCES... LINK PUBLIC_LIBS... [PRIVATE_LINK LIBS...])
# One static library per folder; what it links is what it may include.
function(unlearn_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC unlearn_options ${arg_LINK} PRIVATE ${arg_PRIVATE_LINK})
  set_target_properties(${name} PROPERTIES UNITY_BUILD "${UNLEARN_UNITY}" UNITY_BUILD_BATCH_SIZE 6)
endfunction()

# unlearn_test(NAME SOURCES... LINK LIBS... [TIMEOUT S] [RUN_SERIAL] [UNITY] [SANITIZED_ARGUMENTS ARGS...]) adds a doctest
# binary as one CTest test; the arguments are given to it in sanitizer builds only. RUN_SERIAL is for what looks at times or
# starts processes of its own: nothing else runs beside it. UNITY compiles its files together, where they include much.
function(unlearn_test name)
  cmake_parse_arguments(arg "RUN_SERIAL;UNITY" "TIMEOUT" "SOURCES;LINK;SANITIZED_ARGUMENTS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)  # a guard against what never ends, not a measurement
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE unlearn_options unlearn_test_main doctest::doctest ${arg_LINK})
  target_compile_definitions(${name} PRIVATE UNLEARN_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                             UNLEARN_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
  if(arg_UNITY)
    set_target_properties(${name} PROPERTIES UNITY_BUILD "${UNLEARN_UNITY}" UNITY_BUILD_BATCH_SIZE 6)
  endif()
  # Compilers name their sanitizers differently.
  if(UNLEARN_SANITIZE MATCHES "address")
    target_compile_definitions(${name} PRIVATE UNLEARN_ADDRESS_SANITIZER)
  elseif(UNLEARN_SANITIZE MATCHES "thread")
    target_compile_definitions(${name} PRIVATE UNLEARN_THREAD_SANITIZER)
  endif()
  if(NOT UNLEARN_SANITIZE)
    set(arg_SANITIZED_ARGUMENTS)
  endif()
  add_test(NAME ${name} COMMAND ${name} ${arg_SANITIZED_ARGUMENTS})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} RUN_SERIAL "${arg_RUN_SERIAL}"
    ENVIRONMENT "OPENBLAS_NUM_THREADS=1;OMP_NUM_THREADS=1")
endfunction()
