//! Grants: who may act in what role, from when, until when.

use lastresort_domain::grant::GrantEvent;
use lastresort_fact::{GrantId, Instant, PersonId, PersonalText, Role, Scope};
use lastresort_ledger::rows::{Cell, Column, ColumnType, RowId};
use lastresort_ledger::view::{Recorded, View};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Happening, Ledgers, Moment};

/// Grants.
#[derive(Clone, Copy, Debug)]
pub struct Grants;

/// A grant as folded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GrantRow {
    /// Its id.
    pub id: GrantId,
    /// The version of its stream.
    pub version: u64,
    /// To whom it was given.
    pub person: PersonId,
    /// In what role.
    pub role: Role,
    /// How far it reaches.
    pub scope: Scope,
    /// From when.
    pub from: Instant,
    /// Until when.
    pub to: Option<Instant>,
    /// When it was revoked, and why.
    pub revoked: Option<(Instant, PersonalText)>,
}

/// Whether a grant lets somebody act. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantStatus {
    /// It will.
    Ahead,
    /// It does.
    Active,
    /// Its time is over.
    Ended,
    /// It was taken back.
    Revoked,
}

/// A grant: the right of one person to act in one role.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct GrantShown {
    /// Its id.
    pub id: GrantId,
    /// The version, as in `ETag`.
    pub version: u64,
    /// To whom it was given.
    pub person: PersonId,
    /// In what role.
    pub role: Role,
    /// How far it reaches.
    pub scope: Scope,
    /// From when.
    pub from: Instant,
    /// Until when; absent where it has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Instant>,
    /// Whether it lets them act now.
    pub status: GrantStatus,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Instant>,
    /// Why it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_because: Option<PersonalText>,
}

impl GrantRow {
    /// Whether it lets them act at that time.
    #[must_use]
    pub fn holds(&self, at: Instant) -> bool {
        self.status(at) == GrantStatus::Active
    }

    fn status(&self, at: Instant) -> GrantStatus {
        match (&self.revoked, self.to) {
            (Some(_), _) => GrantStatus::Revoked,
            (None, Some(to)) if to <= at => GrantStatus::Ended,
            (None, _) if at < self.from => GrantStatus::Ahead,
            (None, _) => GrantStatus::Active,
        }
    }

    /// The grant at a moment.
    #[must_use]
    pub fn shown(&self, moment: Moment) -> GrantShown {
        GrantShown {
            id: self.id,
            version: self.version,
            person: self.person,
            role: self.role,
            scope: self.scope,
            from: self.from,
            to: self.to,
            status: self.status(moment.at),
            revoked_at: self.revoked.as_ref().map(|(at, _)| *at),
            revoked_because: self.revoked.as_ref().map(|(_, why)| why.clone()),
        }
    }
}

impl View for Grants {
    type World = Ledgers;
    type Row = GrantRow;
    const NAME: &'static str = "grant";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] =
        &[Column { name: "person", holds: ColumnType::Text }, Column { name: "role", holds: ColumnType::Text }];

    fn concerns(event: &Recorded<Happening>) -> Vec<RowId> {
        if matches!(event.event, Happening::Grant(_)) { vec![event.stream.id.to_string()] } else { Vec::new() }
    }

    fn fold(row: Option<GrantRow>, event: &Recorded<Happening>) -> Option<GrantRow> {
        let Happening::Grant(happened) = &event.event else { return row };
        match happened {
            GrantEvent::GrantGiven { person, role, scope, from, to } => Some(GrantRow {
                id: GrantId(event.stream.id),
                version: event.sequence,
                person: *person,
                role: *role,
                scope: *scope,
                from: *from,
                to: *to,
                revoked: None,
            }),
            GrantEvent::GrantRevoked { reason } => {
                let revoked = Some((event.stamp.recorded_at, reason.clone()));
                row.map(|row| GrantRow { version: event.sequence, revoked, ..row })
            }
        }
    }

    fn cells(row: &GrantRow) -> Vec<Cell> {
        vec![Cell::Text(row.person.to_string()), Cell::Text(row.role.name().to_owned())]
    }
}
