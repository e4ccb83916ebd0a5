use std::collections::HashMap;
use std::env::VarError;
use std::io::Write as _;

use engine::FloodLimit;

use super::*;

/// The keypair of 32 bytes of 1, as `solana-keygen` would write it.
const PAYER: &str = "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,\
    138,136,227,221,116,9,241,149,253,82,219,45,60,186,93,114,202,103,9,191,29,148,18,27,243,116,136,1,180,15,111,92]";
const PAYER_ADDRESS: &str = "AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9";
const MASTER: &str = "1717171717171717171717171717171717171717171717171717171717171717";

const GOOD: &[(&str, &str)] = &[
    ("DATABASE_URL", "postgres://u:p@localhost/db"),
    ("KAFKA_BROKERS", "localhost:9092,[::1]:9093"),
    ("SOLANA_RPC_ENDPOINTS", "main=https://rpc.example/?api-key=k=1, http://127.0.0.1:8899"),
    ("MINT_PAYER_SECRET", PAYER),
    ("MINT_PAYER_ADDRESS", PAYER_ADDRESS),
    ("MINT_MASTER_SECRET", MASTER),
    ("PINATA_API_KEY", "jwt"),
];

fn env(program: Program, variables: &[(&str, &str)]) -> Env {
    let variables: HashMap<_, _> = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Env::of(program, |name| variables.get(name).cloned().ok_or(VarError::NotPresent))
}

fn with(variables: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    GOOD.iter().chain(variables).copied().collect()
}

fn problems<C: Config>(program: Program, variables: &[(&str, &str)]) -> Vec<String> {
    let mut env = env(program, variables);
    ProcessSettings::read(&mut env);
    C::read(&mut env);
    env.finish(()).err().map(|error| error.problems).unwrap_or_default()
}

#[test]
fn every_problem_comes_at_once() {
    let wrong = [
        ("SOLANA_RPC_ENDPOINTS", "https://ok.example,ftp://no.example"),
        ("CB_FAILURE_THRESHOLD", "0"),
        ("RETRY_SHARE_PERCENT", "0"),
        ("FLOOD_RECORDS", "0"),
        ("FLOOD_POISON_PERCENT", "0.5"),
        ("SOLANA_TIMEOUT_MS", "soon"),
        ("SOLANA_RETRY_ATTEMPTS", "0"),
        ("DB_POOL_MIN", "30"),
        ("KAFKA_SECURITY_PROTOCOL", "sasl_ssl"),
        ("KAFKA_SASL_USERNAME", "user"),
        ("SOLANA_PRIORITY_FEE_CAP", "9999"),
        ("SOLANA_PRIORITY_FEE_PERCENTILE", "101"),
        ("SOLANA_PRIORITY_FEE_FACTOR", "NaN"),
        ("LOG_FORMAT", "xml"),
        ("OPS_LISTEN", "9401"),
        ("MINT_PAYER_KEYPAIR", ""),
    ];
    assert_eq!(
        problems::<SubmitterConfig>(Program::MintSubmitter, &wrong),
        [
            "OPS_LISTEN: not ADDRESS:PORT",
            "LOG_FORMAT: neither json nor text",
            "missing DATABASE_URL (or DATABASE_URL_FILE)",
            "DB_POOL_MIN: more than DB_POOL_MAX",
            "missing KAFKA_BROKERS",
            "missing KAFKA_SASL_MECHANISM: sasl_ssl needs it",
            "missing KAFKA_SASL_PASSWORD: sasl_ssl needs it",
            "CB_FAILURE_THRESHOLD: not between 1 and 1000",
            "RETRY_SHARE_PERCENT: not between 1 and 100",
            "FLOOD_RECORDS: not between 1 and 100000",
            "FLOOD_POISON_PERCENT: not a whole number",
            "SOLANA_RPC_ENDPOINTS: entry 2 is no http:// or https:// URL",
            "SOLANA_RETRY_ATTEMPTS: not between 1 and 100",
            "SOLANA_TIMEOUT_MS: not a whole number",
            "SOLANA_PRIORITY_FEE_PERCENTILE: not between 1 and 100",
            "SOLANA_PRIORITY_FEE_FACTOR: not from 1 to 100",
            "SOLANA_PRIORITY_FEE_FLOOR_ANEW: more than SOLANA_PRIORITY_FEE_CAP",
            "missing MINT_PAYER_KEYPAIR (or MINT_PAYER_SECRET, MINT_PAYER_SECRET_FILE, MINT_SIGNER_CMD)",
            "missing MINT_MASTER_SECRET (or MINT_MASTER_SECRET_FILE)",
        ]
    );
}

