//! The bytes of a leaf: what is proved of an event. Made once, before the
//! insert, and stored with the event; for ever the same.

use lastresort_fact::{Instant, OrganisationId, Stamp};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::canonical::{self, NotCanonical};

/// The most bytes a leaf may have (C2SP tlog-tiles entry bundles).
pub const LEAF_MAX: usize = 65_535;

/// All of an event but its body.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// The ledger.
    pub organisation: OrganisationId,
    /// The stream's kind.
    pub kind: &'a str,
    /// The stream's id.
    pub id: Uuid,
    /// Its number in the stream.
    pub sequence: u64,
    /// Its name.
    pub event_type: &'a str,
    /// The version of its shape.
    pub event_version: &'a str,
    /// Who, when, why.
    pub stamp: &'a Stamp,
}

/// The leaf would be over [`LEAF_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event's leaf would be over 65,535 bytes")]
pub struct TooLarge;

/// The canonical bytes of an event's body for its leaf, each sealed field
/// reduced to its key and commitment.
///
/// # Errors
/// Where the body has no canonical form.
pub fn body(value: &Value) -> Result<Vec<u8>, NotCanonical> {
    canonical::bytes(&reduced(value))
}

fn reduced(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            if let (Some(key), Some(commitment)) = (fields.get("$k"), fields.get("$c")) {
                return Value::Object(Map::from_iter([("$k".to_owned(), key.clone()), ("$c".to_owned(), commitment.clone())]));
            }
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name.clone(), reduced(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(reduced).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// The leaf in the order RFC 8785 gives its names, so that nothing is sorted
/// under the ledger's lock; a test compares with the general canonical form.
#[derive(Serialize)]
struct Leaf<'a> {
    body: &'a serde_json::value::RawValue,
    by: &'a lastresort_fact::Actor,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<lastresort_fact::EventId>,
    event_id: lastresort_fact::EventId,
    event_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<lastresort_fact::GrantId>,
    id: Uuid,
    occurred_at: Instant,
    org: OrganisationId,
    recorded_at: Instant,
    role: lastresort_fact::Role,
    schema: &'a str,
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    supersedes: Option<lastresort_fact::EventId>,
    r#type: &'a str,
    v: u8,
}

/// The bytes of a leaf; `body` is what [`body`] made.
///
/// # Errors
/// Where they would be too many.
///
/// # Panics
/// Where `body` is not JSON.
pub fn leaf_bytes(envelope: &Envelope<'_>, body: &[u8]) -> Result<Vec<u8>, TooLarge> {
    let stamp = envelope.stamp;
    let leaf = Leaf {
        body: serde_json::from_slice(body).expect("the body was made canonical"),
        by: &stamp.by,
        cause: stamp.cause,
        event_id: stamp.event_id,
        event_type: envelope.event_type,
        grant: stamp.grant,
        id: envelope.id,
        occurred_at: stamp.occurred_at,
        org: envelope.organisation,
        recorded_at: stamp.recorded_at,
        role: stamp.role,
        schema: envelope.event_version,
        seq: envelope.sequence,
        supersedes: stamp.supersedes,
        r#type: envelope.kind,
        v: 1,
    };
    let bytes = serde_json::to_vec(&leaf).expect("ids, names and instants are always JSON");
    if bytes.len() > LEAF_MAX { Err(TooLarge) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use lastresort_fact::{Actor, EventId, GrantId, PersonId, Role};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::tree::leaf_hash;

    fn stamp() -> Stamp {
        Stamp {
            event_id: EventId(Uuid::from_u128(1)),
            by: Actor::Person(PersonId(Uuid::from_u128(2))),
            role: Role::Assessor,
            grant: Some(GrantId(Uuid::from_u128(3))),
            occurred_at: Instant::from_micros(1_600_000_000_000_000),
            recorded_at: Instant::from_micros(1_600_000_000_000_001),
            cause: None,
            supersedes: None,
        }
    }

    fn envelope(stamp: &Stamp) -> Envelope<'_> {
        Envelope {
            organisation: OrganisationId(Uuid::from_u128(9)),
            kind: "candidate",
            id: Uuid::from_u128(8),
            sequence: 4,
            event_type: "CompetencyAssessed",
            event_version: "1",
            stamp,
        }
    }

    /// The file is for ever: a leaf made today must have these bytes in any version.
    #[test]
    fn a_leaf_has_the_golden_bytes() {
        let value = json!({
            "decision": "competent",
            "narrative": {"$k": Uuid::from_u128(5), "$a": "xc20p", "$e": "bm9uY2U=", "$c": "00ff", "$l": "narrative"},
            "absent": null,
            "competency": "x",
        });
        let leaf = leaf_bytes(&envelope(&stamp()), &body(&value).expect("canonical")).expect("small");
        let golden = include_str!("../golden/leaf-v1.json").trim_end();
        assert_eq!(String::from_utf8(leaf.clone()).expect("UTF-8"), golden);
        assert_eq!(hex::encode(leaf_hash(&leaf).0), include_str!("../golden/leaf-v1.sha256").trim_end());
    }

    #[test]
    fn a_leaf_may_not_outgrow_an_entry_bundle() {
        let body = body(&json!({"text": "x".repeat(LEAF_MAX)})).expect("canonical");
        assert_eq!(leaf_bytes(&envelope(&stamp()), &body), Err(TooLarge));
    }

    proptest! {
        #[test]
        fn a_leaf_is_its_own_canonical_form(text in "\\PC*", number in -canonical::WHOLE_MAX..canonical::WHOLE_MAX, caused: bool, granted: bool) {
            let mut stamp = stamp();
            stamp.cause = caused.then(|| EventId(Uuid::from_u128(7)));
            stamp.grant = granted.then(|| GrantId(Uuid::from_u128(3)));
            let body = body(&json!({"z": text, "a": {"n": number, "list": [text, null]}})).expect("canonical");
            let leaf = leaf_bytes(&envelope(&stamp), &body).expect("small");
            let value: Value = serde_json::from_slice(&leaf).expect("JSON");
            prop_assert_eq!(canonical::bytes(&value).expect("canonical"), leaf);
        }
    }
}
