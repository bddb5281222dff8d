//! Read models at rest: a table per view, rows as JSON beside the columns one
//! may filter and sort by, and one bookmark per generation.

use lastresort_fact::{Instant, OrganisationId};

use crate::store::StoreError;

/// A row's id within its table and organisation: a UUID's text, or a compound of them.
pub type RowId = String;

/// What a declared column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// Text; dates and instants in their RFC 3339 form, so that they sort.
    Text,
    /// A whole number; 0 and 1 for no and yes.
    Integer,
    /// Any number of words, set apart by spaces. Asked only whether it holds one of
    /// them, and not indexed: an index entry has no room for so many.
    Words,
}

/// A column one may filter and sort by. Never personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Column {
    /// Its name in SQL.
    pub name: &'static str,
    /// What it holds.
    pub holds: ColumnType,
}

/// A view's table. Beside the declared columns it has `organisation`,
/// `generation`, `id`, `position` (the last event folded) and `body` (the row).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    /// Its name in SQL, which changes when its columns do.
    pub name: String,
    /// The declared columns, each indexed that one may sort by.
    pub columns: &'static [Column],
}

/// A value of a declared column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// Nothing; sorts first.
    Null,
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

/// A row as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: RowId,
    /// The last position folded into it.
    pub position: u64,
    /// The row as JSON.
    pub body: String,
}

/// A row to be written, or removed.
#[derive(Clone, Debug)]
pub struct RowChange {
    /// Which table.
    pub table: Table,
    /// Which row.
    pub id: RowId,
    /// The last position folded into it.
    pub position: u64,
    /// The row as JSON with its declared cells, or nothing to remove it.
    pub body: Option<(String, Vec<Cell>)>,
}

/// Rows of one organisation at one stage of the shape of views.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its number, per organisation.
    pub number: i64,
    /// The shape of all views it was begun for.
    pub fingerprint: String,
    /// The last position folded.
    pub bookmark: u64,
    /// Whether it answers questions.
    pub active: bool,
}

/// A row that could not be folded: it stays as it was until somebody retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// The table's name.
    pub table: String,
    /// Which row.
    pub id: RowId,
    /// The event that could not be folded.
    pub position: u64,
    /// Why, without personal data.
    pub reason: String,
    /// When it was parked.
    pub parked_at: Instant,
}

/// Rows and the bookmark, moved together.
#[derive(Clone, Debug)]
pub struct RowCommit {
    /// Whose.
    pub organisation: OrganisationId,
    /// Which generation.
    pub generation: i64,
    /// Where the bookmark must stand.
    pub from: u64,
    /// Where it moves to.
    pub to: u64,
    /// The rows, each at most once.
    pub changes: Vec<RowChange>,
    /// Rows parked by this step.
    pub parked: Vec<Parked>,
    /// Rows that were parked and are folded again: table name and id.
    pub unparked: Vec<(String, RowId)>,
    /// Rows that were passed over because they are parked. Each must still be:
    /// one that was folded again meanwhile would miss what this step folds.
    pub skipped: Vec<(String, RowId)>,
}

/// A condition on a declared column, or on `id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Is this value.
    Is(&'static str, Cell),
    /// Is one of these; a row without a value is none of them.
    In(&'static str, Vec<Cell>),
    /// Is at least this; rows without a value do not match.
    AtLeast(&'static str, Cell),
    /// Is less than this; rows without a value do not match.
    Below(&'static str, Cell),
    /// Holds this word among its words.
    Holds(&'static str, String),
    /// One of these holds; none of none does.
    Any(Vec<Self>),
    /// The row was folded after this position.
    MovedAfter(u64),
}

/// A question to one table.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Whose rows.
    pub organisation: OrganisationId,
    /// Which generation.
    pub generation: i64,
    /// Which table.
    pub table: Table,
    /// All of these hold.
    pub filters: Vec<Filter>,
    /// Sorted by this declared column; by `id` alone where there is none. Ties by `id`.
    pub order: Option<&'static str>,
    /// Downwards, ties as well; rows without a value then come last.
    pub descending: bool,
    /// Only what follows the row with this cell (of `order`, if any) and id.
    pub after: Option<(Option<Cell>, RowId)>,
    /// At most so many.
    pub limit: u32,
}

impl Cell {
    /// The text, where it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Integer(_) => None,
        }
    }

    /// The number, where it is one.
    #[must_use]
    pub const fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Null | Self::Text(_) => None,
        }
    }

    /// Whether a column of this type can hold it.
    #[must_use]
    pub const fn fits(&self, holds: ColumnType) -> bool {
        match (self, holds) {
            (Self::Null, _) | (Self::Text(_), ColumnType::Text | ColumnType::Words) | (Self::Integer(_), ColumnType::Integer) => true,
            (Self::Text(_), ColumnType::Integer) | (Self::Integer(_), ColumnType::Text | ColumnType::Words) => false,
        }
    }
}

