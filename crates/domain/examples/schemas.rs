//! Writes the JSON Schemas of the events into a directory: `cargo run -p domain --example schemas docs/schemas`.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let directory = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "docs/schemas".into()));
    for (name, schema) in domain::schemas() {
        std::fs::write(directory.join(name), serde_json::to_string_pretty(&schema)? + "\n")?;
    }
    Ok(())
}
