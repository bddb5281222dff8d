//! The keys that seal personal data. A data key per (person, class), and one
//! of its own for every narrative; each wrapped by an epoch key, which is a
//! file outside the database and its backups; that by the root key, which the
//! service is given. Unwrapped keys are held in a bounded cache.

mod files;
mod reveal;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lastresort_fact::{Class, Decides, Held, KeyId, OrganisationId, Origin, PersonId, PersonalField, Sealed, Visit};
use lastresort_proof::seal::{self, Context, DataKey};
use lastresort_proof::wrap;
use serde_json::Value;

use self::files::Making;
pub use self::files::RootKey;
pub use self::reveal::Reading;
use crate::append::{Digest, StreamRef};
use crate::store::{DataKeyRow, Store, StoreError};

const KEPT: usize = 50_000;

/// The names under which a store keeps what tells its keys from others.
const ROOT_KEY_CHECK: &str = "root_key_check";
const EPOCH_KEY_CHECK: &str = "epoch_key_check_1";

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

/// Keys one append makes and uses. It holds what it seals with itself: what
/// is kept for all may be forgotten meanwhile.
#[derive(Clone, Debug, Default)]
pub struct KeysUsed {
    /// Made for it.
    pub new: Vec<DataKeyRow>,
    /// Used by it.
    pub used: BTreeSet<KeyId>,
    ready: HashMap<(PersonId, Class), (KeyId, DataKey)>,
}

impl Kept {
    /// Keeps a key, within bounds; one that is gone is kept as gone.
    fn remember(&mut self, id: KeyId, known: Known) {
        if self.by_id.len() >= KEPT {
            *self = Self::default();
        }
        self.by_id.insert(id, known);
    }
}

