//! The arrows of the house: which crate may know which. None points back up,
//! and the rooms that decide and prove do no input or output.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Each crate with the crates it may name. A crate that is not here is not in the house.
const MAY_KNOW: [(&str, &[&str]); 8] = [
    ("fact", &[]),
    ("proof", &["fact"]),
    ("ledger", &["proof", "fact"]),
    ("domain", &["fact"]),
    ("views", &["ledger", "domain", "fact"]),
    ("api", &["views", "ledger", "domain", "fact"]),
    ("server", &["api", "views", "ledger", "proof", "domain", "fact"]),
    ("tests", &["server", "api", "views", "ledger", "proof", "domain", "fact"]),
];

/// Crates that must stay pure, and what would betray that they are not.
const PURE: [&str; 3] = ["fact", "domain", "proof"];
const INPUT_AND_OUTPUT: [&str; 7] = ["tokio", "sqlx", "rusqlite", "postgres-es", "actix-web", "reqwest", "getrandom"];

/// A crate's dependencies by name, each with its kind: `null`, `dev`, `build`.
type Crates = BTreeMap<String, Vec<(String, Option<String>)>>;

fn crates() -> Crates {
    let answer = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let metadata: Value = serde_json::from_slice(&answer.stdout).expect("cargo writes JSON");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    list(&metadata["packages"])
        .iter()
        .map(|package| {
            let dependencies = list(&package["dependencies"]);
            let known = dependencies.iter().filter_map(|found| Some((text(&found["name"])?, text(&found["kind"])))).collect();
            (text(&package["name"]).expect("a package has a name"), known)
        })
        .collect()
}

fn room(name: &str) -> Option<&str> {
    name.strip_prefix("lastresort-")
}

#[test]
fn every_arrow_points_down() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from(MAY_KNOW);
    let crates = crates();
    let rooms: BTreeSet<&str> = crates.keys().filter_map(|name| room(name)).collect();
    assert_eq!(rooms, allowed.keys().copied().collect(), "every crate of the house, and no other, has its arrows named here");
    let astray: Vec<String> = crates
        .iter()
        .flat_map(|(name, known)| known.iter().map(move |(other, _)| (name, other)))
        .filter_map(|(name, other)| Some((room(name)?, room(other)?)))
        .filter(|(name, other)| !allowed[name].contains(other))
        .map(|(name, other)| format!("{name} → {other}"))
        .collect();
    assert!(astray.is_empty(), "arrows that must not be: {astray:?}");
}

#[test]
fn what_decides_and_proves_does_no_input_or_output() {
    let crates = crates();
    let impure: Vec<String> = PURE
        .iter()
        .flat_map(|name| crates[&format!("lastresort-{name}")].iter().map(move |known| (name, known)))
        .filter(|(_, (other, kind))| kind.as_deref() != Some("dev") && INPUT_AND_OUTPUT.contains(&other.as_str()))
        .map(|(name, (other, _))| format!("{name} → {other}"))
        .collect();
    assert!(impure.is_empty(), "libraries that do input or output: {impure:?}");
}
