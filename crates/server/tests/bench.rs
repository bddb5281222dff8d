//! The bench comes to an end, and every figure it promises is there.

use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn lastresort(folder: &TempDir, arguments: &[&str]) -> Output {
    let store = format!("sqlite:{}", folder.path().join("store").display());
    Command::new(env!("CARGO_BIN_EXE_lastresort")).args(["--store", &store]).args(arguments).output().expect("the program runs")
}

fn said(told: &Output) -> String {
    String::from_utf8_lossy(&told.stderr).into_owned()
}

#[test]
fn every_row_comes_out_and_is_positive() {
    let folder = tempfile::tempdir().expect("a folder");
    let sizes = ["--streams", "16", "--events", "320", "--milliseconds", "200", "--organisations", "1,2", "--clients", "2"];
    let told = lastresort(&folder, &[&["bench"], sizes.as_slice()].concat());
    assert!(told.status.success(), "{}", said(&told));
    let told: Value = serde_json::from_slice(&told.stdout).expect("the program prints JSON");
    assert_eq!(told["durability"]["synchronous"], "FULL");
    let mut works = Vec::new();
    for row in told["rows"].as_array().expect("rows") {
        assert!(row["ours"].as_f64().is_some_and(|ours| ours > 0.0), "{row}");
        works.push((row["work"].as_str().expect("a name"), row["mode"].as_str().unwrap_or_default()));
    }
    let grown = ["growth of a ledger", "growth of ledgers", "growth of streams"];
    let both = ["W", "W", "get", "list", "memory idle", "memory under W", "readable"].into_iter().chain(grown);
    let mut promised = vec![("hello", ""), ("replay", "")];
    promised.extend(both.flat_map(|work| [(work, "cold"), (work, "kept")]));
    works.sort_unstable();
    promised.sort_unstable();
    assert_eq!(works, promised);
}

#[test]
fn a_store_of_others_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let theirs = ["--kind", "client", "--name", "Theirs", "--given-name", "Ada", "--family-name", "Byron", "--subject", "ada"];
    let opened = lastresort(&folder, &[&["bootstrap"], theirs.as_slice()].concat());
    assert!(opened.status.success(), "{}", said(&opened));
    let refused = lastresort(&folder, &["bench", "--seed-only"]);
    assert!(!refused.status.success());
    assert!(said(&refused).contains("no bench's"), "{}", said(&refused));
}
