//! The ops endpoints over real sockets, and the command line of a worker.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use engine::{FloodGuard, FloodLimit, Partition};
use futures::FutureExt as _;
use metrics_exporter_prometheus::PrometheusHandle;
use service::config::Program;
use service::{Checks, Health, OpsListener};

/// A process has one.
fn recorder() -> PrometheusHandle {
    static RECORDER: LazyLock<PrometheusHandle> = LazyLock::new(|| service::gather_metrics().unwrap());
    RECORDER.clone()
}

fn get(address: SocketAddr, path: &str) -> String {
    ask(address, "GET", path)
}

fn ask(address: SocketAddr, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: ops\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_worker_says_how_it_is() {
    let alive = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&alive);
    let health = Health::default();
    health.dependency("kafka", 1).good();
    let checks = Checks::default()
        .live(move || if asked.load(Ordering::Relaxed) { Ok(()) } else { Err("consumer hangs".into()) })
        .ready(|| Err("no partitions assigned yet".into()))
        .depends_on(health);
    let metrics = recorder();
    metrics::counter!("ops_test_total").increment(3);
    let listener = OpsListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let server = listener.serve("verifier", checks, metrics).unwrap();
    let address = server.address();

    assert!(get(address, "/livez").starts_with("HTTP/1.1 200"));
    let ready = get(address, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("no partitions assigned yet"), "{ready}");
    assert!(ready.contains(r#""name":"kafka","state":"healthy""#), "{ready}");
    assert!(get(address, "/metrics").contains("ops_test_total 3"));
    assert!(get(address, "/version").contains(r#""name":"verifier""#));
    assert!(get(address, "/nothing").starts_with("HTTP/1.1 404"));

    alive.store(false, Ordering::Relaxed);
    let hanging = get(address, "/livez");
    assert!(hanging.starts_with("HTTP/1.1 503") && hanging.contains("consumer hangs"), "{hanging}");

    drop(server);
    assert!(TcpStream::connect(address).is_err(), "the port is free again");
}

#[test]
fn a_flood_is_shown_and_released() {
    let guard = FloodGuard::new(FloodLimit { records: 2, percent: 50 });
    let partition = Partition { topic: "nft-operations".into(), id: 3 };
    let poison = || guard.poison(&partition).now_or_never();
    assert!(poison().is_some() && poison().is_none());
    let checks = Checks::default().floods(Arc::clone(&guard));
    let listener = OpsListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let server = listener.serve("ipfs-uploader", checks, recorder()).unwrap();

    assert!(get(server.address(), "/floods").ends_with("nft-operations/3\n"));
    assert!(get(server.address(), "/floods/release").starts_with("HTTP/1.1 405"));
    assert!(ask(server.address(), "POST", "/floods/release").ends_with("nft-operations/3\n"));
    assert!(poison().is_some());
}

#[test]
fn a_port_that_is_taken_is_named() {
    let first = OpsListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let error = OpsListener::bind(first.address()).unwrap_err();
    assert!(format!("{error:#}").contains(&first.address().to_string()), "{error:#}");
}

#[test]
fn the_command_line_of_every_worker_is_sound() {
    for program in Program::WORKERS {
        service::command(program).debug_assert();
        let help = service::command(program).render_help().to_string();
        assert!(help.contains("DATABASE_URL") && help.contains("Exit codes"), "{help}");
    }
}
