//! A database that goes and comes back, seen through a wire that can be cut or go silent.

use std::sync::Arc;
use std::time::Duration;

use engine::{OperationStore, StoreError};
use futures::future::{join_all, pending};
use resilience::{BreakerSettings, Dependency, HealthBoard, HealthState};
use store::{PoolSettings, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::support::{Fixture, eventually, somebody_waits};

/// How a wire is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Whole,
    /// Connections end, and so does every new one.
    Cut,
    /// Nothing gets through and nobody is told. What a connection sent meanwhile is lost, and so is the connection.
    Silent,
}

/// Passes everything on to a server, unless something is wrong with it.
struct Wire {
    address: String,
    line: watch::Sender<Line>,
}

impl Wire {
    async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let line = watch::Sender::new(Line::Whole);
        let seen = line.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connect(client, server.clone(), seen.clone()));
            }
        });
        Self { address, line }
    }

    fn becomes(&self, line: Line) {
        self.line.send_replace(line);
    }
}

async fn connect(client: TcpStream, server: String, line: watch::Receiver<Line>) {
    let mut cut = line.clone();
    let server = TcpStream::connect(server).await.unwrap();
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        biased;
        _ = cut.wait_for(|line| *line == Line::Cut) => {}
        () = pass_on(from_client, to_server, line.clone()) => {}
        () = pass_on(from_server, to_client, line.clone()) => {}
    }
}

async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, line: watch::Receiver<Line>) {
    let mut bytes = vec![0; 8_192];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if *line.borrow() == Line::Silent {
            pending::<()>().await;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

/// A database behind a wire, and a store that is watched over.
struct Far {
    fixture: Fixture,
    wire: Wire,
    store: Arc<Store>,
    line: Dependency,
}

impl Far {
    /// No time limit of the store's own is ever reached, and no rest of the breaker ends by itself.
    async fn new(max_connections: u32) -> Self {
        let never = Duration::from_hours(1);
        let fixture = Box::pin(Fixture::new()).await;
        let url = fixture.database.url();
        let (before, rest) = url.split_once('@').unwrap();
        let (server, database) = rest.split_once('/').unwrap();
        let wire = Wire::to(server.to_owned()).await;
        let line = HealthBoard::default().dependency("database", 1);
        let settings = PoolSettings {
            min_connections: 0,
            max_connections,
            acquire_timeout: never,
            statement_timeout: never,
            breaker: BreakerSettings { failures: 3, rest: never, ..BreakerSettings::default() },
            line: line.clone(),
            ..PoolSettings::new(format!("{before}@{}/{database}", wire.address))
        };
        let store = Arc::new(Store::connect(&settings).await.unwrap());
        tokio::spawn(Arc::clone(&store).watch_over());
        Self { fixture, wire, store, line }
    }
}

/// For whatever has to happen some time.
async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_mins(1), future).await.expect("waited in vain")
}

async fn becomes(open: &mut watch::Receiver<bool>, wanted: bool) {
    within(open.wait_for(|open| *open == wanted)).await.unwrap();
}

#[tokio::test]
async fn an_outage_opens_the_breaker_and_a_good_probe_ends_its_rest() {
    let Far { fixture, wire, store, line } = Far::new(5).await;
    let ids = [fixture.inserted(1).await.id];
    store.load(&ids).await.unwrap();
    assert_eq!(line.state(), HealthState::Healthy);

    wire.becomes(Line::Cut);
    let failed = join_all((0..5).map(|_| store.load(&ids))).await;
    assert!(failed.iter().all(Result::is_err), "{failed:?}");
    let mut open = store.open();
    becomes(&mut open, false).await;
    let error = store.load(&ids).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(failure) if failure.code == "database-out"), "{error:?}");
    assert_eq!(line.state(), HealthState::Down);

    wire.becomes(Line::Whole);
    becomes(&mut open, true).await;
    // Together: while one of them finds out, the others wait.
    let loaded = join_all((0..50).map(|_| store.load(&ids))).await;
    assert!(loaded.iter().all(Result::is_ok), "{loaded:?}");
    assert_eq!(line.state(), HealthState::Healthy);
}

#[tokio::test]
async fn an_outage_is_found_out_though_nobody_asks() {
    let Far { fixture: _fixture, wire, store, line } = Far::new(5).await;
    let mut open = store.open();
    for _ in 0..2 {
        wire.becomes(Line::Cut);
        becomes(&mut open, false).await;
        assert_eq!(line.state(), HealthState::Down);
        wire.becomes(Line::Whole);
        becomes(&mut open, true).await;
        eventually("it answers", || async { store.schema_is_current().await.is_ok() }).await;
    }
}

#[tokio::test]
async fn a_statement_that_hangs_is_given_up_and_takes_no_connection_with_it() {
    let Far { fixture, wire, store, line } = Far::new(1).await;
    let operation = fixture.inserted(1).await;
    let mut person = fixture.sql.begin().await.unwrap();
    sqlx::query("SELECT FROM minting_operations FOR UPDATE").execute(&mut *person).await.unwrap();
    let hanging = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.flag(operation.id, "look").await }
    });
    somebody_waits(&fixture.sql, 1).await;

    wire.becomes(Line::Silent);
    let ids = [operation.id];
    let in_line = within(store.load(&ids)).await.map(drop);
    for answer in [in_line, within(hanging).await.unwrap()] {
        let error = answer.unwrap_err();
        assert!(matches!(&error, StoreError::Unavailable(failure) if failure.code == "database-out"), "{error:?}");
    }
    assert_eq!(line.state(), HealthState::Down);
    let mut open = store.open();
    becomes(&mut open, false).await;

    wire.becomes(Line::Whole);
    person.rollback().await.unwrap();
    becomes(&mut open, true).await;
    // Its connection is lost for good. Another one has its place.
    within(store.load(&ids)).await.unwrap();
}

#[tokio::test]
async fn what_refuses_a_row_is_well() {
    let fixture = Fixture::new().await;
    let line = HealthBoard::default().dependency("database", 1);
    let settings = PoolSettings {
        min_connections: 0,
        breaker: BreakerSettings { failures: 1, ..BreakerSettings::default() },
        line: line.clone(),
        ..PoolSettings::new(fixture.database.url())
    };
    let store = Store::connect(&settings).await.unwrap();
    let mut operation = crate::support::new_operation(1);
    operation.user_id = "a\0b".into();
    for _ in 0..3 {
        let error = store.insert(std::slice::from_ref(&operation)).await.unwrap_err();
        assert!(matches!(error, StoreError::Row { .. }), "{error:?}");
    }
    assert_eq!(line.state(), HealthState::Healthy);
}
