//! PostgreSQL.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};

use crate::{
    account::Account,
    layout::Layout,
    process::{MARK, Process, spawn_from_keeper, tethered_by},
};

const NAME: &str = "postgres";
const USER: &str = "mintfleet";
const DATABASE: &str = "mintfleet";
const PATIENCE: Duration = Duration::from_secs(30);

/// For a stack on a developer's machine. What is committed outlives any crash of the server, for it was handed to the
/// system; only a crash of the whole machine may lose it (`fsync`, `full_page_writes`), which costs nobody anything
/// here and makes tests faster.
const CONFIGURATION: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 256MB
shared_preload_libraries = 'pg_stat_statements'
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 2GB
jit = off
# In files of ours, not in /dev/shm, where a killed server would leave them.
dynamic_shared_memory_type = mmap
";

/// A superuser can start programs, so other users of the machine must not get in.
const ACCESS: &str = "host all all 127.0.0.1/32 scram-sha-256\n";

/// A database server of the stack's own.
pub(crate) struct Postgres {
    binaries: PathBuf,
    account: Option<Account>,
    data: PathBuf,
    layout: Layout,
    port: u16,
    password: String,
    process: Process,
}

impl Postgres {
    /// Makes a new cluster with one database, and starts it.
    pub(crate) async fn create(binaries: &Path, layout: &Layout, port: u16, password: String) -> Result<Self> {
        let account = Account::for_postgres()?;
        let data = layout.postgres(account.is_some());
        fs::create_dir_all(&data).with_context(|| format!("cannot create {}", data.display()))?;
        if let Some(account) = account {
            account.own(&data)?;
        }
        let programs = Programs { binaries, account, layout };
        initialise(&programs, &data, port, &password).await.context("cannot create the database")?;
        let process = start(&programs, &data).await?;
        Ok(Self { binaries: binaries.to_owned(), account, data, layout: layout.clone(), port, password, process })
    }

    /// How to connect as superuser, past the proxy.
    pub(crate) fn own_url(&self) -> String {
        self.url_at(self.port)
    }

    /// How to connect through a proxy on that port.
    pub(crate) fn url_at(&self, port: u16) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{port}/{DATABASE}", self.password)
    }

    /// The server's process.
    pub(crate) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts it again after it ended, on the same data and port.
    pub(crate) async fn start(&mut self) -> Result<()> {
        let programs = Programs { binaries: &self.binaries, account: self.account, layout: &self.layout };
        let deadline = Instant::now() + PATIENCE;
        loop {
            match start(&programs, &self.data).await {
                Ok(process) => {
                    self.process = process;
                    return Ok(());
                }
                // After a kill, the server's own children take a moment to notice that they are orphans.
                Err(error) if error.to_string().contains("is still in use") && Instant::now() < deadline => {
                    sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Stops it as an operator does: connections are closed, what is committed is written.
    pub(crate) async fn stop(&mut self) {
        self.process.stop(Signal::SIGINT, PATIENCE).await;
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.process.stop_blocking(Signal::SIGQUIT, Duration::from_secs(2));
    }
}

struct Programs<'a> {
    binaries: &'a Path,
    account: Option<Account>,
    layout: &'a Layout,
}

impl Programs<'_> {
    fn command(&self, program: &str) -> Command {
        // On QUIT it ends at once too, but takes its children and its shared memory with it.
        let mut command = tethered_by("QUIT", self.account, self.binaries.join("bin").join(program));
        command.env(MARK, self.layout.root()).current_dir("/");
        command
    }

    fn log(&self) -> PathBuf {
        self.layout.log(NAME)
    }
}

async fn initialise(programs: &Programs<'_>, data: &Path, port: u16, password: &str) -> Result<()> {
    let mut initdb = programs.command("initdb");
    initdb
        .args(["--no-sync", "--locale=C", "--encoding=UTF8", "--auth=trust", "--username", USER, "--pgdata"])
        .arg(data);
    Process::spawn("initdb", initdb, &programs.log())?.finish(PATIENCE).await?;
    fs::write(data.join("pg_hba.conf"), ACCESS)?;
    fs::OpenOptions::new()
        .append(true)
        .open(data.join("postgresql.conf"))?
        .write_all(format!("{CONFIGURATION}\nport = {port}\n").as_bytes())?;
    single_user(programs, data, "postgres", &format!("ALTER ROLE {USER} PASSWORD '{password}'"))?;
    single_user(programs, data, "postgres", &format!("CREATE DATABASE {DATABASE}"))?;
    single_user(programs, data, DATABASE, "CREATE EXTENSION pg_stat_statements")
}

/// One statement, before the server runs: so devstack needs no client of its own.
fn single_user(programs: &Programs<'_>, data: &Path, database: &str, statement: &str) -> Result<()> {
    let mut command = programs.command("postgres");
    let log = fs::OpenOptions::new().append(true).open(programs.log())?;
    command.arg("--single").arg("-D").arg(data).args(["-c", "exit_on_error=on", database]);
    command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
    let mut backend = spawn_from_keeper(command)?;
    backend.stdin.take().context("no standard input")?.write_all(format!("{statement}\n").as_bytes())?;
    let status = backend.wait()?;
    ensure!(status.success(), "a statement on a new database failed, see {}", programs.log().display());
    Ok(())
}

async fn start(programs: &Programs<'_>, data: &Path) -> Result<Process> {
    let mut command = programs.command("postgres");
    command.arg("-D").arg(data);
    let mut process = Process::spawn(NAME, command, &programs.log())?;
    process.wait_for_output("database system is ready to accept connections", PATIENCE).await?;
    Ok(process)
}
