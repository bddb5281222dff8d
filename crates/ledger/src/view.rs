//! What a view is: which rows an event concerns, and how it changes a row.
//! Everything else – tables, bookmarks, rebuilding – is generic.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use lastresort_fact::{Instant, Stamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::append::StreamRef;
use crate::rows::{Cell, Column, ColumnType, RowId, Table};
use crate::store::StoredEvent;

/// An event as views see it.
#[derive(Clone, Debug)]
pub struct Recorded<E> {
    /// Its place in the ledger.
    pub position: u64,
    /// Its stream.
    pub stream: StreamRef,
    /// Its number in the stream: the version the stream then had.
    pub sequence: u64,
    /// Who, when, why.
    pub stamp: Stamp,
    /// What.
    pub event: E,
}

/// Everything that can happen in a ledger, as this program knows it.
pub trait World: Send + Sync + 'static {
    /// Any event of any aggregate.
    type Event: Send + Sync;
    /// Reads a stored event.
    ///
    /// # Errors
    /// Where this program does not know it, in words without personal data.
    fn decode(event: &StoredEvent) -> Result<Recorded<Self::Event>, String>;
}

/// A read model.
pub trait View: Send + Sync + 'static {
    /// What it folds.
    type World: World;
    /// Its row. Personal fields stay sealed in it.
    type Row: Serialize + DeserializeOwned + Send;
    /// Its name, in SQL.
    const NAME: &'static str;
    /// Raised whenever the fold means something else than before.
    const VERSION: u32;
    /// The columns one may filter and sort by. Never personal.
    const COLUMNS: &'static [Column];
    /// The rows an event concerns, from the event alone.
    fn concerns(event: &Recorded<<Self::World as World>::Event>) -> Vec<RowId>;
    /// The row after the event; none where there is no such row then.
    fn fold(row: Option<Self::Row>, event: &Recorded<<Self::World as World>::Event>) -> Option<Self::Row>;
    /// The cells of the declared columns, in their order.
    fn cells(row: &Self::Row) -> Vec<Cell>;
}

/// A view's table; another shape is another table.
#[must_use]
pub fn table<V: View>() -> Table {
    let shape: String = V::COLUMNS.iter().flat_map(|column| [column.name, letter(column.holds)]).collect();
    Table { name: format!("view_{}_{:08x}", V::NAME, fnv_1a(shape.as_bytes())), columns: V::COLUMNS }
}

const fn letter(holds: ColumnType) -> &'static str {
    match holds {
        ColumnType::Text => " t,",
        ColumnType::Integer => " i,",
        ColumnType::Words => " w,",
    }
}

/// The FNV-1a hash: the same from every compiler, as a name in a database must be.
fn fnv_1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// A value with when it was so: the latest occurrence wins, whatever came in when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated<T> {
    /// When it was so.
    pub at: Instant,
    /// Where it was recorded.
    pub position: u64,
    /// The value.
    pub value: T,
}

impl<T> Dated<T> {
    /// A value as an event tells it.
    pub fn told<E>(event: &Recorded<E>, value: T) -> Self {
        Self { at: event.stamp.occurred_at, position: event.position, value }
    }

    /// Takes a value over if it was so later, or as late and recorded later.
    pub fn tell<E>(&mut self, event: &Recorded<E>, value: T) {
        if (event.stamp.occurred_at, event.position) > (self.at, self.position) {
            *self = Self::told(event, value);
        }
    }
}

/// A row's JSON with its cells; none where there is no row.
pub(crate) type Written = Option<(String, Vec<Cell>)>;

/// A view behind one face, so that followers can hold many.
pub(crate) trait AnyView<W: World>: Send + Sync {
    fn table(&self) -> Table;
    fn shape(&self) -> String;
    fn concerns(&self, event: &Recorded<W::Event>) -> Vec<RowId>;
    /// Folds events into a row given as JSON.
    fn fold(&self, row: Option<&str>, events: &[&Recorded<W::Event>]) -> Result<Written, String>;
}

pub(crate) struct Erased<V>(PhantomData<fn() -> V>);

impl<V: View> AnyView<V::World> for Erased<V> {
    fn table(&self) -> Table {
        table::<V>()
    }

    fn shape(&self) -> String {
        format!("{}:{}", table::<V>().name, V::VERSION)
    }

    fn concerns(&self, event: &Recorded<<V::World as World>::Event>) -> Vec<RowId> {
        V::concerns(event)
    }

    fn fold(&self, row: Option<&str>, events: &[&Recorded<<V::World as World>::Event>]) -> Result<Written, String> {
        let mut row: Option<V::Row> = row.map(serde_json::from_str).transpose().map_err(|error| error.to_string())?;
        for event in events {
            row = V::fold(row, event);
        }
        row.map(|row| Ok((serde_json::to_string(&row).map_err(|error| error.to_string())?, V::cells(&row)))).transpose()
    }
}

/// The views of a service.
pub struct Views<W> {
    pub(crate) all: BTreeMap<&'static str, Box<dyn AnyView<W>>>,
}

impl<W: World> Default for Views<W> {
    fn default() -> Self {
        Self { all: BTreeMap::new() }
    }
}

impl<W: World> Views<W> {
    /// Adds a view.
    #[must_use]
    pub fn with<V: View<World = W>>(mut self) -> Self {
        self.all.insert(V::NAME, Box::new(Erased::<V>(PhantomData)));
        self
    }

    /// The tables of all views.
    #[must_use]
    pub fn tables(&self) -> Vec<Table> {
        self.all.values().map(|view| view.table()).collect()
    }

    /// What the views mean, in short: rows of another meaning are folded anew.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.all.values().map(|view| view.shape()).collect::<Vec<_>>().join(" ")
    }
}

impl<W> std::fmt::Debug for Views<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.all.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use lastresort_fact::{Actor, EventId, Role};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn told(position: u64, occurred_at: i64) -> Recorded<()> {
        let at = Instant::from_micros(occurred_at);
        let (by, role) = (Actor::Bootstrap, Role::Bootstrap);
        let stamp =
            Stamp { event_id: EventId::default(), by, role, grant: None, occurred_at: at, recorded_at: at, cause: None, supersedes: None };
        Recorded { position, stream: StreamRef::new("note", Uuid::nil()), sequence: position, stamp, event: () }
    }

    /// When events occurred, and the order in which they are told.
    fn orders() -> impl Strategy<Value = (Vec<i64>, Vec<usize>)> {
        let occurred = prop::collection::vec(0_i64..5, 1..8);
        occurred.prop_flat_map(|occurred| {
            let order = Just((0..occurred.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(occurred), order)
        })
    }

    proptest! {
        #[test]
        fn the_latest_occurrence_wins_in_whatever_order_it_is_told((occurred, order) in orders()) {
            let events: Vec<_> = (1..).zip(&occurred).map(|(position, at)| told(position, *at)).collect();
            let latest = events.iter().max_by_key(|event| (event.stamp.occurred_at, event.position)).expect("some");
            let first = &events[order[0]];
            let mut dated = Dated::told(first, first.position);
            for index in &order[1..] {
                dated.tell(&events[*index], events[*index].position);
            }
            prop_assert_eq!(dated.value, latest.position);
        }
    }

    #[test]
    fn a_name_of_a_table_is_the_same_from_every_compiler() {
        assert_eq!(fnv_1a(b""), 0x811c_9dc5);
        assert_eq!(fnv_1a(b"foobar"), 0xbf9c_f968);
    }
}
