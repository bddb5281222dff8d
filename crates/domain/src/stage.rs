//! The six stages of a programme, in their order. What a stage proves of a
//! candidate grows from *knows* to *trusted* (Miller's pyramid), which is why
//! none may be passed over.

use std::str::FromStr;

use lastresort_fact::plain;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::session::SessionKind;

/// A stage of a programme. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Key concepts before anything else. Proves: knows.
    PreLoad,
    /// Candidates meet their mentor-coaches. Proves: knows.
    Introductions,
    /// Candidates see the system taught and begin to take the trainer's role. Proves: knows how.
    TransferWeek,
    /// Each delivers core knowledge modules and is assessed. Proves: shows how.
    ProjectsWeek,
    /// Candidate and mentor teach frontline staff together. Proves: does, supervised.
    CoDeliveryWeek,
    /// Candidates ask for deep-dives; their own programme is settled. Proves: trusted.
    RemedialWorkshop,
}

/// How a stage is held. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageMode {
    /// Films, watched when it suits.
    OnDemandVideo,
    /// Meetings at a distance.
    Remote,
    /// In one room.
    InPerson,
    /// In one room, on an agenda of the candidates' own.
    Workshop,
}

plain!(Stage, StageMode);

/// A word that names no stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no stage of this name")]
pub struct UnknownStage;

impl FromStr for Stage {
    type Err = UnknownStage;

    fn from_str(name: &str) -> Result<Self, UnknownStage> {
        Self::ALL.into_iter().find(|stage| stage.name() == name).ok_or(UnknownStage)
    }
}

impl Stage {
    /// Every stage, in the order they run.
    pub const ALL: [Self; 6] =
        [Self::PreLoad, Self::Introductions, Self::TransferWeek, Self::ProjectsWeek, Self::CoDeliveryWeek, Self::RemedialWorkshop];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PreLoad => "pre_load",
            Self::Introductions => "introductions",
            Self::TransferWeek => "transfer_week",
            Self::ProjectsWeek => "projects_week",
            Self::CoDeliveryWeek => "co_delivery_week",
            Self::RemedialWorkshop => "remedial_workshop",
        }
    }

    /// What it is called in a sentence.
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::PreLoad => "pre-load",
            Self::Introductions => "stage of introductions",
            Self::TransferWeek => "transfer week",
            Self::ProjectsWeek => "projects week",
            Self::CoDeliveryWeek => "co-delivery week",
            Self::RemedialWorkshop => "remedial workshop",
        }
    }

    /// How it is held.
    #[must_use]
    pub const fn mode(self) -> StageMode {
        match self {
            Self::PreLoad => StageMode::OnDemandVideo,
            Self::Introductions | Self::ProjectsWeek => StageMode::Remote,
            Self::TransferWeek | Self::CoDeliveryWeek => StageMode::InPerson,
            Self::RemedialWorkshop => StageMode::Workshop,
        }
    }

    /// The kinds of session that are held in it: none in the pre-load, which everybody watches when it suits them.
    /// A meeting at a distance is planned as a workshop, for nobody is taught a course in it.
    #[must_use]
    pub const fn sessions(self) -> &'static [SessionKind] {
        match self {
            Self::PreLoad => &[],
            Self::Introductions | Self::RemedialWorkshop => &[SessionKind::Workshop],
            Self::TransferWeek => &[SessionKind::CourseDay],
            Self::ProjectsWeek => &[SessionKind::CourseDay, SessionKind::Workshop],
            Self::CoDeliveryWeek => &[SessionKind::CoDelivery],
        }
    }

    /// The stage before it; none before the first.
    #[must_use]
    pub const fn previous(self) -> Option<Self> {
        match self {
            Self::PreLoad => None,
            Self::Introductions => Some(Self::PreLoad),
            Self::TransferWeek => Some(Self::Introductions),
            Self::ProjectsWeek => Some(Self::TransferWeek),
            Self::CoDeliveryWeek => Some(Self::ProjectsWeek),
            Self::RemedialWorkshop => Some(Self::CoDeliveryWeek),
        }
    }

    /// The stage after it; none after the last.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::PreLoad => Some(Self::Introductions),
            Self::Introductions => Some(Self::TransferWeek),
            Self::TransferWeek => Some(Self::ProjectsWeek),
            Self::ProjectsWeek => Some(Self::CoDeliveryWeek),
            Self::CoDeliveryWeek => Some(Self::RemedialWorkshop),
            Self::RemedialWorkshop => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_follow_one_another_in_one_chain() {
        for pair in Stage::ALL.windows(2) {
            assert_eq!((pair[0].next(), pair[1].previous()), (Some(pair[1]), Some(pair[0])));
            assert!(pair[0] < pair[1], "their order is the order they run");
        }
        assert_eq!((Stage::PreLoad.previous(), Stage::RemedialWorkshop.next()), (None, None));
    }

    #[test]
    fn a_stage_is_written_by_its_name() {
        for stage in Stage::ALL {
            assert_eq!(serde_json::to_value(stage).expect("a name"), stage.name());
            assert_eq!(stage.name().parse(), Ok(stage));
        }
        assert_eq!("Pre-load".parse::<Stage>(), Err(UnknownStage));
    }
}
