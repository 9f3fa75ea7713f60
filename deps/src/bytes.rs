//! Byte strings across the C interface.

/// A byte string that the caller gives back with `gpt2ic_bytes_free`.
#[repr(C)]
pub struct Bytes {
    data: *mut u8,
    len: usize,
}

pub fn give(bytes: Vec<u8>) -> Bytes {
    let boxed = bytes.into_boxed_slice();
    let len = boxed.len();
    Bytes { data: Box::into_raw(boxed) as *mut u8, len }
}

/// # Safety
/// `bytes` came from this library and is not used again.
#[no_mangle]
pub unsafe extern "C" fn gpt2ic_bytes_free(bytes: Bytes) {
    if !bytes.data.is_null() {
        drop(Box::from_raw(std::slice::from_raw_parts_mut(bytes.data, bytes.len)));
    }
}
