//! What a person reads when a stack is up.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use devstack::Extent;
use domain::Topic;

/// Every address, the topics, and three commands to try.
pub(super) fn of(env: &BTreeMap<String, String>, dir: &Path, extent: Extent) -> String {
    let mut text = String::from("\nThe stack is up.\n\n");
    let width = env.keys().map(String::len).max().unwrap_or_default();
    for (name, value) in env {
        let _ = writeln!(text, "  {name:width$}  {value}");
    }
    let dir = dir.display();
    let _ =
        write!(text, "\nThe addresses are in {dir}/env, the processes in {dir}/pids, what they write in {dir}/logs.\n");
    if extent >= Extent::SetUp {
        let _ = writeln!(text, "\nTopics (each with a {} beside it):", Topic::DEAD_LETTER_SUFFIX);
        for topic in Topic::all() {
            let _ = writeln!(text, "  {}", topic.name(""));
        }
        let _ = write!(
            text,
            "
Try, after `. {dir}/env`:
  mintctl doctor
  mintctl submit --help
  kill -9 $(awk '/verifier/ {{ print $2 }}' {dir}/pids) && devstack up --dir {dir}
"
        );
    }
    text
}

/// The environment of the stack in `dir`, from the file it wrote.
pub(super) fn read_env(file: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.strip_prefix("export ")?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('\'').replace(r"'\''", "'")))
        .collect()
}
