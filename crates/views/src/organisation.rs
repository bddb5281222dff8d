//! An organisation with its units and policy.

use chrono::NaiveDate;
use lastresort_domain::organisation::{OrganisationEvent, OrganisationKind, PolicyName, Setting};
use lastresort_fact::{OrganisationId, UnitId};
use lastresort_ledger::rows::{Cell, Column, RowId};
use lastresort_ledger::view::{Recorded, View};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Happening, Ledgers, Moment};

/// Organisations, one row in each ledger.
#[derive(Clone, Copy, Debug)]
pub struct Organisations;

/// An organisation as folded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrganisationRow {
    /// Its id.
    pub id: OrganisationId,
    /// The version of its stream.
    pub version: u64,
    /// Provider or client.
    pub kind: OrganisationKind,
    /// Its name.
    pub name: String,
    /// Whose law applies.
    pub jurisdiction: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// The ledger is written on a moved clock.
    pub demonstration: bool,
    /// Its units.
    pub units: Vec<Unit>,
    /// Every policy ever set.
    pub policies: Vec<PolicyTold>,
}

/// A unit: a house, a lodge, a ward.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Unit {
    /// Its id.
    pub id: UnitId,
    /// Its short name, unique in the organisation.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What kind of service it is.
    pub setting: Setting,
    /// How many people it can support.
    pub places: u32,
}

/// A policy as somebody set it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyTold {
    /// Which setting.
    pub policy: PolicyName,
    /// Its value.
    pub value: u32,
    /// From which day.
    pub effective_on: NaiveDate,
    /// Where the value comes from.
    pub source: String,
    /// Where it was recorded: of two for one day the later holds.
    pub position: u64,
}

/// A policy in force.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PolicyInForce {
    /// Which setting.
    pub policy: PolicyName,
    /// Its value.
    pub value: u32,
    /// From which day; absent for the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_on: Option<NaiveDate>,
    /// Where the value comes from.
    pub source: String,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OrganisationShown {
    /// Its id.
    pub id: OrganisationId,
    /// The version, as in `ETag`.
    pub version: u64,
    /// Provider or client.
    pub kind: OrganisationKind,
    /// Its name.
    pub name: String,
    /// Whose law applies: `scotland`, `england`.
    pub jurisdiction: String,
    /// Its IANA time zone; dates begin at 00:00 there.
    pub time_zone: String,
    /// The ledger is written on a moved clock: what it holds is a demonstration.
    pub demonstration: bool,
    /// Its units.
    pub units: Vec<Unit>,
    /// The policy in force, every setting.
    pub policy: Vec<PolicyInForce>,
    /// The policy's version: how many settings were told, those ahead included. Programmes pin it.
    pub policy_version: u32,
}

impl OrganisationRow {
    /// The organisation at a moment.
    #[must_use]
    pub fn shown(&self, moment: Moment) -> OrganisationShown {
        let in_force = |policy: PolicyName| {
            let told = self.policies.iter().filter(|told| told.policy == policy && told.effective_on <= moment.day);
            match told.max_by_key(|told| (told.effective_on, told.position)) {
                Some(told) => {
                    PolicyInForce { policy, value: told.value, effective_on: Some(told.effective_on), source: told.source.clone() }
                }
                None => PolicyInForce { policy, value: policy.default_value(), effective_on: None, source: "default".to_owned() },
            }
        };
        OrganisationShown {
            id: self.id,
            version: self.version,
            kind: self.kind,
            name: self.name.clone(),
            jurisdiction: self.jurisdiction.clone(),
            time_zone: self.time_zone.clone(),
            demonstration: self.demonstration,
            units: self.units.clone(),
            policy: PolicyName::ALL.into_iter().map(in_force).collect(),
            policy_version: u32::try_from(self.policies.len()).unwrap_or(u32::MAX),
        }
    }
}

impl View for Organisations {
    type World = Ledgers;
    type Row = OrganisationRow;
    const NAME: &'static str = "organisation";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[];

    fn concerns(event: &Recorded<Happening>) -> Vec<RowId> {
        if matches!(event.event, Happening::Organisation(_)) { vec![event.stream.id.to_string()] } else { Vec::new() }
    }

    fn fold(row: Option<OrganisationRow>, event: &Recorded<Happening>) -> Option<OrganisationRow> {
        let Happening::Organisation(happened) = &event.event else { return row };
        if let OrganisationEvent::OrganisationRegistered { organisation, kind, name, jurisdiction, time_zone, demonstration } = happened {
            return Some(OrganisationRow {
                id: *organisation,
                version: event.sequence,
                kind: *kind,
                name: name.clone(),
                jurisdiction: jurisdiction.clone(),
                time_zone: time_zone.clone(),
                demonstration: *demonstration,
                units: Vec::new(),
                policies: Vec::new(),
            });
        }
        let mut row = row?;
        row.version = event.sequence;
        match happened.clone() {
            OrganisationEvent::OrganisationRegistered { .. } => {}
            OrganisationEvent::UnitOpened { unit, code, name, setting, places } => {
                row.units.push(Unit { id: unit, code, name, setting, places });
                row.units.sort_by(|one, other| one.code.cmp(&other.code));
            }
            OrganisationEvent::PolicySet { policy, value, effective_on, source } => {
                row.policies.push(PolicyTold { policy, value, effective_on, source, position: event.position });
            }
        }
        Some(row)
    }

    fn cells(_: &OrganisationRow) -> Vec<Cell> {
        Vec::new()
    }
}
