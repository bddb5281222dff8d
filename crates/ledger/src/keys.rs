//! The keys that seal personal data. A data key per (person, class), and one
//! of its own for every narrative; each wrapped by an epoch key, which is a
//! file outside the database and its backups; that by the root key, which the
//! service is given. Unwrapped keys are held in a bounded cache.

mod files;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lastresort_fact::{Class, Held, KeyId, OrganisationId, Origin, PersonId, Sealed, Visit};
use lastresort_proof::seal::{self, Context, DataKey};
use lastresort_proof::wrap;
use serde_json::{Value, json};
use uuid::Uuid;

pub use self::files::{RootKey, root_key_from_file};
use crate::append::{Digest, StreamRef};
use crate::store::{DataKeyRow, Store, StoreError};

const KEPT: usize = 50_000;

/// Seals and opens. One per process and store.
#[derive(Debug)]
pub struct Keyring {
    root: DataKey,
    epoch: (u32, DataKey),
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_id: HashMap<KeyId, Known>,
    by_subject: HashMap<(OrganisationId, PersonId, Class), KeyId>,
}

#[derive(Clone, Debug)]
struct Known {
    subject: PersonId,
    key: Option<DataKey>,
}

/// Keys one append makes and uses.
#[derive(Clone, Debug, Default)]
pub struct KeysUsed {
    /// Made for it.
    pub new: Vec<DataKeyRow>,
    /// Used by it.
    pub used: BTreeSet<KeyId>,
    fresh: HashMap<(PersonId, Class), KeyId>,
}

impl Keyring {
    /// Takes up the keys of a store; makes the first epoch key where there is none.
    ///
    /// # Errors
    /// Where the store was sealed under another root key, or the epoch key is
    /// missing or not wrapped by this root key.
    pub async fn open(store: &dyn Store, root: &RootKey, folder: &Path) -> Result<Self, StoreError> {
        let root = root.key();
        let check = wrap::key_check(&root);
        if store.keep_setting("root_key_check", &check).await? != check {
            return Err(StoreError::Corrupt("the store was sealed under another root key than the one given".to_owned()));
        }
        let claimed = Uuid::from_bytes(random()).to_string();
        let first = store.keep_setting("epoch_keys", &claimed).await? == claimed;
        let epoch = files::epoch_key(&root, folder, 1, first)?;
        Ok(Self { root, epoch: (1, epoch), kept: Mutex::default() })
    }

    /// The keyed hash of a value of one ledger, by what it is for.
    #[must_use]
    pub fn digest(&self, organisation: OrganisationId, kind: &str, parts: &[&str]) -> Digest {
        let key = wrap::index_key(&self.root, organisation);
        let all: Vec<&[u8]> = std::iter::once(kind).chain(parts.iter().copied()).map(str::as_bytes).collect();
        wrap::digest(&key, &all)
    }

    /// Forgets a person's keys, as erasure must.
    pub fn forget(&self, organisation: OrganisationId, subject: PersonId) {
        let mut kept = self.kept();
        kept.by_subject.retain(|(org, about, _), _| *org != organisation || *about != subject);
        kept.by_id.retain(|_, known| known.subject != subject);
    }

    /// Seals every open field of an event that will stand at this place.
    ///
    /// # Errors
    /// Where keys cannot be read.
    pub async fn seal<E: Visit>(
        &self,
        store: &dyn Store,
        organisation: OrganisationId,
        stream: &StreamRef,
        sequence: u64,
        event: &mut E,
        keys: &mut KeysUsed,
    ) -> Result<(), StoreError> {
        let mut wanted = BTreeSet::new();
        event.visit("/body", &mut |_, field| {
            if let Ok(Held::Open(subject, class, _)) = field.held() {
                wanted.insert((subject, class));
            }
        });
        for (subject, class) in wanted {
            if class != Class::Narrative {
                self.key_for(store, organisation, subject, class, keys).await?;
            }
        }
        let mut failed = None;
        event.visit("/body", &mut |pointer, field| {
            let context = Context { organisation, kind: &stream.kind, id: stream.id, sequence, pointer };
            let sealed = match field.held() {
                Ok(Held::Open(subject, class, value)) => self.seal_one(&context, subject, class, &value, keys),
                Ok(Held::Sealed(_)) => return,
                Err(error) => Err(error.to_string()),
            };
            match sealed {
                Ok(sealed) => field.seal(sealed),
                Err(reason) => failed = Some(StoreError::Corrupt(reason)),
            }
        });
        failed.map_or(Ok(()), Err)
    }

