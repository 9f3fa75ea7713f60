//! What the local network needs from Rust: the engine's and BLS's C interfaces (re-exported, or the
//! linker would drop them), functions for which their C interfaces have no switch, and what only tests use: a reader
//! of the specification's test scripts and a maker of random valid modules.
pub use blst::*;
pub use wasmtime_c_api::*;

mod bytes;
mod script;
mod smith;

use bytes::{give, Bytes};
use std::slice;
use wasmparser::{Validator, WasmFeatures};

/// The features that the Internet Computer's validator has on. Everything else is off, extended
/// constants and relaxed SIMD among it.
fn ic_features() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::SIMD
        | WasmFeatures::TAIL_CALL
        | WasmFeatures::FLOATS
        | WasmFeatures::MEMORY64
        | WasmFeatures::GC_TYPES
}

/// Validates a binary module against the Internet Computer's feature set. Empty means valid, else
/// the reason.
///
/// # Safety
/// `wasm` points to `len` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn gpt2ic_wasm_validate(wasm: *const u8, len: usize) -> Bytes {
    let module = slice::from_raw_parts(wasm, len);
    match Validator::new_with_features(ic_features()).validate_all(module) {
        Ok(_) => give(Vec::new()),
        Err(error) => give(error.to_string().into_bytes()),
    }
}

/// Reads a module in text form (or passes a binary one through). `ok` tells which of the two the
/// result is: the binary module, or the reason why there is none.
///
/// # Safety
/// `text` points to `len` readable bytes, `ok` to a writable bool.
#[no_mangle]
pub unsafe extern "C" fn gpt2ic_wat_parse(text: *const u8, len: usize, ok: *mut bool) -> Bytes {
    match wat::parse_bytes(slice::from_raw_parts(text, len)) {
        Ok(binary) => {
            *ok = true;
            give(binary.into_owned())
        }
        Err(error) => {
            *ok = false;
            give(error.to_string().into_bytes())
        }
    }
}