#[test]
fn the_least_configuration_is_enough_and_the_rest_has_its_defaults() {
    let mut env = env(Program::MintSubmitter, GOOD);
    let process = ProcessSettings::read(&mut env);
    let config = SubmitterConfig::read(&mut env);
    let config = env.finish(config).unwrap();
    assert_eq!(process.ops_listen.to_string(), "127.0.0.1:9402");
    assert_eq!((config.worker.database.min_connections, config.worker.database.max_connections), (5, 20));
    assert_eq!(config.worker.limits.retry_percent, 30);
    assert_eq!(config.worker.limits.flood, FloodLimit { records: 500, percent: 50 });
    assert_eq!(config.solana.timeout.as_secs(), 30);
    let keys = opened(&config.keys);
    assert_eq!(keys.masters().active().key_id(), "1");
    assert_eq!(keys.payers().addresses().map(|payer| payer.to_string()).collect::<Vec<_>>(), [PAYER_ADDRESS]);
    assert_eq!(config.fees, ::solana::FeePolicy::default());
    assert_eq!(config.funding.policy, ::solana::FundingPolicy::default());
    assert!(config.funding.treasury.is_none());
    let labels: Vec<_> = config.solana.endpoints.iter().map(|endpoint| endpoint.label.as_str()).collect();
    assert_eq!(labels, ["main", "127.0.0.1:8899"]);
}

#[test]
fn endpoints_have_regions_and_emergencies() {
    let list = "main=https://a.example/?key=1;region=eu, https://b.example ; region=us,https://b.example/2,\
                local=http://127.0.0.1:8899;emergency";
    let variables = with(&[("SOLANA_RPC_ENDPOINTS", list), ("SOLANA_RPC_REGION", "eu")]);
    let mut env = env(Program::Verifier, &variables);
    let solana = SolanaSettings::read(&mut env);
    let solana = env.finish(solana).unwrap();
    let shown: Vec<_> = solana
        .endpoints
        .iter()
        .map(|endpoint| (endpoint.label.as_str(), endpoint.region.as_deref(), endpoint.emergency))
        .collect();
    assert_eq!(
        shown,
        [
            ("main", Some("eu"), false),
            ("b.example", Some("us"), false),
            ("b.example#3", None, false),
            ("local", None, true)
        ]
    );
}

#[test]
fn an_endpoint_list_that_makes_no_sense_is_refused_whole() {
    let list = "a=https://x.example;region=eu,a=https://y.example,https://x.example,https://z.example;regoin=eu,\
                https://w.example;emergency;emergency,https://v.example;region=";
    let variables = with(&[("SOLANA_RPC_ENDPOINTS", list), ("SOLANA_RPC_REGION", "mars")]);
    let option = "has an option that is neither region=NAME nor emergency, or one twice";
    assert_eq!(
        problems::<VerifierConfig>(Program::Verifier, &variables),
        [
            format!("SOLANA_RPC_ENDPOINTS: entry 4 {option}"),
            format!("SOLANA_RPC_ENDPOINTS: entry 5 {option}"),
            format!("SOLANA_RPC_ENDPOINTS: entry 6 {option}"),
            "SOLANA_RPC_ENDPOINTS: endpoint a is given more than once".into(),
            "SOLANA_RPC_ENDPOINTS: SOLANA_RPC_REGION is none of theirs".into(),
            "SOLANA_RPC_ENDPOINTS: a and x.example are one address".into(),
        ]
    );
    let variables = with(&[("SOLANA_RPC_ENDPOINTS", "https://x.example;emergency")]);
    assert_eq!(
        problems::<VerifierConfig>(Program::Verifier, &variables),
        ["SOLANA_RPC_ENDPOINTS: every endpoint is for emergencies only"]
    );
}