    fn seal_one(&self, context: &Context<'_>, subject: PersonId, class: Class, value: &Value, keys: &mut KeysUsed) -> Result<Sealed, String> {
        let id = match keys.fresh.get(&(subject, class)) {
            Some(id) if class != Class::Narrative => *id,
            Some(_) | None => self.new_key(subject, class, keys),
        };
        let key = self.kept().by_id.get(&id).and_then(|known| known.key.clone()).ok_or("a data key was forgotten while sealing")?;
        keys.used.insert(id);
        seal::seal(&key, id, class, context, value, random()).map_err(|error| error.to_string())
    }

    /// Finds the key of a person and class, or makes one.
    async fn key_for(
        &self,
        store: &dyn Store,
        organisation: OrganisationId,
        subject: PersonId,
        class: Class,
        keys: &mut KeysUsed,
    ) -> Result<(), StoreError> {
        if keys.fresh.contains_key(&(subject, class)) {
            return Ok(());
        }
        let kept = self.kept().by_subject.get(&(organisation, subject, class)).copied();
        let id = match kept {
            Some(id) => id,
            None => {
                let rows = store.keys_about(organisation, subject).await?;
                match rows.into_iter().find(|row| row.class == class && row.destroyed_at.is_none()) {
                    Some(row) => self.keep(organisation, &row)?,
                    None => self.new_key(subject, class, keys),
                }
            }
        };
        keys.fresh.insert((subject, class), id);
        Ok(())
    }

    fn new_key(&self, subject: PersonId, class: Class, keys: &mut KeysUsed) -> KeyId {
        let id = KeyId(crate::ids::new());
        let key = DataKey::new(random());
        let (epoch, by) = &self.epoch;
        let wrapped = wrap::wrap(by, &purpose(id), &key, random());
        keys.new.push(DataKeyRow { id, subject, class, epoch: *epoch, wrapped, destroyed_at: None });
        self.kept().by_id.insert(id, Known { subject, key: Some(key) });
        id
    }

    /// Unwraps a key and keeps it; a destroyed one is kept as gone.
    fn keep(&self, organisation: OrganisationId, row: &DataKeyRow) -> Result<KeyId, StoreError> {
        let (epoch, by) = &self.epoch;
        let key = match (row.destroyed_at, row.epoch == *epoch) {
            (Some(_), _) => None,
            (None, true) => Some(wrap::unwrap(by, &purpose(row.id), &row.wrapped).map_err(|error| StoreError::Corrupt(error.to_string()))?),
            (None, false) => return Err(StoreError::Unavailable(format!("the key of epoch {} is missing", row.epoch))),
        };
        let mut kept = self.kept();
        if kept.by_id.len() >= KEPT {
            *kept = Kept::default();
        }
        if key.is_some() && row.class != Class::Narrative {
            kept.by_subject.insert((organisation, row.subject, row.class), row.id);
        }
        kept.by_id.insert(row.id, Known { subject: row.subject, key });
        Ok(row.id)
    }

    async fn fetch(&self, store: &dyn Store, organisation: OrganisationId, ids: &BTreeSet<KeyId>) -> Result<HashMap<KeyId, Known>, StoreError> {
        let missing: Vec<KeyId> = {
            let kept = self.kept();
            ids.iter().filter(|id| !kept.by_id.contains_key(id)).copied().collect()
        };
        let mut known = HashMap::new();
        if !missing.is_empty() {
            for row in store.data_keys(organisation, &missing).await? {
                self.keep(organisation, &row)?;
                known.extend(self.kept().by_id.get(&row.id).cloned().map(|found| (row.id, found)));
            }
        }
        let kept = self.kept();
        known.extend(ids.iter().filter_map(|id| kept.by_id.get(id).map(|found| (*id, found.clone()))));
        Ok(known)
    }

    /// Opens every sealed field of events at their places, for the desk's eyes.
    ///
    /// # Errors
    /// Where keys cannot be read or a field was sealed elsewhere.
    pub async fn open_events<E: Visit>(
        &self,
        store: &dyn Store,
        organisation: OrganisationId,
        stream: &StreamRef,
        events: &mut [(u64, E)],
    ) -> Result<(), StoreError> {
        let mut ids = BTreeSet::new();
        for (_, event) in &mut *events {
            event.visit("/body", &mut |_, field| {
                if let Ok(Held::Sealed(sealed)) = field.held() {
                    ids.insert(sealed.key);
                }
            });
        }
        let known = self.fetch(store, organisation, &ids).await?;
        let mut failed = None;
        for (sequence, event) in events {
            event.visit("/body", &mut |pointer, field| {
                let context = Context { organisation, kind: &stream.kind, id: stream.id, sequence: *sequence, pointer };
                let Ok(Held::Sealed(sealed)) = field.held() else { return };
                let class = sealed.class;
                let Some(Known { subject, key: Some(key) }) = known.get(&sealed.key) else { return };
                match seal::open(key, &context, sealed) {
                    Ok(value) => failed = field.open(*subject, class, value).err().map(|error| error.to_string()).or(failed.take()),
                    Err(seal::NotOpened::Erased) => {}
                    Err(error @ seal::NotOpened::Mismatch) => failed = Some(error.to_string()),
                }
            });
        }
        failed.map_or(Ok(()), |reason| Err(StoreError::Corrupt(reason)))
    }

