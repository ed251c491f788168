//! Compiles the server anew when the page was built anew.

use std::fs;
use std::path::Path;

fn main() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../www/dist");
    // Cargo takes a directory that is missing for one that always changes: an empty one spares a rebuild.
    if let Err(error) = fs::create_dir_all(&page) {
        println!("cargo:warning=cannot create {}: {error}; the page will not be embedded", page.display());
    }
    println!("cargo:rerun-if-changed=../www/dist");
    println!("cargo:rerun-if-changed=build.rs");
}