impl Keyring {
    /// Takes up the keys of a store; makes the first epoch key where it has none.
    ///
    /// # Errors
    /// Where the store was sealed under another root key, or the epoch key is
    /// missing or not wrapped by this root key.
    pub async fn open(store: &dyn Store, root: &RootKey, folder: &Path) -> Result<Self, StoreError> {
        let root = root.key();
        let check = wrap::key_check(&root);
        if store.keep_setting(ROOT_KEY_CHECK, &check).await? != check {
            return Err(StoreError::Corrupt("the store was sealed under another root key than the one given".to_owned()));
        }
        let epoch = files::epoch_key(&root, folder, 1, made_for(store, EPOCH_KEY_CHECK).await?)?;
        let check = wrap::key_check(&epoch);
        if store.keep_setting(EPOCH_KEY_CHECK, &check).await? != check {
            return Err(files::another(folder, 1));
        }
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

    fn seal_one(
        &self,
        context: &Context<'_>,
        subject: PersonId,
        class: Class,
        value: &Value,
        keys: &mut KeysUsed,
    ) -> Result<Sealed, String> {
        let (id, key) = match keys.ready.get(&(subject, class)) {
            Some(ready) if class != Class::Narrative => ready.clone(),
            Some(_) | None => self.new_key(subject, class, keys),
        };
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
        if keys.ready.contains_key(&(subject, class)) {
            return Ok(());
        }
        let ready = if let Some(kept) = self.kept_for(organisation, subject, class) {
            kept
        } else {
            let rows = store.keys_about(organisation, subject).await?;
            let alive = rows.iter().find(|row| row.class == class && row.destroyed_at.is_none());
            match alive.map(|row| self.keep(organisation, row)).transpose()? {
                Some((id, Known { key: Some(key), .. })) => (id, key),
                Some((_, Known { key: None, .. })) | None => self.new_key(subject, class, keys),
            }
        };
        keys.ready.insert((subject, class), ready);
        Ok(())
    }

    fn kept_for(&self, organisation: OrganisationId, subject: PersonId, class: Class) -> Option<(KeyId, DataKey)> {
        let kept = self.kept();
        let id = kept.by_subject.get(&(organisation, subject, class))?;
        Some((*id, kept.by_id.get(id)?.key.clone()?))
    }

    fn new_key(&self, subject: PersonId, class: Class, keys: &mut KeysUsed) -> (KeyId, DataKey) {
        let id = KeyId(crate::ids::new());
        let key = DataKey::new(random());
        let (epoch, by) = &self.epoch;
        let wrapped = wrap::wrap(by, &purpose(id), &key, random());
        keys.new.push(DataKeyRow { id, subject, class, epoch: *epoch, wrapped, destroyed_at: None });
        self.kept().remember(id, Known { subject, key: Some(key.clone()) });
        (id, key)
    }

    /// Unwraps a key and keeps it; a destroyed one is kept as gone.
    fn keep(&self, organisation: OrganisationId, row: &DataKeyRow) -> Result<(KeyId, Known), StoreError> {
        let (epoch, by) = &self.epoch;
        let key = match (row.destroyed_at, row.epoch == *epoch) {
            (Some(_), _) => None,
            (None, true) => Some(wrap::unwrap(by, &purpose(row.id), &row.wrapped).map_err(|error| StoreError::Corrupt(error.to_string()))?),
            (None, false) => return Err(StoreError::Unavailable(format!("the key of epoch {} is missing", row.epoch))),
        };
        let known = Known { subject: row.subject, key };
        let mut kept = self.kept();
        kept.remember(row.id, known.clone());
        if known.key.is_some() && row.class != Class::Narrative {
            kept.by_subject.insert((organisation, row.subject, row.class), row.id);
        }
        Ok((row.id, known))
    }

    /// Keys by id: those kept, and the others from the store.
    async fn fetch(
        &self,
        store: &dyn Store,
        organisation: OrganisationId,
        ids: &BTreeSet<KeyId>,
    ) -> Result<HashMap<KeyId, Known>, StoreError> {
        let mut known: HashMap<KeyId, Known> = {
            let kept = self.kept();
            ids.iter().filter_map(|id| Some((*id, kept.by_id.get(id)?.clone()))).collect()
        };
        let missing: Vec<KeyId> = ids.iter().filter(|id| !known.contains_key(id)).copied().collect();
        if !missing.is_empty() {
            for row in store.data_keys(organisation, &missing).await? {
                known.extend([self.keep(organisation, &row)?]);
            }
        }
        Ok(known)
    }

    /// Opens what a state remembers sealed, for the desk's eyes; what was erased stays sealed.
    ///
    /// # Errors
    /// Where keys cannot be read or a field was sealed elsewhere.
    pub async fn open_state<T: Decides>(&self, store: &dyn Store, organisation: OrganisationId, state: &mut T) -> Result<(), StoreError> {
        let ids = state.personal().iter().filter_map(|field| Some(sealed(*field)?.key)).collect();
        let known = self.fetch(store, organisation, &ids).await?;
        for field in state.personal() {
            let Some(sealed) = sealed(field) else { continue };
            let Some(Known { subject, key: Some(key) }) = known.get(&sealed.key) else { continue };
            let unplaced = || StoreError::Corrupt("a state holds a sealed field that does not say where it was written".to_owned());
            let origin = sealed.origin.as_deref().ok_or_else(unplaced)?;
            let class = sealed.class;
            match seal::open(key, &placed(organisation, origin), sealed) {
                Ok(value) => field.open(*subject, class, value).map_err(|error| StoreError::Corrupt(error.to_string()))?,
                Err(seal::NotOpened::Erased) => {}
                Err(error @ seal::NotOpened::Mismatch) => return Err(StoreError::Corrupt(error.to_string())),
            }
        }
        Ok(())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the root key of a store from `folder`, making it where the store was
/// never sealed. Says where it stands, and whether it was made just now.
///
/// # Errors
/// Where the file cannot be made or read, or others could read it; where it is
/// missing and the store was sealed with it.
pub async fn root_key_from_file(store: &dyn Store, folder: &Path) -> Result<(RootKey, PathBuf, bool), StoreError> {
    files::root_key(folder, made_for(store, ROOT_KEY_CHECK).await?)
}

/// Whether a key may be made for a store: it is when no other was.
async fn made_for(store: &dyn Store, check: &str) -> Result<Making, StoreError> {
    Ok(if store.setting(check).await?.is_none() { Making::Allowed } else { Making::Refused })
}

/// Notes in each sealed field of an event where it was written, so that rows
/// and states which copy it can be opened.
pub fn place<E: Visit>(stream: &StreamRef, sequence: u64, event: &mut E) {
    event.visit("/body", &mut |pointer, field| {
        field.place(Origin { kind: stream.kind.clone(), id: stream.id, sequence, pointer: pointer.to_owned() });
    });
}

fn sealed(field: &dyn PersonalField) -> Option<&Sealed> {
    match field.held() {
        Ok(Held::Sealed(sealed)) => Some(sealed),
        Ok(Held::Open(..)) | Err(_) => None,
    }
}

/// Where a field was written, as its sealing is bound to it.
fn placed(organisation: OrganisationId, origin: &Origin) -> Context<'_> {
    Context { organisation, kind: &origin.kind, id: origin.id, sequence: origin.sequence, pointer: &origin.pointer }
}

fn purpose(id: KeyId) -> String {
    format!("data/{id}")
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}
