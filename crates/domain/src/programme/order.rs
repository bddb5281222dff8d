//! What stands in the way of moving a programme's stages on: rules 1 and 2.
//! Everything unmet is said at once.

use chrono::NaiveDate;
use lastresort_fact::{Asked, Unmet};

use super::{Programme, ProgrammeFacts, StageOccurrence, StageState};
use crate::guard::unless;
use crate::stage::Stage;

const ORDER: &str = "stage_out_of_order";

impl Programme {
    fn before(&self, stage: Stage) -> Option<&StageOccurrence> {
        self.stages.get(&stage.previous()?)
    }

    fn after(&self, stage: Stage) -> Option<&StageOccurrence> {
        self.stages.get(&stage.next()?)
    }

    /// A stage gets its dates once, after the one before it got hers.
    pub(super) fn unschedulable(&self, stage: Stage, unmet: &mut Vec<Unmet>) {
        let free = !self.stages.contains_key(&stage);
        unless(free, unmet, "already_done", &format!("The {} has its dates; defer it to change them.", stage.spoken()));
        if let Some(previous) = stage.previous() {
            let scheduled = self.stages.contains_key(&previous);
            unless(scheduled, unmet, ORDER, &format!("The {} has no dates yet; it comes before.", previous.spoken()));
        }
    }

    /// Dates lie between those of the stages before and after.
    pub(super) fn misfits(&self, stage: Stage, opens_on: NaiveDate, closes_on: NaiveDate, unmet: &mut Vec<Unmet>) {
        if closes_on < opens_on {
            unmet.push(Unmet::new("invalid", "A stage does not close before it opens.").at("/closes_on"));
        }
        if let Some(before) = self.before(stage).filter(|before| opens_on < before.closes_on) {
            unmet.push(Unmet::new(ORDER, format!("The stage before closes on {} only.", before.closes_on)).at("/opens_on"));
        }
        if let Some(after) = self.after(stage).filter(|after| closes_on > after.opens_on) {
            unmet.push(Unmet::new(ORDER, format!("The stage after opens on {}; defer that first.", after.opens_on)).at("/closes_on"));
        }
    }

    /// A stage starts by date and decision, after the one before it, the first
    /// on an authorised needs analysis only.
    pub(super) fn unstartable(&self, stage: Stage, asked: &Asked, facts: &ProgrammeFacts, unmet: &mut Vec<Unmet>) {
        let name = stage.spoken();
        match stage.previous() {
            None => self.unauthorised(asked, facts, unmet),
            Some(previous) => {
                let completed = self.before(stage).and_then(|before| before.completed_at);
                match completed {
                    None => unmet.push(Unmet::new(ORDER, format!("The {} is not completed; it comes before.", previous.spoken()))),
                    Some(at) if at > asked.occurred_at => {
                        unmet.push(Unmet::new(ORDER, format!("The {} was completed later than that.", previous.spoken())));
                    }
                    Some(_) => {}
                }
            }
        }
        let Some(occurrence) = self.stages.get(&stage) else {
            unmet.push(Unmet::new(ORDER, format!("The {name} has no dates yet.")));
            return;
        };
        unless(!self.has_started(stage), unmet, "already_done", &format!("The {name} was started already."));
        let open = occurrence.opens_on <= facts.organisation.day(asked.occurred_at);
        unless(open, unmet, ORDER, &format!("The {name} does not open before {}.", occurrence.opens_on));
    }

    fn unauthorised(&self, asked: &Asked, facts: &ProgrammeFacts, unmet: &mut Vec<Unmet>) {
        let pinned = self.needs_analysis.map(|pin| pin.version).unwrap_or_default();
        let authorised = facts.needs_analysis.as_ref().and_then(|analysis| analysis.authorised(pinned));
        let detail = match authorised {
            None => "The version of the needs analysis that this programme pinned was not authorised by the client's governance lead.",
            Some(at) if at > asked.occurred_at => "The needs analysis was authorised later than that.",
            Some(_) => return,
        };
        unmet.push(Unmet::new("needs_analysis_not_authorised", detail));
    }

    /// What runs can be completed, not before it was started.
    pub(super) fn uncompletable(&self, stage: Stage, asked: &Asked, unmet: &mut Vec<Unmet>) {
        let name = stage.spoken();
        let occurrence = self.stages.get(&stage);
        match occurrence.map(|occurrence| (occurrence.state, occurrence.started_at)) {
            Some((StageState::Completed, _)) => unmet.push(Unmet::new("already_done", format!("The {name} was completed already."))),
            Some((StageState::Started, Some(at))) if at > asked.occurred_at => {
                unmet.push(Unmet::new(ORDER, format!("The {name} was started later than that.")));
            }
            Some((StageState::Started, _)) => {}
            Some((StageState::Scheduled | StageState::Deferred, _)) | None => {
                unmet.push(Unmet::new("not_in_state", format!("The {name} has not started.")));
            }
        }
    }

    /// What has dates and has not started can be put off, as far as the stage after it leaves room.
    pub(super) fn undeferrable(&self, stage: Stage, asked: &Asked, unmet: &mut Vec<Unmet>) {
        let name = stage.spoken();
        let Some(occurrence) = self.stages.get(&stage) else {
            unmet.push(Unmet::new("not_in_state", format!("The {name} has no dates yet that could be put off.")));
            return;
        };
        unless(!self.has_started(stage), unmet, "not_in_state", &format!("The {name} has started; it cannot be put off any more."));
        let told_since = occurrence.dated_at > asked.occurred_at;
        unless(!told_since, unmet, "late_entry", &format!("The {name} got other dates later than that."));
        if let Some(after) = self.after(stage).filter(|after| after.opens_on <= occurrence.opens_on) {
            unmet.push(Unmet::new(ORDER, format!("The stage after opens on {}, which leaves no room; defer that first.", after.opens_on)));
        }
    }

    /// To put off is to a later day.
    pub(super) fn not_later(&self, stage: Stage, opens_on: NaiveDate, unmet: &mut Vec<Unmet>) {
        if let Some(held) = self.stages.get(&stage).filter(|held| opens_on <= held.opens_on) {
            unmet.push(Unmet::new("invalid", format!("To defer is to a day after {}.", held.opens_on)).at("/opens_on"));
        }
    }

    /// A programme ends when each of its stages has.
    pub(super) fn unfinished(&self, asked: &Asked, unmet: &mut Vec<Unmet>) {
        for stage in Stage::ALL {
            match self.stages.get(&stage).and_then(|occurrence| occurrence.completed_at) {
                None => unmet.push(Unmet::new(ORDER, format!("The {} is not completed.", stage.spoken()))),
                Some(at) if at > asked.occurred_at => {
                    unmet.push(Unmet::new(ORDER, format!("The {} was completed later than that.", stage.spoken())));
                }
                Some(_) => {}
            }
        }
    }
}
