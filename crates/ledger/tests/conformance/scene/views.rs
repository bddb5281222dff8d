//! What can be read of notes: each by itself, and all of one title.

use std::marker::PhantomData;

use lastresort_fact::{Fact, Instant, Personal};
use lastresort_ledger::keys::place;
use lastresort_ledger::rows::{Cell, Column, ColumnType, RowId};
use lastresort_ledger::store::StoredEvent;
use lastresort_ledger::view::{Dated, Recorded, View, Views, World};
use serde::{Deserialize, Serialize};

use super::notes::NoteHappened;

/// Notes as this program knows them.
#[derive(Debug)]
pub(crate) struct Notes;

/// Notes as an older program knew them, before there were marks.
#[derive(Debug)]
pub(crate) struct OldNotes;

impl World for Notes {
    type Event = NoteHappened;

    fn decode(event: &StoredEvent) -> Result<Recorded<NoteHappened>, String> {
        let unknown = |_| format!("{} is not known", event.event_type);
        let Fact { stamp, event: mut happened } = serde_json::from_str::<Fact<NoteHappened>>(&event.payload).map_err(unknown)?;
        place(&event.stream, event.sequence, &mut happened);
        Ok(Recorded { position: event.position, stream: event.stream.clone(), sequence: event.sequence, stamp, event: happened })
    }
}

impl World for OldNotes {
    type Event = NoteHappened;

    fn decode(event: &StoredEvent) -> Result<Recorded<NoteHappened>, String> {
        if event.event_type == "MarkMade" { Err("MarkMade is not known".to_owned()) } else { Notes::decode(event) }
    }
}

/// One note.
pub(crate) struct NoteView<W>(PhantomData<W>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NoteRow {
    pub(crate) title: Dated<String>,
    pub(crate) signed: Option<Personal<String>>,
    pub(crate) marks: Vec<u32>,
}

impl<W: World<Event = NoteHappened>> View for NoteView<W> {
    type World = W;
    type Row = NoteRow;
    const NAME: &'static str = "notes";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] =
        &[Column { name: "title", holds: ColumnType::Text }, Column { name: "marks", holds: ColumnType::Integer }];

    fn concerns(event: &Recorded<NoteHappened>) -> Vec<RowId> {
        vec![event.stream.id.to_string()]
    }

    fn fold(row: Option<NoteRow>, event: &Recorded<NoteHappened>) -> Option<NoteRow> {
        let nowhere = || Dated { at: Instant::default(), position: 0, value: String::new() };
        let mut row = row.unwrap_or_else(|| NoteRow { title: nowhere(), signed: None, marks: Vec::new() });
        match &event.event {
            NoteHappened::NoteOpened { title } => row.title.tell(event, title.clone()),
            NoteHappened::NameSigned { name, .. } => row.signed = Some(name.clone()),
            NoteHappened::TaleTold { .. } => {}
            NoteHappened::MarkMade { mark: 666 } => panic!("a fold that fails"),
            NoteHappened::MarkMade { mark } => row.marks.push(*mark),
        }
        Some(row)
    }

    fn cells(row: &NoteRow) -> Vec<Cell> {
        vec![Cell::Text(row.title.value.clone()), i64::try_from(row.marks.len()).map_or(Cell::Null, Cell::Integer)]
    }
}

/// How many notes have a title.
pub(crate) struct TitleView<W>(PhantomData<W>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TitleRow {
    pub(crate) notes: i64,
}

impl<W: World<Event = NoteHappened>> View for TitleView<W> {
    type World = W;
    type Row = TitleRow;
    const NAME: &'static str = "titles";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[Column { name: "notes", holds: ColumnType::Integer }];

    fn concerns(event: &Recorded<NoteHappened>) -> Vec<RowId> {
        match &event.event {
            NoteHappened::NoteOpened { title } => vec![title.clone()],
            NoteHappened::NameSigned { .. } | NoteHappened::TaleTold { .. } | NoteHappened::MarkMade { .. } => Vec::new(),
        }
    }

    fn fold(row: Option<TitleRow>, _: &Recorded<NoteHappened>) -> Option<TitleRow> {
        Some(TitleRow { notes: row.map_or(0, |row| row.notes) + 1 })
    }

    fn cells(row: &TitleRow) -> Vec<Cell> {
        vec![Cell::Integer(row.notes)]
    }
}

/// The same rows, said to mean something else: another shape of the views.
pub(crate) struct TitleViewOfAnotherDay<W>(PhantomData<W>);

impl<W: World<Event = NoteHappened>> View for TitleViewOfAnotherDay<W> {
    type World = W;
    type Row = TitleRow;
    const NAME: &'static str = TitleView::<W>::NAME;
    const VERSION: u32 = 2;
    const COLUMNS: &'static [Column] = TitleView::<W>::COLUMNS;

    fn concerns(event: &Recorded<NoteHappened>) -> Vec<RowId> {
        TitleView::<W>::concerns(event)
    }

    fn fold(row: Option<TitleRow>, _: &Recorded<NoteHappened>) -> Option<TitleRow> {
        Some(TitleRow { notes: row.map_or(0, |row| row.notes) + 100 })
    }

    fn cells(row: &TitleRow) -> Vec<Cell> {
        TitleView::<W>::cells(row)
    }
}

/// The views of a program.
pub(crate) fn views<W: World<Event = NoteHappened>>() -> Views<W> {
    Views::default().with::<NoteView<W>>().with::<TitleView<W>>()
}

/// The views of its next version.
pub(crate) fn next_views() -> Views<Notes> {
    Views::default().with::<NoteView<Notes>>().with::<TitleViewOfAnotherDay<Notes>>()
}