#[test]
fn an_account_does_not_stand_in_for_itself() {
    let same = with(&[("PINATA_BACKUP_API_KEY", "jwt"), ("KUBO_API_URL", "localhost")]);
    assert_eq!(
        problems::<UploaderConfig>(Program::IpfsUploader, &same),
        [
            "PINATA_BACKUP_API_KEY: the account of PINATA_API_KEY, which cannot stand in for itself",
            "KUBO_API_URL: not an http:// or https:// URL",
        ]
    );
    let another = [("PINATA_BACKUP_API_KEY", "jwt"), ("PINATA_BACKUP_UPLOADS_URL", "https://uploads.example")];
    assert!(problems::<UploaderConfig>(Program::IpfsUploader, &with(&another)).is_empty());
}

fn opened(keys: &MintKeySettings) -> ::solana::MintSigner {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(keys.open()).unwrap()
}

#[test]
fn a_signer_command_gives_what_is_not_given_here() {
    let answers = format!(
        r#"while read -r line; do id=$((id + 1)); case "$line" in
            *addresses*) echo '{{"id":'$id',"addresses":["{PAYER_ADDRESS}"]}}';;
            *'"keyId":"2"'*) echo '{{"id":'$id',"secret":"{MASTER}"}}';;
            *) echo '{{"id":'$id',"secret":"{}"}}';;
        esac; done"#,
        "18".repeat(32)
    );
    let variables = [("MINT_SIGNER_CMD", &*answers), ("MINT_KEY_ID", "2"), ("MINT_RETIRED_SECRETS", "1")];
    let mut env = env(Program::MintSubmitter, &variables);
    let keys = MintKeySettings::read(&mut env);
    let keys = opened(&env.finish(keys).unwrap());
    assert_eq!(keys.payers().addresses().map(|payer| payer.to_string()).collect::<Vec<_>>(), [PAYER_ADDRESS]);
    let names: Vec<_> = keys.masters().all().map(::solana::MasterSecret::key_id).collect();
    assert_eq!(names, ["2", "1"]);
    let without_a_command = with(&[("MINT_RETIRED_SECRETS", "1")]);
    let form = "MINT_RETIRED_SECRETS: entry 1 is not KEY_ID=SECRET with 32 bytes in hexadecimal";
    assert_eq!(problems::<SubmitterConfig>(Program::MintSubmitter, &without_a_command), [form]);
    let a_secret_without_its_name = with(&[("MINT_SIGNER_CMD", "true"), ("MINT_RETIRED_SECRETS", MASTER)]);
    assert_eq!(problems::<SubmitterConfig>(Program::MintSubmitter, &a_secret_without_its_name), [form]);
}

#[test]
fn payers_come_from_files_and_texts_and_retired_ones_sign_no_more() {
    let other = another_payer();
    let path = other.path().to_str().unwrap().to_owned();
    let open = |variables: &[(&str, &str)]| {
        let mut env = env(Program::MintSubmitter, &[GOOD, variables].concat());
        let settings = MintKeySettings::read(&mut env);
        env.finish(settings).map(|keys| opened(&keys).payers().addresses().count()).map_err(|error| error.problems)
    };
    let files = ("MINT_PAYER_KEYPAIR", path.as_str());
    assert_eq!(open(&[files]), Ok(2));
    assert_eq!(open(&[files, ("MINT_RETIRED_PAYERS", PAYER_ADDRESS)]), Ok(1));
    let none_left = "MINT_PAYER_KEYPAIR: no payer is left that is not retired".to_owned();
    assert_eq!(open(&[("MINT_RETIRED_PAYERS", PAYER_ADDRESS)]), Err(vec![none_left]));
    let twice = format!("{path},{path}");
    let problems = open(&[("MINT_PAYER_KEYPAIR", &twice)]).unwrap_err();
    assert!(problems[0].ends_with("is given twice"), "{problems:?}");
}

