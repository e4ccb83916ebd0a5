//! From a row to the event of its operation.

use std::collections::HashMap;

use domain::{Attribute, Failure, Nft, OperationId, OperationKind, OperationRequested, WalletAddress};
use serde::Deserialize;
use uuid::Uuid;

use super::args::Template;
use crate::submit::{Checker, Event};

/// Sets the ids of airdrops apart from all others that are ever derived like this.
const AIRDROPS: Uuid = Uuid::from_u128(0x9c1c_3f0a_55d4_4b7e_9a06_6f2d_7c1b_e8d3);

/// One line of the file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Row {
    wallet_address: WalletAddress,
    key: Option<String>,
    user_id: Option<String>,
    name: Option<String>,
    symbol: Option<String>,
    description: Option<String>,
    level: Option<u32>,
    image: Option<String>,
    attributes: Option<Vec<Attribute>>,
}

/// Reads rows of one campaign, each into an operation of its own.
#[derive(Debug)]
pub struct Rows {
    campaign: Uuid,
    template: Template,
    checker: Checker,
    seen: HashMap<OperationId, u64>,
}

impl Rows {
    /// The rows of that campaign, each checked as intake will check its event.
    pub fn new(campaign: &str, template: Template, checker: Checker) -> Self {
        let campaign = Uuid::new_v5(&AIRDROPS, campaign.as_bytes());
        Self { campaign, template, checker, seen: HashMap::new() }
    }

    /// The operation of the row in that line.
    ///
    /// # Errors
    /// A line that is no row, or the second row of a key, or what intake would refuse.
    pub fn read(&mut self, number: u64, line: &[u8]) -> Result<Event, Failure> {
        let row: Row = serde_json::from_slice(line).map_err(|error| Failure::permanent("not-a-row", error))?;
        let wallet = row.wallet_address.to_string();
        let key = row.key.as_deref().unwrap_or(&wallet);
        let id = OperationId::from_uuid(Uuid::new_v5(&self.campaign, key.as_bytes()));
        let first = *self.seen.entry(id).or_insert(number);
        if first != number {
            let reason = format!("line {first} has the key {key:?} too: a wallet that is to get several needs keys");
            return Err(Failure::permanent("duplicate-row", reason));
        }
        let event = self.event(id, row);
        let value = serde_json::to_vec(&event).map_err(|error| Failure::permanent("not-a-row", error))?;
        self.checker.check(number, value)
    }

    fn event(&self, id: OperationId, row: Row) -> OperationRequested {
        let template = self.template.clone();
        OperationRequested {
            operation_id: id,
            kind: OperationKind::Airdrop,
            user_id: row.user_id.unwrap_or_else(|| row.wallet_address.to_string()),
            wallet_address: row.wallet_address,
            priority: template.priority.into(),
            nft: Nft {
                name: row.name.unwrap_or(template.name),
                symbol: row.symbol.unwrap_or(template.symbol),
                description: row.description.unwrap_or(template.description),
                level: row.level.unwrap_or(template.level),
                image: row.image.unwrap_or(template.image),
                attributes: row.attributes.unwrap_or(template.attribute),
                seller_fee_basis_points: template.royalty,
                collection: template.collection,
            },
            burn: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    const WALLET: &str = "11111111111111111111111111111112";

    fn rows(campaign: &str) -> Rows {
        let line = "mintctl airdrop - --campaign x --name Ape --image asset:a.png --attribute Level=2";
        let Ok(Cli { command: Command::Airdrop(args), .. }) = Cli::try_parse_from(line.split(' ')) else {
            panic!("refused")
        };
        Rows::new(campaign, args.template, Checker::new("t.", DateTime::UNIX_EPOCH))
    }

    fn read(rows: &mut Rows, number: u64, line: &str) -> Result<(OperationId, OperationRequested), Failure> {
        let Event { id, record } = rows.read(number, line.as_bytes())?;
        Ok((id, serde_json::from_slice(record.value.as_deref().unwrap_or_default()).unwrap()))
    }

    fn row(rest: &str) -> String {
        format!(r#"{{"walletAddress":"{WALLET}"{rest}}}"#)
    }

    #[test]
    fn a_row_is_the_same_operation_for_ever_and_others_are_others() {
        let id = |campaign: &str, row: &str| read(&mut rows(campaign), 1, row).unwrap().0;
        let own = id("spring", &row(""));
        assert_eq!(own.to_string(), "1c3255d7-43f3-50e6-9adf-9972ccc7969d");
        assert_eq!(id("spring", &row(&format!(r#","key":"{WALLET}","name":"Another""#))), own, "the key alone counts");
        assert_ne!(id("spring", &row(r#","key":"second""#)), own);
        assert_ne!(id("autumn", &row("")), own);
    }

    #[test]
    fn a_row_has_what_the_flags_say_unless_it_says_otherwise() {
        let mut rows = rows("spring");
        let (id, event) = read(&mut rows, 1, &row("")).unwrap();
        assert_eq!(
            (event.operation_id, event.kind, event.priority),
            (id, OperationKind::Airdrop, domain::Priority::Bulk)
        );
        assert_eq!((event.user_id.as_str(), event.nft.name.as_str()), (WALLET, "Ape"));
        assert_eq!(event.nft.attributes.len(), 1);
        let other = row(r#","key":"2","userId":"anna","name":"Bee","level":3,"attributes":[]"#);
        let (_, event) = read(&mut rows, 2, &other).unwrap();
        assert_eq!((event.user_id.as_str(), event.nft.name.as_str(), event.nft.level), ("anna", "Bee", 3));
        assert!(event.nft.attributes.is_empty());
    }

    #[test]
    fn a_bad_row_is_named() {
        let mut rows = rows("spring");
        read(&mut rows, 1, &row("")).unwrap();
        for (number, line, code) in [
            (2, row(""), "duplicate-row"),
            (3, row(r#","nam":"Bee""#), "not-a-row"),
            (4, "{}".to_owned(), "not-a-row"),
            (5, r#"{"walletAddress":"0OIl"}"#.to_owned(), "not-a-row"),
            (6, row(r#","key":"6","name":"a name that is longer than the chain stores""#), "invalid-content"),
        ] {
            let failure = read(&mut rows, number, &line).unwrap_err();
            assert_eq!(failure.code, code, "{line}: {failure}");
        }
        let failure = read(&mut rows, 7, &row("")).unwrap_err();
        assert!(failure.message.contains("line 1"), "{failure}");
    }
}