impl Table {
    /// What a column holds that one may filter and sort by: a declared one, or `id`.
    ///
    /// # Errors
    /// Where there is no such column.
    pub fn holds(&self, name: &str) -> Result<ColumnType, StoreError> {
        if name == "id" {
            return Ok(ColumnType::Text);
        }
        let declared = self.columns.iter().find(|column| column.name == name);
        declared.map(|column| column.holds).ok_or_else(|| StoreError::Corrupt(format!("{} declares no column {name}", self.name)))
    }

    fn check(&self, name: &str, cell: &Cell) -> Result<(), StoreError> {
        let holds = self.holds(name)?;
        if cell.fits(holds) && holds != ColumnType::Words { Ok(()) } else { Err(mistyped(&self.name, name, holds)) }
    }

    fn check_filter(&self, filter: &Filter) -> Result<(), StoreError> {
        match filter {
            Filter::Is(name, cell) | Filter::AtLeast(name, cell) | Filter::Below(name, cell) => self.check(name, cell),
            Filter::In(name, cells) => {
                self.holds(name)?;
                cells.iter().try_for_each(|cell| self.check(name, cell))
            }
            Filter::Holds(name, _) => match self.holds(name)? {
                ColumnType::Words => Ok(()),
                holds @ (ColumnType::Text | ColumnType::Integer) => Err(mistyped(&self.name, name, holds)),
            },
            Filter::Any(filters) => filters.iter().try_for_each(|filter| self.check_filter(filter)),
            Filter::MovedAfter(_) => Ok(()),
        }
    }
}

impl RowChange {
    /// Says whether the cells are those that the table declares; asked by both stores.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), StoreError> {
        let Some((_, cells)) = &self.body else { return Ok(()) };
        let columns = self.table.columns;
        if cells.len() != columns.len() {
            return Err(StoreError::Corrupt(format!("a row of {} has {} cells", self.table.name, cells.len())));
        }
        let astray = columns.iter().zip(cells).find(|(column, cell)| !cell.fits(column.holds));
        astray.map_or(Ok(()), |(column, _)| Err(mistyped(&self.table.name, column.name, column.holds)))
    }
}

impl Ask {
    /// The declared column it is sorted by; none where that is `id`.
    #[must_use]
    pub fn sorted_by(&self) -> Option<&'static str> {
        self.order.filter(|name| *name != "id")
    }

    /// Says whether it can be asked of its table; asked by both stores.
    ///
    /// # Errors
    /// The first thing that cannot.
    pub fn check(&self) -> Result<(), StoreError> {
        self.filters.iter().try_for_each(|filter| self.table.check_filter(filter))?;
        match (self.sorted_by(), &self.after) {
            (Some(name), Some((Some(cell), _))) => self.table.check(name, cell),
            (Some(name), _) => self.table.check(name, &Cell::Null),
            (None, _) => Ok(()),
        }
    }
}

fn mistyped(table: &str, column: &str, holds: ColumnType) -> StoreError {
    StoreError::Corrupt(format!("column {column} of {table} holds {holds:?} and nothing else"))
}
