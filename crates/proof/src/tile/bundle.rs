//! Entry bundles: the bytes of up to 256 entries, each behind its length in two
//! bytes, the more significant first (C2SP tlog-tiles, "Log entries").

use super::{Place, Tile, WrongWidth};
use crate::leaf::TooLarge;

/// The bundle beside a tile of level 0: its index from 0, and how many entries
/// it holds, 1 to [`WIDTH`](super::WIDTH).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bundle(Place);

/// Why a bundle's entries have no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotBundled {
    /// One is longer than two bytes can say.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// They are not as many as it is wide.
    #[error(transparent)]
    WrongWidth(#[from] WrongWidth),
}

/// Bytes that are not the entries of a bundle as wide as this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bundle's bytes are not as many entries as it is wide")]
pub struct NotABundle;

impl Bundle {
    pub(super) const fn new(place: Place) -> Self {
        Self(place)
    }

    pub(super) const fn place(self) -> Place {
        self.0
    }

    /// The bundle with this index in a tree of `size` leaves, as wide as it is
    /// there; `None` where such a tree has none.
    #[must_use]
    pub fn at(index: u64, size: u64) -> Option<Self> {
        Tile::at(0, index, size).map(|tile| Self(tile.place))
    }

    /// Its index.
    #[must_use]
    pub const fn index(self) -> u64 {
        self.0.index
    }

    /// How many entries it holds.
    #[must_use]
    pub const fn width(self) -> u16 {
        self.0.width
    }

    /// The file's bytes, of all its entries in order.
    ///
    /// # Errors
    /// Where an entry has more than 65,535 bytes, or they are not as many as the
    /// bundle is wide.
    pub fn bytes<Entry: AsRef<[u8]>>(self, entries: &[Entry]) -> Result<Vec<u8>, NotBundled> {
        if entries.len() != usize::from(self.width()) {
            return Err(WrongWidth.into());
        }
        let mut bytes = Vec::new();
        for entry in entries.iter().map(AsRef::as_ref) {
            let length = u16::try_from(entry.len()).map_err(|_| TooLarge)?;
            bytes.extend(length.to_be_bytes());
            bytes.extend(entry);
        }
        Ok(bytes)
    }

    /// The entries in the file's bytes.
    ///
    /// # Errors
    /// Where they are not as many as the bundle is wide, to the byte.
    pub fn entries(self, bytes: &[u8]) -> Result<Vec<&[u8]>, NotABundle> {
        let mut entries = Vec::new();
        let mut rest = bytes;
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(NotABundle)?;
            entries.push(entry);
            rest = after;
        }
        if rest.is_empty() && entries.len() == usize::from(self.width()) { Ok(entries) } else { Err(NotABundle) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf::LEAF_MAX;

    fn of(width: u64) -> Bundle {
        Bundle::at(0, width).expect("a tree with leaves has a first bundle")
    }

    #[test]
    fn entries_stand_behind_their_lengths() {
        let bytes = of(3).bytes(&["one", "", "three"]).expect("short");
        assert_eq!(bytes, b"\0\x03one\0\0\0\x05three");
        assert_eq!(of(3).entries(&bytes), Ok(vec![&b"one"[..], b"", b"three"]));
    }

    #[test]
    fn a_bundle_of_another_width_or_cut_short_is_refused() {
        let bytes = of(3).bytes(&["one", "", "three"]).expect("short");
        assert_eq!(of(2).entries(&bytes), Err(NotABundle));
        assert_eq!(of(4).entries(&bytes), Err(NotABundle));
        for cut in 0..bytes.len() {
            assert_eq!(of(3).entries(&bytes[..cut]), Err(NotABundle), "{cut}");
        }
        assert_eq!(of(2).bytes(&["one"]), Err(WrongWidth.into()));
    }

    #[test]
    fn the_longest_leaf_fits_and_no_longer_entry() {
        let longest = vec![7; LEAF_MAX];
        let bytes = of(1).bytes(&[&longest]).expect("a leaf is made to fit");
        assert_eq!(of(1).entries(&bytes), Ok(vec![&longest[..]]));
        assert_eq!(of(1).bytes(&[vec![7; LEAF_MAX + 1]]), Err(TooLarge.into()));
    }
}
