// Where libloam.a lies: the folder that LOAM_LIB_DIR names, else where `make` built it, else where
// pkg-config says that it is installed.
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn has_archive(dir: &Path) -> bool {
    dir.join("libloam.a").is_file()
}

fn installed() -> Option<PathBuf> {
    let out = Command::new("pkg-config")
        .args(["--variable=libdir", "loam"])
        .output()
        .ok()?;
    let dir = PathBuf::from(String::from_utf8(out.stdout).ok()?.trim());
    Some(dir).filter(|d| has_archive(d))
}

fn main() {
    println!("cargo:rerun-if-env-changed=LOAM_LIB_DIR");
    let built = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("../build/release");
    let dir = match env::var_os("LOAM_LIB_DIR") {
        Some(named) => Some(PathBuf::from(named)).filter(|d| has_archive(d)),
        None => Some(built).filter(|d| has_archive(d)).or_else(installed),
    };
    let dir = dir.unwrap_or_else(|| {
        panic!("no libloam.a: run `make` in loam's tree, or name its folder in LOAM_LIB_DIR")
    });
    println!("cargo:rerun-if-changed={}", dir.join("libloam.a").display());
    println!("cargo:rustc-link-search=native={}", dir.display());
    println!("cargo:rustc-link-lib=static=loam");
}
