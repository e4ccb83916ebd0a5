//! A database that goes and comes back, seen through a wire that can be cut.

use std::sync::Arc;
use std::time::Duration;

use engine::{OperationStore, StoreError};
use futures::future::join_all;
use resilience::{BreakerSettings, HealthBoard, HealthState};
use store::{PoolSettings, Store};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::{Fixture, eventually};

/// Passes everything on to a server, unless it is cut.
struct Wire {
    address: String,
    whole: watch::Sender<bool>,
}

impl Wire {
    async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let whole = watch::Sender::new(true);
        let seen = whole.subscribe();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (mut seen, server) = (seen.clone(), server.clone());
                tokio::spawn(async move {
                    if !*seen.borrow() {
                        return;
                    }
                    let mut server = TcpStream::connect(server).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        _ = seen.wait_for(|whole| !whole) => {}
                    }
                });
            }
        });
        Self { address, whole }
    }
}

#[tokio::test]
async fn an_outage_opens_the_breaker_and_a_good_probe_ends_its_rest() {
    let fixture = Fixture::new().await;
    let operation = fixture.inserted(1).await;
    let url = fixture.database.url();
    let (before, rest) = url.split_once('@').unwrap();
    let (server, database) = rest.split_once('/').unwrap();
    let wire = Wire::to(server.to_owned()).await;
    let line = HealthBoard::default().dependency("database", 1);
    let settings = PoolSettings {
        min_connections: 0,
        acquire_timeout: Duration::from_millis(200),
        breaker: BreakerSettings { failures: 3, rest: Duration::from_hours(1), ..BreakerSettings::default() },
        line: line.clone(),
        ..PoolSettings::new(format!("{before}@{}/{database}", wire.address))
    };
    let store = Arc::new(Store::connect(&settings).await.unwrap());
    tokio::spawn(Arc::clone(&store).watch_over());
    store.load(&[operation.id]).await.unwrap();
    assert_eq!(line.state(), HealthState::Healthy);

    wire.whole.send_replace(false);
    let ids = [operation.id];
    let failed = join_all((0..5).map(|_| store.load(&ids))).await;
    assert!(failed.iter().all(Result::is_err), "{failed:?}");
    let mut open = store.open();
    open.wait_for(|open| !open).await.unwrap();
    let error = store.load(&ids).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(failure) if failure.code == "database-out"), "{error:?}");
    assert_eq!(line.state(), HealthState::Down);

    wire.whole.send_replace(true);
    open.wait_for(|open| *open).await.unwrap();
    eventually("it answers", || async { store.load(&ids).await.is_ok() }).await;
    assert_eq!(line.state(), HealthState::Healthy);
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