#[test]
fn keys_that_are_none_are_named_by_place_and_not_shown() {
    let wrong = [
        ("MINT_PAYER_KEYPAIR", "/no/such/file, /dev/null"),
        ("MINT_PAYER_SECRET", "[1,2];hunter2"),
        ("MINT_RETIRED_PAYERS", "hunter2"),
        ("MINT_MASTER_SECRET", "hunter2"),
        ("MINT_RETIRED_SECRETS", "0=hunter2,hunter2"),
    ];
    let mut env = env(Program::MintSubmitter, &wrong);
    MintKeySettings::read(&mut env);
    let no_keypair = "is no JSON list of 64 bytes that make a keypair, as solana-keygen writes it";
    let form = "is not KEY_ID=SECRET with 32 bytes in hexadecimal";
    assert_eq!(
        env.finish(()).unwrap_err().problems,
        [
            "MINT_PAYER_KEYPAIR: file 1 cannot be read: No such file or directory (os error 2)".to_owned(),
            format!("MINT_PAYER_KEYPAIR: file 2 {no_keypair}"),
            format!("MINT_PAYER_SECRET: entry 1 {no_keypair}"),
            format!("MINT_PAYER_SECRET: entry 2 {no_keypair}"),
            "MINT_RETIRED_PAYERS: entry 1 is no Solana address".to_owned(),
            format!("MINT_RETIRED_SECRETS: entry 1 {form}"),
            format!("MINT_RETIRED_SECRETS: entry 2 {form}"),
            "MINT_MASTER_SECRET: not 32 bytes in hexadecimal".to_owned(),
        ]
    );
}

#[test]
fn master_secrets_have_names_and_are_different() {
    let problem = |retired: &str| {
        let mut env = env(Program::Mintctl, &[GOOD, &[("MINT_RETIRED_SECRETS", retired)]].concat());
        let settings = MintKeySettings::read(&mut env);
        match env.finish(settings) {
            Ok(keys) => opened(&keys).masters().retired().map(|key| key.key_id().to_owned()).collect(),
            Err(error) => error.problems,
        }
    };
    let another = "18".repeat(32);
    assert_eq!(problem(&format!("0={another}")), ["0"]);
    assert_eq!(problem(&format!("1={another}")), ["MINT_RETIRED_SECRETS: master secret 1 is given twice"]);
    assert_eq!(problem(&format!("0={MASTER}")), ["MINT_RETIRED_SECRETS: master secrets 1 and 0 are the same"]);
}

#[test]
fn a_verifier_knows_payers_by_address_by_file_and_retired_ones() {
    let other = another_payer();
    let path = other.path().to_str().unwrap();
    let retired = "11111111111111111111111111111112";
    let retired = format!("{retired},{PAYER_ADDRESS}");
    let mut env =
        env(Program::Verifier, &[GOOD, &[("MINT_PAYER_KEYPAIR", path), ("MINT_RETIRED_PAYERS", &retired)]].concat());
    let settings = PayerSettings::read(&mut env);
    assert_eq!(env.finish(settings).unwrap().addresses.len(), 3, "each once");
    let mut nothing = self::env(Program::Verifier, &[]);
    PayerSettings::read(&mut nothing);
    assert_eq!(nothing.finish(()).unwrap_err().problems, ["missing MINT_PAYER_ADDRESS (or MINT_PAYER_KEYPAIR)"]);
}

/// A file with the keypair of 32 bytes of 2, as `solana-keygen` would write it.
fn another_payer() -> tempfile::NamedTempFile {
    let public = "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394";
    let public = (0..32).map(|at| u8::from_str_radix(&public[2 * at..2 * at + 2], 16).unwrap());
    let bytes: Vec<u8> = [2; 32].into_iter().chain(public).collect();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "{bytes:?}").unwrap();
    file
}

#[test]
fn funds_that_make_no_sense_are_refused() {
    let wrong = with(&[
        ("MINT_PAYER_PAUSE_BELOW_LAMPORTS", "6000000000"),
        ("MINT_TREASURY_LAMPORTS_PER_DAY", "4999999999"),
        ("MINT_TREASURY_KEYPAIR", "/no/such/hunter2"),
    ]);
    assert_eq!(
        problems::<SubmitterConfig>(Program::MintSubmitter, &wrong),
        [
            "MINT_PAYER_PAUSE_BELOW_LAMPORTS: more than MINT_PAYER_TOP_UP_BELOW_LAMPORTS",
            "MINT_PAYER_TOP_UP_LAMPORTS: less than MINT_PAYER_PAUSE_BELOW_LAMPORTS",
            "MINT_PAYER_TOP_UP_LAMPORTS: more than MINT_TREASURY_LAMPORTS_PER_DAY",
            "MINT_TREASURY_KEYPAIR: cannot be read: No such file or directory (os error 2)",
        ]
    );
}

