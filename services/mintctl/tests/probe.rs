//! `mintctl probe`, against a worker's real ops endpoints.

mod common;

use std::net::SocketAddr;

use anyhow::Result;
use common::{code, mintctl, stderr, stdout};
use serde_json::{Value, json};
use service::{Checks, OpsListener};

#[test]
fn an_address_is_well_when_it_says_so() -> Result<()> {
    let listener = OpsListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let checks = Checks::default().ready(|| Err("no partitions yet".to_owned()));
    let ops = listener.serve("verifier", checks, service::gather_metrics()?)?;
    let (livez, readyz) = (format!("http://{}/livez", ops.address()), format!("http://{}/readyz", ops.address()));

    let well = mintctl(&[], &["probe", &livez], b"")?;
    assert_eq!((code(&well), stdout(&well)), (0, format!("{livez} ok\n")));
    let unready = mintctl(&[], &["probe", &livez, &readyz], b"")?;
    assert_eq!(code(&unready), 1, "one of two is not well");
    assert!(stdout(&unready).contains("503") && stdout(&unready).contains("no partitions yet"), "{}", stdout(&unready));

    drop(ops);
    let gone = mintctl(&[], &["probe", "--json", &livez], b"")?;
    assert_eq!(code(&gone), 1);
    let verdicts: Value = serde_json::from_slice(&gone.stdout)?;
    assert_eq!(verdicts, json!([{ "url": livez, "well": false, "reason": "no answer" }]));
    let nothing = mintctl(&[], &["probe"], b"")?;
    assert_eq!(code(&nothing), 2, "nothing to ask");
    assert!(stderr(&nothing).contains("<URL>"), "{}", stderr(&nothing));
    Ok(())
}
