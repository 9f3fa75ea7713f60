// Copies the headers that belong to the linked libraries to GPT2IC_DEPS_INCLUDE, where CMake looks.
// wasmtime's build script writes its headers (with the generated conf.h) and publishes their place;
// blst keeps its header beside its sources, whose place cargo does not publish, so it is looked up.
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn main() {
    println!("cargo:rerun-if-env-changed=GPT2IC_DEPS_INCLUDE");
    let Some(include) = env::var_os("GPT2IC_DEPS_INCLUDE").map(PathBuf::from) else {
        return;
    };
    let wasmtime = env::var_os("DEP_WASMTIME_C_API_INCLUDE").expect("wasmtime's include folder");
    copy_tree(Path::new(&wasmtime), &include).expect("copying wasmtime's headers");
}
