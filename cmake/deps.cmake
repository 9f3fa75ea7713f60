# The Rust libraries (deps/), built once by tools/build-deps into a cache outside the tree.
execute_process(COMMAND ${CMAKE_SOURCE_DIR}/tools/build-deps --print
                OUTPUT_VARIABLE GPT2IC_DEPS_DIR OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
add_library(gpt2ic_deps INTERFACE)
target_include_directories(gpt2ic_deps SYSTEM INTERFACE ${GPT2IC_DEPS_DIR}/include)
target_link_libraries(gpt2ic_deps INTERFACE ${GPT2IC_DEPS_DIR}/libgpt2ic_deps.a pthread dl m)
target_link_options(gpt2ic_deps INTERFACE -Wl,--gc-sections)
