//! Random valid modules within the Internet Computer's feature set, from the bytes of a fuzzer.
use crate::bytes::{give, Bytes};
use arbitrary::Unstructured;
use std::slice;
use wasm_smith::{Config, InstructionKind, InstructionKinds, Module};

fn config(u: &mut Unstructured) -> arbitrary::Result<Config> {
    Ok(Config {
        allowed_instructions: InstructionKinds::new(&[
            InstructionKind::NumericInt,
            InstructionKind::Numeric,
            InstructionKind::VectorInt,
            InstructionKind::Vector,
            InstructionKind::Reference,
            InstructionKind::Parametric,
            InstructionKind::Variable,
            InstructionKind::Table,
            InstructionKind::Memory,
            InstructionKind::Control,
            InstructionKind::Aggregate,
        ]),
        bulk_memory_enabled: true,
        canonicalize_nans: false,
        exceptions_enabled: false,
        export_everything: true,
        extended_const_enabled: false,
        gc_enabled: false,
        max_imports: 0,
        max_instructions: 400,
        max_memories: 1,
        max_memory32_bytes: 64 << 20,
        max_memory64_bytes: 64 << 20,
        max_tables: 1,
        max_table_elements: 1000,
        max_tags: 0,
        memory64_enabled: u.arbitrary()?,
        min_funcs: 1,
        multi_value_enabled: true,
        reference_types_enabled: true,
        relaxed_simd_enabled: false,
        saturating_float_to_int_enabled: true,
        sign_extension_ops_enabled: true,
        simd_enabled: true,
        tail_call_enabled: u.arbitrary()?,
        threads_enabled: false,
        ..Config::default()
    })
}

/// A module that ends after `fuel` calls and loop turns (a trap when it runs out); empty when the
/// bytes are too few.
///
/// # Safety
/// `data` points to `len` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn gpt2ic_wasm_smith(data: *const u8, len: usize, fuel: u32) -> Bytes {
    let mut u = Unstructured::new(slice::from_raw_parts(data, len));
    let module = config(&mut u).and_then(|config| Module::new(config, &mut u));
    let Ok(mut module) = module else {
        return give(Vec::new());
    };
    match module.ensure_termination(fuel) {
        Ok(_) => give(module.to_bytes()),
        Err(_) => give(Vec::new()),
    }
}
