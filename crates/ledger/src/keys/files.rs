//! Keys at rest outside the database: the root key on a store that needs
//! nothing else, and the epoch keys of every store. Files are `0600`.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use lastresort_proof::seal::DataKey;
use lastresort_proof::wrap;

use super::random;
use crate::store::StoreError;

/// The key that keeps all others. Given by the environment, or a file on SQLite.
pub struct RootKey([u8; 32]);

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(…)")
    }
}

impl RootKey {
    /// From 64 hexadecimal digits.
    ///
    /// # Errors
    /// Where the text is anything else; the text is not repeated.
    pub fn from_hex(text: &str) -> Result<Self, StoreError> {
        let bytes = hex::decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| StoreError::Corrupt("the root key must be 64 hexadecimal digits".to_owned()))
    }

    /// From its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) fn key(&self) -> DataKey {
        DataKey::new(self.0)
    }
}

/// Whether a key whose file is missing may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Making {
    /// Nothing was sealed so far.
    Allowed,
    /// The store was sealed with the one that is missing.
    Refused,
}

/// Reads the root key; says where it stands, and whether it was made just now.
pub(super) fn root_key(folder: &Path, making: Making) -> Result<(RootKey, PathBuf, bool), StoreError> {
    let path = folder.join("root.key");
    let made = make(folder, &path, &hex::encode(random::<32>()), making)?;
    Ok((RootKey::from_hex(&read(&path)?)?, path, made))
}

/// Reads an epoch key.
pub(super) fn epoch_key(root: &DataKey, folder: &Path, epoch: u32, making: Making) -> Result<DataKey, StoreError> {
    let path = epoch_path(folder, epoch);
    let purpose = format!("epoch/{epoch}");
    let wrapped = wrap::wrap(root, &purpose, &DataKey::new(random()), random());
    make(folder, &path, &hex::encode(wrapped), making)?;
    let wrapped = hex::decode(read(&path)?.trim()).map_err(|_| unusable(&path, "it is not hexadecimal"))?;
    wrap::unwrap(root, &purpose, &wrapped).map_err(|error| unusable(&path, &error.to_string()))
}

/// Says that an epoch key is another store's.
pub(super) fn another(folder: &Path, epoch: u32) -> StoreError {
    unusable(&epoch_path(folder, epoch), "the store was sealed with another")
}

fn epoch_path(folder: &Path, epoch: u32) -> PathBuf {
    folder.join(format!("epoch-{epoch:05}.key"))
}

/// Writes a new file that only its owner may read; `false` where there is one.
/// It appears under its name at once and whole, whoever looks and whatever crashes.
fn make(folder: &Path, path: &Path, text: &str, making: Making) -> Result<bool, StoreError> {
    let failed = |error: std::io::Error| unusable(path, &error.to_string());
    if path.exists() {
        return Ok(false);
    }
    if making == Making::Refused {
        return Err(unusable(path, "it is missing, and the store was sealed with it"));
    }
    fs::create_dir_all(folder).map_err(failed)?;
    let draft = folder.join(format!(".{}.draft", crate::ids::new()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(failed)?;
    let written = writeln!(file, "{text}").and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft).map_err(failed)?;
    match written {
        Ok(()) => fs::File::open(folder).and_then(|folder| folder.sync_all()).map(|()| true).map_err(failed),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

fn read(path: &Path) -> Result<String, StoreError> {
    let mode = fs::metadata(path).map_err(|error| unusable(path, &error.to_string()))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(unusable(path, "others than its owner may read it; its mode must be 0600"));
    }
    fs::read_to_string(path).map_err(|error| unusable(path, &error.to_string()))
}

fn unusable(path: &Path, reason: &str) -> StoreError {
    StoreError::Unavailable(format!("the key file {} cannot be used: {reason}", path.display()))
}
