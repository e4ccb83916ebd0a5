//! Does Pinata know us, do the gateways answer, and are there images?

use std::path::Path;
use std::time::Duration;

use domain::Cid;
use futures::future::join_all;
use ipfs::{GatewayError, GatewayFault, Gateways, PinProvider as _, Pinata, PinataOptions};
use service::config::{self, GatewaySettings, PinataSettings};

use super::row::{Row, Verdict};
use crate::run::read;

const PATIENCE: Duration = Duration::from_secs(10);
/// No bytes at all: a content that nobody need have pinned.
const NOTHING: &str = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";

pub async fn examine() -> Vec<Row> {
    let (pinata, gateways) = futures::join!(pinata(), gateways());
    pinata.into_iter().chain(gateways).chain(assets()).collect()
}

async fn pinata() -> Vec<Row> {
    const PINATA: &str = "pinata";
    let settings = match read(PinataSettings::read) {
        Ok(settings) => settings,
        Err(error) => return Row::configuration(PINATA, error),
    };
    let address = settings.api_url.host_str().unwrap_or_default().to_owned();
    let options = PinataOptions {
        api: settings.api_url,
        uploads: settings.uploads_url,
        jwt: settings.api_key,
        timeout: PATIENCE,
    };
    let authenticated = match Pinata::new(options) {
        Ok(pinata) => pinata.status().await.map_err(|error| error.to_string()),
        Err(error) => Err(error.without_url().to_string()),
    };
    vec![match authenticated {
        Ok(()) => Row::ok(PINATA, format!("{address} takes our key")),
        Err(error) => Row::fail(PINATA, error, "correct PINATA_API_KEY (a JWT) or PINATA_API_URL, or wait for Pinata"),
    }]
}

async fn gateways() -> Vec<Row> {
    const GATEWAYS: &str = "gateways";
    let settings = match read(GatewaySettings::read) {
        Ok(settings) => settings,
        Err(error) => return Row::configuration(GATEWAYS, error),
    };
    let asked = join_all(settings.gateways.iter().map(async |address| {
        let what = format!("gateway {}", address.host_str().unwrap_or_default());
        let what = address.port().map_or_else(|| what.clone(), |port| format!("{what}:{port}"));
        match Gateways::new(std::slice::from_ref(address)) {
            Ok(gateway) => judge(what, gateway.fetch(&nothing()).await),
            Err(error) => Row::fail(what, error, "see the system's certificates"),
        }
    }));
    none_or_some(asked.await)
}

fn nothing() -> Cid {
    NOTHING.parse().expect("a content id")
}

/// A gateway that says "not here" is there. A public one looks for it in vain for a while.
fn judge<T>(what: String, answer: Result<T, GatewayError>) -> Row {
    const REMEDY: &str = "correct or remove it in IPFS_GATEWAYS, or wait for it";
    let fault = match answer {
        Ok(_) => return Row::ok(what, "answers"),
        Err(GatewayError::AllFailed { mut faults, .. }) => faults.pop().map(|(_, fault)| fault),
        Err(error @ (GatewayError::Unverifiable(_) | GatewayError::NotAFile { .. })) => {
            return Row::fail(what, error, REMEDY);
        }
    };
    match fault {
        None | Some(GatewayFault::Status(404 | 410)) => Row::ok(what, "answers"),
        Some(fault @ (GatewayFault::Busy { .. } | GatewayFault::Status(_) | GatewayFault::TimedOut)) => {
            Row::warn(what, fault, REMEDY)
        }
        Some(fault) => Row::fail(what, fault, REMEDY),
    }
}

/// One gateway that is out is made up for by the others.
fn none_or_some(mut rows: Vec<Row>) -> Vec<Row> {
    if rows.iter().any(|row| row.verdict == Verdict::Ok) {
        for row in rows.iter_mut().filter(|row| row.verdict == Verdict::Fail) {
            row.verdict = Verdict::Warn;
        }
    }
    rows
}

fn assets() -> Vec<Row> {
    const ASSETS: &str = "assets";
    match read(config::asset_dir) {
        Err(error) => Row::configuration(ASSETS, error),
        Ok(None) => vec![Row::warn(ASSETS, "ASSET_DIR is not set", "set it if images are named asset:NAME")],
        Ok(Some(path)) => vec![count(ASSETS, &path)],
    }
}

fn count(what: &str, path: &Path) -> Row {
    match std::fs::read_dir(path) {
        Ok(entries) => Row::ok(what, format!("{} files in {}", entries.count(), path.display())),
        Err(error) => Row::fail(what, format!("{}: {error}", path.display()), "let this user read ASSET_DIR"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(fault: GatewayFault) -> Result<(), GatewayError> {
        Err(GatewayError::AllFailed { cid: nothing(), faults: vec![("g".into(), fault)] })
    }

    #[test]
    fn a_gateway_that_has_not_got_it_is_there() {
        assert_eq!(judge("g".into(), failed(GatewayFault::Status(404))).verdict, Verdict::Ok);
        assert_eq!(judge("g".into(), failed(GatewayFault::Status(504))).verdict, Verdict::Warn);
        assert_eq!(judge("g".into(), failed(GatewayFault::Unreachable("refused".into()))).verdict, Verdict::Fail);
    }

    #[test]
    fn one_gateway_of_several_may_be_out() {
        let rows = none_or_some(vec![Row::ok("a", "answers"), Row::fail("b", "refused", "")]);
        assert_eq!(rows.iter().map(|row| row.verdict).collect::<Vec<_>>(), [Verdict::Ok, Verdict::Warn]);
        assert_eq!(none_or_some(vec![Row::fail("b", "refused", "")])[0].verdict, Verdict::Fail);
    }
}
