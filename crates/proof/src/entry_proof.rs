//! The proof of one entry in one file, to be verified with nothing but keys that
//! are pinned: C2SP tlog-proof, version 1. It holds the entry's index, its
//! inclusion proof and the checkpoint it leads to.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Attested, NotASignedCheckpoint, SignedCheckpoint, Untrusted, whole_number};
use crate::note::PublicKey;
use crate::tree::{Hash, Node, NotMade, Refuted, inclusion, leaf_hash};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The proof of one entry. Its text is the file.
#[derive(Debug, PartialEq)]
pub struct EntryProof {
    index: u64,
    extra: Option<Vec<u8>>,
    inclusion: Vec<Hash>,
    checkpoint: SignedCheckpoint,
}

/// Bytes that are not such a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEntryProof {
    /// The lines before the checkpoint.
    #[error("a proof is a header, an index and hashes, a line each, an empty line and a checkpoint")]
    Lines,
    /// The checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] NotASignedCheckpoint),
}

/// Why an entry is not proved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotProved {
    /// The checkpoint is not believed.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// The entry does not stand in its tree at this index.
    #[error(transparent)]
    Refuted(#[from] Refuted),
}

impl EntryProof {
    /// The proof of the entry at `index` (from 0) in the tree of this checkpoint,
    /// made from the tree's nodes.
    ///
    /// # Errors
    /// Where there is no such entry, or the source lacks a node.
    pub fn make(index: u64, checkpoint: SignedCheckpoint, source: impl Fn(Node) -> Option<Hash>) -> Result<Self, NotMade> {
        let inclusion = inclusion::prove(index, checkpoint.unverified().size(), source)?;
        Ok(Self { index, extra: None, inclusion, checkpoint })
    }

    /// The same with data of the application's own, which nothing authenticates.
    #[must_use]
    pub fn with_extra(self, extra: Vec<u8>) -> Self {
        Self { extra: Some(extra), ..self }
    }

    /// Reads the file; believes nothing yet. Each proof has one spelling.
    ///
    /// # Errors
    /// Where the bytes are not one.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotAnEntryProof> {
        let text = str::from_utf8(bytes).map_err(|_| NotAnEntryProof::Lines)?;
        let (lines, checkpoint) = text.split_once("\n\n").ok_or(NotAnEntryProof::Lines)?;
        let (index, extra, inclusion) = before_checkpoint(lines).ok_or(NotAnEntryProof::Lines)?;
        Ok(Self { index, extra, inclusion, checkpoint: SignedCheckpoint::parse(checkpoint.as_bytes())? })
    }

    /// Proves that these bytes are the entry at [`EntryProof::index`] of the log,
    /// on the word of the log's own keys among these (see
    /// [`SignedCheckpoint::verify`]).
    ///
    /// # Errors
    /// Where the checkpoint is not believed, or the proof does not lead to it.
    pub fn verify(&self, entry: &[u8], keys: &[PublicKey]) -> Result<Attested<'_>, NotProved> {
        let attested = self.checkpoint.verify(keys)?;
        let tree = attested.checkpoint.tree();
        inclusion::verify(leaf_hash(entry), self.index, tree.size, &self.inclusion, tree.root)?;
        Ok(attested)
    }

    /// The entry's index, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The application's own data; nothing authenticates it.
    #[must_use]
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// The checkpoint it leads to.
    #[must_use]
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }
}

fn before_checkpoint(lines: &str) -> Option<(u64, Option<Vec<u8>>, Vec<Hash>)> {
    let mut lines = lines.split('\n').peekable();
    lines.next().filter(|line| *line == HEADER)?;
    let extra = match lines.peek()?.strip_prefix("extra ") {
        Some(base64) => Some(STANDARD.decode(base64).ok()?),
        None => None,
    };
    let mut rest = lines.skip(usize::from(extra.is_some()));
    let index = whole_number(rest.next()?.strip_prefix("index ")?)?;
    let inclusion: Vec<Hash> = rest.map(|line| line.parse().ok()).collect::<Option<_>>()?;
    Some((index, extra, inclusion))
}

impl fmt::Display for EntryProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.inclusion {
            writeln!(f, "{hash}")?;
        }
        write!(f, "\n{}", String::from_utf8_lossy(&self.checkpoint.bytes()))
    }
}
