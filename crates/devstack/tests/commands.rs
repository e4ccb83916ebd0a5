//! The commands, as a person types them.

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    net::TcpStream,
    path::Path,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

const DEVSTACK: &str = env!("CARGO_BIN_EXE_devstack");

fn devstack(command: &str, dir: &Path, rest: &[&str]) -> Output {
    Command::new(DEVSTACK).arg(command).arg("--dir").arg(dir).args(rest).output().unwrap()
}

fn succeed(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn pids(dir: &Path) -> BTreeMap<String, u32> {
    let text = fs::read_to_string(dir.join("pids")).unwrap();
    text.lines()
        .map(|line| {
            let (name, pid) = line.split_once(' ').unwrap();
            (name.to_owned(), pid.parse().unwrap())
        })
        .collect()
}

/// The value of a variable in the `env` file.
fn env(dir: &Path, name: &str) -> String {
    let text = fs::read_to_string(dir.join("env")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("export {name}="))).unwrap();
    line.trim_matches('\'').to_owned()
}

fn kill(pid: u32) {
    succeed(&Command::new("kill").args(["-9", &pid.to_string()]).output().unwrap());
}

fn runs(pid: u32) -> bool {
    // A zombie that nobody has waited for yet runs no more.
    Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output()
        .is_ok_and(|output| output.status.success() && !output.stdout.trim_ascii().starts_with(b"Z"))
}

/// Whether a server keeps a connection open: a proxy takes it in any case, and resets it where nobody is behind it.
fn answers(address: &str) -> bool {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    stream.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "still not so: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_killed_part_is_started_again_and_a_crashed_stack_is_cleaned() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("stack");

    succeed(&devstack("up", &dir, &["--bare"]));
    let brokers = env(&dir, "KAFKA_BROKERS");
    let before = pids(&dir);
    assert_eq!(before.keys().map(String::as_str).collect::<Vec<_>>(), ["devstack", "kafka", "postgres"]);
    assert!(answers(&brokers));

    // A person kills two of its parts: the same command brings them back, at their old addresses.
    kill(before["kafka"]);
    kill(before["postgres"]);
    wait_until("killed parts are gone", || !runs(before["kafka"]) && !runs(before["postgres"]));
    let again = devstack("up", &dir, &["--bare"]);
    succeed(&again);
    assert!(String::from_utf8_lossy(&again.stderr).contains("Started postgres, kafka"), "{again:?}");
    let after = pids(&dir);
    assert_eq!(after["devstack"], before["devstack"]);
    assert_ne!(after["kafka"], before["kafka"]);
    assert_eq!(env(&dir, "KAFKA_BROKERS"), brokers);
    assert!(answers(&brokers));

    // The stack itself dies without a word: so do its parts, and the next one starts on a clean floor.
    kill(after["devstack"]);
    wait_until("all die with the stack", || after.values().all(|pid| !runs(*pid)));
    fs::write(dir.join("notes.txt"), "not ours").unwrap();
    succeed(&devstack("up", &dir, &["--bare"]));
    let new = pids(&dir);
    assert_ne!(new["devstack"], after["devstack"]);
    assert!(answers(&env(&dir, "KAFKA_BROKERS")));

    succeed(&devstack("down", &dir, &[]));
    wait_until("all end with the stack", || new.values().all(|pid| !runs(*pid)));
    let left: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["notes.txt"], "only what is not ours stays");
}

#[test]
fn exec_gives_the_command_a_stack_and_its_exit_code_back() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("stack");
    // What an exec left behind that was killed; no process has this id.
    let crashed = dir.join("exec-2147483646/logs");
    fs::create_dir_all(&crashed).unwrap();

    let script = r#"test -n "$DATABASE_URL" && test -n "$KAFKA_BROKERS" && test -r "$MINT_PAYER_KEYPAIR" &&
        test -r "$ASSET_DIR/tech-chicken.png" && echo "$PINATA_API_URL $IPFS_GATEWAYS" && exit 7"#;
    let output = devstack("exec", &dir, &["--bare", "--", "sh", "-c", script]);
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.matches("http://127.0.0.1:").count(), 3, "{said}");
    assert_eq!(said.matches("/ipfs/").count(), 2, "{said}");
    assert!(!dir.exists(), "nothing is left behind");
}

#[test]
fn what_is_missing_is_named() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("stack");
    let empty = place.path().to_str().unwrap();
    let output = devstack("exec", &dir, &["--bin-dir", empty, "--", "true"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("mintctl does not exist: build it first"), "{said}");
    assert!(!dir.exists(), "nothing is left behind");
}
