//! The command line as a whole; each command's own arguments stand beside it.

use clap::{Parser, Subcommand};

use crate::airdrop::AirdropArgs;
use crate::collection::CollectionArgs;
use crate::costs::CostsArgs;
use crate::dlq::DlqArgs;
use crate::doctor::DoctorArgs;
use crate::list::ListArgs;
use crate::migrate::MigrateArgs;
use crate::op::OpArgs;
use crate::policies::PoliciesArgs;
use crate::probe::ProbeArgs;
use crate::reconcile::ReconcileArgs;
use crate::status::StatusArgs;
use crate::submit::SubmitArgs;
use crate::topics::TopicsArgs;
use crate::watch::WatchArgs;

const EXITS: &str = "Exit codes:
  0  done, and all is well
  1  something failed: a refused line, a failed operation or check, a dependency that is away
  2  wrong arguments or configuration; nothing was done
  3  nothing matched: no such operation or dead letter

Examples:
  mintctl doctor
  mintctl submit --wallet 7xKX… --name 'Quant Ape' --level 2 --image asset:quant-ape.png
  mintctl submit --file drop.jsonl --dry-run && mintctl submit --file drop.jsonl
  mintctl watch 0199a0b0-0000-7000-8000-000000000001
  mintctl list --state failed --since 24h --json | jq -r '.[].operationId'";

/// The operators' command line of the mint fleet.
#[derive(Debug, Parser)]
#[command(name = "mintctl", version, after_help = EXITS, after_long_help = crate::help::long(EXITS))]
pub struct Cli {
    /// Print JSON for machines: one document, or one line per event where a command goes on for a while
    #[arg(long, global = true)]
    pub json: bool,

    /// Say on stderr what is going on
    #[arg(long, short, global = true)]
    pub verbose: bool,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Publish one operation from flags, or many from a JSONL file
    Submit(Box<SubmitArgs>),
    /// Publish one operation for each row of a JSONL file, all or none; the same file again adds none
    Airdrop(Box<AirdropArgs>),
    /// Create the collections that NFTs are verified into
    Collection(CollectionArgs),
    /// Show how the fleet is, or all about one operation: milestones, content, mint, attempts, history
    Status(StatusArgs),
    /// See and deal with one operation by hand: show, retry, force, fail
    Op(OpArgs),
    /// Compare the chain with the records, both ways
    Reconcile(ReconcileArgs),
    /// List operations, newest first
    List(ListArgs),
    /// Follow operations until they end
    Watch(WatchArgs),
    /// Create the fleet's topics where they are missing, and say what differs
    Topics(TopicsArgs),
    /// Bring the database's schema up to date
    Migrate(MigrateArgs),
    /// See and deal with what the fleet put aside: list, show, replay, discard
    Dlq(DlqArgs),
    /// Print how often and how patiently the fleet tries each thing, and what then
    Policies(PoliciesArgs),
    /// Sum up what minting cost: by day, by kind of operation, an NFT on average, against the least it could
    Costs(CostsArgs),
    /// Look at every dependency and say what to do about it
    Doctor(DoctorArgs),
    /// Ask addresses whether they are well, for health checks where there is no curl
    Probe(ProbeArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::Parser;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn one_operation_needs_what_makes_it_one() {
        let one = "mintctl submit --wallet 11111111111111111111111111111112 --name A --image asset:a.png";
        let Ok(Cli { command: Command::Submit(args), json: false, .. }) = parse(one) else { panic!("refused") };
        assert_eq!(args.one.map(|one| (one.name, one.level)), Some(("A".to_owned(), 1)));
        assert!(parse("mintctl submit --name A").is_err());
        assert!(parse("mintctl submit").is_err());
        assert!(parse(&format!("{one} --attribute Level")).is_err());
        assert!(parse(&format!("{one} --file a.jsonl")).is_err());
        let Ok(Cli { command: Command::Submit(args), .. }) = parse("mintctl submit --file - --dry-run") else {
            panic!("refused")
        };
        assert!(args.one.is_none());
    }

    #[test]
    fn a_collection_needs_a_name_and_a_uri() {
        assert!(parse("mintctl collection create --name Apes --uri ipfs://x --label apes").is_ok());
        for bad in ["collection", "collection create --name Apes", "collection create --uri ipfs://x"] {
            assert!(parse(&format!("mintctl {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn dead_letters_are_dealt_with_by_name_filter_or_all() {
        let id = "0199a0b0-0000-5000-8000-000000000001";
        for good in ["ls --group --since 24h", "replay --all --rate 20/s --dry-run", "discard --code x --reason y"] {
            assert!(parse(&format!("mintctl dlq {good}")).is_ok(), "{good}");
        }
        assert!(parse(&format!("mintctl dlq replay {id} --edit --editor ed")).is_ok());
        for bad in ["show", "replay --all --rate 0/s", "ls --class sudden", "ls --since soon"] {
            assert!(parse(&format!("mintctl dlq {bad}")).is_err(), "{bad}");
        }
        assert!(parse(&format!("mintctl dlq discard {id}")).is_err(), "without a reason");
        assert!(parse(&format!("mintctl dlq replay {id} --all")).is_err());
    }

    #[test]
    fn an_operation_is_dealt_with_by_its_id_and_mostly_for_a_reason() {
        let id = "0199a0b0-0000-7000-8000-000000000001";
        for good in [
            format!("show {id}"),
            format!("retry {id} --endpoint backup --fee 5000 --attempts 5 --by anna"),
            format!("force {id} BLOCKCHAIN_CONFIRMED --reason seen"),
            format!("force {id} rolled-back --reason x"),
            format!("fail {id} --reason x --as ben"),
        ] {
            assert!(parse(&format!("mintctl op {good}")).is_ok(), "{good}");
        }
        for bad in [
            "show".to_owned(),
            format!("force {id} CONFIRMED --reason x"),
            format!("force {id} FAILED"),
            format!("fail {id}"),
            format!("retry {id} --attempts 0"),
            format!("retry {id} --fee 100000001"),
        ] {
            assert!(parse(&format!("mintctl op {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn help_is_whole() {
        let mut command = Cli::command();
        let long = command.render_long_help().to_string();
        for word in ["Exit codes", "Examples", "DATABASE_URL", "SOLANA_RPC_ENDPOINTS", "doctor"] {
            assert!(long.contains(word), "{word}");
        }
        let mut commands: Vec<_> = command.get_subcommands_mut().collect();
        while let Some(sub) = commands.pop() {
            let has_examples = sub.render_help().to_string().contains("Examples");
            assert!(sub.get_name() == "help" || has_examples, "{}", sub.get_name());
            commands.extend(sub.get_subcommands_mut());
        }
    }
}
