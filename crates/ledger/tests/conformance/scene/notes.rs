//! The smallest domain that has everything: a note with a title, somebody who
//! signed it, free text about somebody, and marks.

use lastresort_fact::{Asked, Class, Decides, Instant, PersonId, Personal, PersonalField, PersonalText, Refusal, Stamp, happenings};
use serde::{Deserialize, Serialize};

happenings! {
    /// What can have happened to a note.
    pub enum NoteHappened {
        /// It was begun.
        NoteOpened { title: String },
        /// Somebody signed it.
        NameSigned { name: PersonalText, aliases: Vec<PersonalText> },
        /// Something was told about somebody.
        TaleTold { told: PersonalText },
        /// It was marked.
        MarkMade { mark: u32 },
    }
}

/// What may be asked of a note.
#[derive(Clone, Debug)]
pub(crate) enum NoteCommand {
    Open {
        title: String,
    },
    Sign {
        subject: PersonId,
        name: String,
    },
    Tell {
        subject: PersonId,
        told: String,
    },
    /// Refused where it has as many marks already; nothing to do where the mark is 0.
    Mark {
        mark: u32,
        most: u32,
    },
}

/// A note. It opens what it holds, so that the same name twice is nothing new.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) title: String,
    pub(crate) signed: Option<PersonalText>,
    pub(crate) told: Vec<PersonalText>,
    pub(crate) marks: Vec<u32>,
    pub(crate) recorded_at: Vec<Instant>,
}

impl Note {
    /// Who signed it, where that is open.
    pub(crate) fn name(&self) -> Option<&str> {
        self.signed.as_ref().and_then(Personal::value).map(String::as_str)
    }
}

impl Decides for Note {
    const TYPE: &'static str = "note";
    const OPENS: bool = true;
    type Command = NoteCommand;
    type Event = NoteHappened;
    type Facts = ();

    fn decide(&self, command: NoteCommand, _: &Asked, (): &()) -> Result<Vec<NoteHappened>, Refusal> {
        let personal = |subject, class, value| Personal::new(subject, class, value);
        Ok(match command {
            NoteCommand::Open { title } => vec![NoteHappened::NoteOpened { title }],
            NoteCommand::Sign { name, .. } if self.name() == Some(name.as_str()) => Vec::new(),
            NoteCommand::Sign { subject, name } => {
                let aliases = vec![personal(subject, Class::Identity, format!("{name} the Second"))];
                vec![NoteHappened::NameSigned { name: personal(subject, Class::Identity, name), aliases }]
            }
            NoteCommand::Tell { subject, told } => vec![NoteHappened::TaleTold { told: personal(subject, Class::Narrative, told) }],
            NoteCommand::Mark { most, .. } if self.marks.len() >= most as usize => {
                return Err(Refusal::one("full", "The note has marks enough."));
            }
            NoteCommand::Mark { mark: 0, .. } => Vec::new(),
            NoteCommand::Mark { mark, .. } => vec![NoteHappened::MarkMade { mark }],
        })
    }

    fn apply(&mut self, event: &NoteHappened, stamp: &Stamp) {
        self.recorded_at.push(stamp.recorded_at);
        match event {
            NoteHappened::NoteOpened { title } => self.title.clone_from(title),
            NoteHappened::NameSigned { name, .. } => self.signed = Some(name.clone()),
            NoteHappened::TaleTold { told } => self.told.push(told.clone()),
            NoteHappened::MarkMade { mark } => self.marks.push(*mark),
        }
    }

    fn personal(&mut self) -> Vec<&mut dyn PersonalField> {
        self.signed.iter_mut().chain(&mut self.told).map(|field| field as &mut dyn PersonalField).collect()
    }
}

/// A register of names that never looks at them: it opens nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Register {
    pub(crate) names: Vec<PersonalText>,
}

impl Decides for Register {
    const TYPE: &'static str = "register";
    type Command = (PersonId, String);
    type Event = NoteHappened;
    type Facts = ();

    fn decide(&self, (subject, name): (PersonId, String), _: &Asked, (): &()) -> Result<Vec<NoteHappened>, Refusal> {
        Ok(vec![NoteHappened::NameSigned { name: Personal::new(subject, Class::Identity, name), aliases: Vec::new() }])
    }

    fn apply(&mut self, event: &NoteHappened, _: &Stamp) {
        match event {
            NoteHappened::NameSigned { name, .. } => self.names.push(name.clone()),
            NoteHappened::NoteOpened { .. } | NoteHappened::TaleTold { .. } | NoteHappened::MarkMade { .. } => {}
        }
    }
}
