//! HTTP servers on free ports.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use url::Url;

/// Serves until the test's runtime ends.
pub async fn serve(router: Router) -> Url {
    let (listener, url) = listen().await;
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A port where nobody answers.
pub async fn refusing() -> Url {
    listen().await.1
}

/// A port that takes connections and says nothing.
pub async fn silent() -> Url {
    let (listener, url) = listen().await;
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            held.push(connection);
        }
    });
    url
}

/// A port that takes connections and closes them.
pub async fn hanging_up() -> Url {
    let (listener, url) = listen().await;
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    url
}

async fn listen() -> (TcpListener, Url) {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, Url::parse(&format!("http://{address}")).expect("a URL"))
}
