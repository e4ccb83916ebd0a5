//! The schemas in the tree are those of the types, and the samples beside them are read as what they are samples of.

use std::path::PathBuf;

use domain::{OperationRequested, Rejected, StatusChanged, StepRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn read(name: &str) -> Value {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schemas")).join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn assert_sample<T: Serialize + DeserializeOwned>(name: &str) {
    let sample = read(&format!("samples/{name}"));
    let value: T = serde_json::from_value(sample.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(serde_json::to_value(value).unwrap(), sample, "{name} loses nothing on the way through its type");
}

#[test]
fn schemas_in_the_tree_are_fresh() {
    for (name, schema) in domain::schemas() {
        assert_eq!(read(name), serde_json::to_value(schema).unwrap(), "{name} is stale: run `make generate`");
    }
}

#[test]
fn samples_are_what_they_say() {
    assert_sample::<OperationRequested>("operation-requested.v1.json");
    assert_sample::<StepRequest>("step-request.v1.json");
    assert_sample::<StatusChanged>("status-changed.v1.json");
    assert_sample::<Rejected>("rejected.v1.json");
}
