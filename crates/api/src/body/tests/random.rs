//! Whatever is sent is answered: taken, or refused as the sender's fault.

use actix_web::ResponseError as _;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Asked, ID, asked};
use crate::body::Body;

/// Any JSON, near the schema and far from it.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["red", "round", ID, "2021-02-30", "2021-03-08T09:00:00Z"]).prop_map(Value::from),
    ];
    let name = prop_oneof![
        prop::sample::select(vec!["name", "person", "count", "on", "at", "colour", "parts", "part", "kind", "minutes", "shape", "within"])
            .prop_map(str::to_owned),
        ".{0,6}",
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6).prop_map(|fields| json!(fields)),
        ]
    })
}

fn is_answered(bytes: Vec<u8>) {
    if let Err(problem) = Body::<Asked>::parse(bytes.into()) {
        assert!(problem.status_code().is_client_error(), "{problem}");
        assert!(problem.faults().len() <= 100);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        is_answered(bytes);
    }

    #[test]
    fn random_json_is_answered(json in any_json()) {
        is_answered(json.to_string().into_bytes());
    }

    #[test]
    fn good_json_with_random_fields_is_answered(fields in prop::collection::btree_map("[a-z]{2,6}", any_json(), 0..4)) {
        is_answered(asked(&json!(fields)).to_string().into_bytes());
    }

    #[test]
    fn good_json_with_a_byte_changed_is_answered(at in 0_usize..80, byte in any::<u8>()) {
        let mut bytes = asked(&json!({ "part": { "minutes": 1 } })).to_string().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        is_answered(bytes);
    }
}
