//! What a log says of itself: so many leaves, this root. C2SP tlog-checkpoint,
//! signed as a note by the log's keys and cosigned by witnesses.
//!
//! The document only recommends that a log's key be named as its origin. Here
//! it is demanded, both of who signs and of who is believed, so that a key
//! pinned for one ledger never vouches for another.

mod signed;

pub use signed::{Attested, NotASignedCheckpoint, NotCosigned, NotSigned, SignedCheckpoint, Untrusted};

use crate::tree::Hash;
use crate::tree::consistency::Tree;

/// The text of a checkpoint, without signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    tree: Tree,
    extensions: Vec<String>,
}

/// A text that is no checkpoint's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a checkpoint is an origin, a size, a root and extensions, a line each")]
pub struct NotACheckpoint;

impl Checkpoint {
    /// A checkpoint of the log that this origin names, with extension lines
    /// (which C2SP does not recommend).
    ///
    /// # Errors
    /// Where the origin or an extension is empty, or more than one line.
    pub fn try_new(origin: &str, tree: Tree, extensions: &[&str]) -> Result<Self, NotACheckpoint> {
        let lines_are_plain =
            std::iter::once(&origin).chain(extensions).all(|line| !line.is_empty() && !line.chars().any(|each| each < ' '));
        if !lines_are_plain {
            return Err(NotACheckpoint);
        }
        Ok(Self { origin: origin.to_owned(), tree, extensions: extensions.iter().map(|&line| line.to_owned()).collect() })
    }

    /// Reads the text that is signed; each checkpoint has one spelling.
    ///
    /// # Errors
    /// Where it is not one.
    pub fn parse(text: &str) -> Result<Self, NotACheckpoint> {
        let mut lines = text.strip_suffix('\n').ok_or(NotACheckpoint)?.split('\n');
        let origin = lines.next().ok_or(NotACheckpoint)?;
        let decimal = lines.next().ok_or(NotACheckpoint)?;
        let size = whole_number(decimal).ok_or(NotACheckpoint)?;
        let root = lines.next().and_then(|line| line.parse().ok()).ok_or(NotACheckpoint)?;
        Self::try_new(origin, Tree { size, root }, &lines.collect::<Vec<_>>())
    }

    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let head = [self.origin.clone(), self.tree.size.to_string(), self.tree.root.to_string()];
        head.iter().chain(&self.extensions).flat_map(|line| [line.as_str(), "\n"]).collect()
    }

    /// Which log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many leaves, and their root.
    #[must_use]
    pub const fn tree(&self) -> Tree {
        self.tree
    }

    /// How many leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.tree.size
    }

    /// The root over them.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.tree.root
    }

    /// What else its log says, a line each.
    #[must_use]
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
}

/// A whole number in its one decimal spelling: no sign, no leading zeros.
pub(crate) fn whole_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}