#[test]
fn no_value_is_ever_shown() {
    const SECRET: &str = "hunter2";
    for variable in table::ALL {
        for program in variable.programs {
            let mut variables = GOOD.to_vec();
            variables.retain(|(name, _)| *name != variable.name);
            let file = variable.file_name();
            for name in [variable.name, file.as_str()] {
                let mut variables = variables.clone();
                variables.push((name, SECRET));
                let mut env = env(*program, &variables);
                let process = ProcessSettings::read(&mut env);
                let shown = match program {
                    Program::IpfsUploader => format!("{:?}", UploaderConfig::read(&mut env).pinning),
                    Program::MintSubmitter => format!("{:?}", SubmitterConfig::read(&mut env).worker.database),
                    Program::Verifier => format!("{:?}", VerifierConfig::read(&mut env).solana),
                    Program::Mintctl => String::new(),
                };
                if variable.secret {
                    assert!(!shown.contains(SECRET), "{shown}");
                }
                assert!(!format!("{env:?}").contains(SECRET));
                let error = env.finish(process).err().map(|error| error.to_string()).unwrap_or_default();
                assert!(!error.contains(SECRET), "{error}");
            }
        }
    }
}

#[test]
fn what_a_worker_reads_is_what_its_help_lists() {
    fn differences<C: Config>(program: Program) -> Vec<&'static str> {
        let mut env = env(program, GOOD);
        ProcessSettings::read(&mut env);
        C::read(&mut env);
        env.differences_from_table()
    }
    assert!(differences::<UploaderConfig>(Program::IpfsUploader).is_empty());
    assert!(differences::<SubmitterConfig>(Program::MintSubmitter).is_empty());
    assert!(differences::<VerifierConfig>(Program::Verifier).is_empty());
    let mut env = env(Program::Mintctl, GOOD);
    small_database_settings(&mut env);
    kafka_settings(&mut env);
    SolanaSettings::read(&mut env);
    MintKeySettings::read(&mut env);
    PayerSettings::read(&mut env);
    PinataSettings::read(&mut env);
    GatewaySettings::read(&mut env);
    asset_dir(&mut env);
    FleetSettings::read(&mut env);
    fee_policy(&mut env);
    funding_policy(&mut env);
    assert!(env.differences_from_table().is_empty());
}

#[test]
fn help_names_each_variable_with_its_default() {
    let text = help(Program::IpfsUploader);
    assert!(text.contains("DB_POOL_MAX\n          Connections at most [default: 20]"), "{text}");
    assert!(text.contains("[secret; or PINATA_API_KEY_FILE]"), "{text}");
    assert!(!text.contains("MINT_MASTER_SECRET"), "{text}");
}

#[test]
fn a_secret_may_come_from_a_file_but_not_twice() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "postgres://u:p@localhost/db").unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let mut variables = GOOD.to_vec();
    variables.retain(|(name, _)| *name != "DATABASE_URL");
    variables.push(("DATABASE_URL_FILE", &path));
    assert!(problems::<VerifierConfig>(Program::Verifier, &variables).is_empty());
    variables.push(("DATABASE_URL", "postgres://other"));
    assert_eq!(
        problems::<VerifierConfig>(Program::Verifier, &variables),
        ["both DATABASE_URL and DATABASE_URL_FILE are set"]
    );
    let missing = with(&[("KAFKA_SASL_PASSWORD_FILE", "/no/such/file")]);
    let problems = problems::<VerifierConfig>(Program::Verifier, &missing);
    assert!(problems[0].starts_with("KAFKA_SASL_PASSWORD_FILE: cannot read the file it names"), "{problems:?}");
}

#[test]
fn properties_are_passed_on_and_malformed_ones_named() {
    let mut good = env(Program::Verifier, &with(&[("KAFKA_PROPERTIES", "client.rack=a, debug = cgrp")]));
    let kafka = consuming_kafka_settings(&mut good);
    let passed_on: Vec<_> = kafka.properties.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(passed_on, [("client.rack", "a"), ("debug", "cgrp")]);
    let problems = problems::<VerifierConfig>(Program::Verifier, &with(&[("KAFKA_PROPERTIES", "no.such=1,b,acks=0")]));
    assert_eq!(problems[0], "KAFKA_PROPERTIES: entry 2 is not NAME=VALUE");
    assert!(problems[1].contains("acks") && problems[2].contains("no.such"), "{problems:?}");
}
