# Canisters: wasm32 with clang's default feature set and 128-bit SIMD, which is what the IC accepts.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_CXX_COMPILER_TARGET wasm32-wasi)
set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
find_program(CMAKE_AR llvm-ar-22 REQUIRED)
find_program(CMAKE_RANLIB llvm-ranlib-22 REQUIRED)
# No exceptions, no RTTI: neither exists on the IC. No contraction: native and wasm give the same bits.
set(CMAKE_CXX_FLAGS_INIT "-Wno-deprecated -fno-exceptions -fno-rtti -msimd128 -fno-c++-static-destructors")
# --no-wasm-opt: else clang runs whatever wasm-opt is on the PATH. -s: names only grow the module.
set(CMAKE_EXE_LINKER_FLAGS_INIT
    "--no-wasm-opt -nostartfiles -Wl,--no-entry -Wl,-s -Wl,-z,stack-size=1048576 -Wl,--stack-first")
set(CMAKE_EXECUTABLE_SUFFIX .wasm)