    /// Puts in place of each sealed field what a reader may see: the value,
    /// `{"withheld": class}` or `{"erased": class}`. `at` says where an event
    /// stands; fields of rows say it themselves.
    ///
    /// # Errors
    /// Where keys cannot be read or a field was sealed elsewhere.
    pub async fn reveal(
        &self,
        store: &dyn Store,
        organisation: OrganisationId,
        readings: &mut [Reading<'_>],
    ) -> Result<(), StoreError> {
        let mut ids = BTreeSet::new();
        for reading in &*readings {
            collect(reading.value, reading.opens, &mut ids);
        }
        let known = self.fetch(store, organisation, &ids).await?;
        for reading in readings {
            let place = reading.at.as_ref().map(|(stream, sequence)| (stream, *sequence));
            reveal(reading.value, "/body", &Revealing { organisation, place, opens: reading.opens, known: &known })?;
        }
        Ok(())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One value to be shown to somebody.
pub struct Reading<'a> {
    /// The row, or the event's body.
    pub value: &'a mut Value,
    /// The event's place; none for rows, whose fields say where they were written.
    pub at: Option<(StreamRef, u64)>,
    /// The classes the reader may see.
    pub opens: &'a dyn Fn(Class) -> bool,
}

struct Revealing<'a> {
    organisation: OrganisationId,
    place: Option<(&'a StreamRef, u64)>,
    opens: &'a dyn Fn(Class) -> bool,
    known: &'a HashMap<KeyId, Known>,
}

fn sealed_in(value: &Value) -> Option<Sealed> {
    let fields = value.as_object()?;
    (fields.contains_key("$k") && fields.contains_key("$c")).then(|| serde_json::from_value(value.clone()).ok()).flatten()
}

fn collect(value: &Value, opens: &dyn Fn(Class) -> bool, ids: &mut BTreeSet<KeyId>) {
    match (sealed_in(value), value) {
        (Some(sealed), _) => {
            if opens(sealed.class) && sealed.ciphertext.is_some() {
                ids.insert(sealed.key);
            }
        }
        (None, Value::Array(items)) => items.iter().for_each(|item| collect(item, opens, ids)),
        (None, Value::Object(fields)) => fields.values().for_each(|field| collect(field, opens, ids)),
        (None, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {}
    }
}

fn reveal(value: &mut Value, pointer: &str, with: &Revealing<'_>) -> Result<(), StoreError> {
    if let Some(sealed) = sealed_in(value) {
        *value = shown(&sealed, pointer, with)?;
        return Ok(());
    }
    match value {
        Value::Array(items) => {
            items.iter_mut().enumerate().try_for_each(|(index, item)| reveal(item, &format!("{pointer}/{index}"), with))
        }
        Value::Object(fields) => fields.iter_mut().try_for_each(|(name, field)| reveal(field, &format!("{pointer}/{name}"), with)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn shown(sealed: &Sealed, pointer: &str, with: &Revealing<'_>) -> Result<Value, StoreError> {
    let class = sealed.class.name();
    if !(with.opens)(sealed.class) {
        return Ok(json!({"withheld": class}));
    }
    let Some(Known { key: Some(key), .. }) = with.known.get(&sealed.key) else { return Ok(json!({"erased": class})) };
    let context = match (&sealed.origin, with.place) {
        (Some(origin), _) => placed(with.organisation, origin),
        (None, Some((stream, sequence))) => Context { organisation: with.organisation, kind: &stream.kind, id: stream.id, sequence, pointer },
        (None, None) => return Err(StoreError::Corrupt("a row holds a sealed field that does not say where it was written".to_owned())),
    };
    match seal::open(key, &context, sealed) {
        Ok(value) => Ok(value),
        Err(seal::NotOpened::Erased) => Ok(json!({"erased": class})),
        Err(error @ seal::NotOpened::Mismatch) => Err(StoreError::Corrupt(error.to_string())),
    }
}

fn placed(organisation: OrganisationId, origin: &Origin) -> Context<'_> {
    Context { organisation, kind: &origin.kind, id: origin.id, sequence: origin.sequence, pointer: &origin.pointer }
}

/// Notes in each sealed field of an event where it was written, so that rows
/// which copy it can be opened.
pub fn place<E: Visit>(stream: &StreamRef, sequence: u64, event: &mut E) {
    event.visit("/body", &mut |pointer, field| {
        field.place(Origin { kind: stream.kind.clone(), id: stream.id, sequence, pointer: pointer.to_owned() });
    });
}

fn purpose(id: KeyId) -> String {
    format!("data/{id}")
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}
