//! Queries are checked against `.sqlx`, which is committed, whatever `DATABASE_URL` says: a developer's database that is
//! down or behind breaks no build. Only `scripts/sqlx-prepare` asks a real one: it names a place for what it learns.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=.sqlx");
    println!("cargo::rerun-if-changed=src/commit.sql");
    println!("cargo::rerun-if-changed=../../migrations");
    println!("cargo::rerun-if-env-changed=SQLX_OFFLINE_DIR");
    if std::env::var_os("SQLX_OFFLINE_DIR").is_none() {
        println!("cargo::rustc-env=SQLX_OFFLINE=true");
    }
}
